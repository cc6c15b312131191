"""Templates: text stays text, HTML is escaped, and nothing but a refusal comes of the strangest of them."""

from __future__ import annotations

from typing import Any

import markupsafe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import templating
from shared.errors import Rejected

texts = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60)
contexts = st.dictionaries(
    st.sampled_from(["a", "b", "items"]),
    st.recursive(
        st.none() | st.booleans() | st.integers(-99, 99) | st.floats(allow_nan=False) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)
_FRAGMENTS = (
    *(
        "{{ a }}",
        "{{ b.c }}",
        "{{ items }}",
        "{{ a|upper }}",
        "{{ a + b }}",
        "{{ a ~ '\\ud800' }}",
        "{{ a[0:2] }}",
    ),
    *(
        "{% if a %}",
        "{% else %}",
        "{% endif %}",
        "{% for x in a %}",
        "{{ x }}",
        "{% endfor %}",
        "{{ loop.index }}",
    ),
    *(
        "{% set a = b %}",
        "{% macro m(x) %}",
        "{% endmacro %}",
        "{{ m(a) }}",
        "{{ a|datetime }}",
        "{{ a|join(b) }}",
    ),
    *(
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "{{ a.__class__ }}",
        "{{ a|tojson }}",
        "{{ 1 // a }}",
        "\n",
        "æ\x00",
    ),
)


@given(texts.filter(lambda text: "{" not in text))
def test_what_has_no_placeholder_is_sent_as_it_is(text: str) -> None:
    assert templating.fill(text, {}) == text
    assert templating.fill(text, {}, html=True) == text


@given(texts)
def test_what_is_filled_in_is_escaped_in_html_alone(text: str) -> None:
    assert templating.fill("<b>{{ a }}</b>", {"a": text}) == f"<b>{text}</b>"
    filled = templating.fill("<b>{{ a }}</b>", {"a": text}, html=True)
    assert filled == f"<b>{markupsafe.escape(text)}</b>"
    assert filled.count("<") == 2


@given(st.lists(st.sampled_from(_FRAGMENTS) | texts, max_size=12), contexts, st.booleans())
def test_any_template_is_filled_or_refused(parts: list[str], context: dict[str, Any], html: bool) -> None:
    source = "".join(parts)
    refused, filled = "", ""
    try:
        filled = templating.fill(source, context, html)
    except Rejected as error:
        refused = error.error_type
        error.message.encode()
    assert refused in ("", "template.invalid")
    filled.encode()
    if not refused:
        assert set(templating.names(source, html)) <= {"a", "b", "items", "x", "m", "loop"}


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(Rejected, match="surrogates not allowed"):
        templating.fill("{{ '\\ud800' }}", {})
