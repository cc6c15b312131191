"""Templates filled: what they say, what they escape, and what is said of those that cannot be filled."""

from __future__ import annotations

from typing import Any

import pytest

from shared import templating
from shared.errors import Rejected


def _refusal(source: str, context: dict[str, Any] | None = None, html: bool = False) -> str:
    with pytest.raises(Rejected) as caught:
        templating.fill(source, context or {}, html)
    assert caught.value.error_type == "template.invalid"
    return caught.value.message


def test_html_is_escaped_and_text_is_not() -> None:
    context = {"name": "<b>Ada & co</b>"}
    assert (
        templating.fill("<p>{{ name }}</p>", context, html=True) == "<p>&lt;b&gt;Ada &amp; co&lt;/b&gt;</p>"
    )
    assert templating.fill("{{ name }}", context) == "<b>Ada & co</b>"


def test_conditions_loops_and_filters() -> None:
    source = "{% for d in devices if d.t > 8 %}{{ loop.index }}. {{ d.name|upper }} {{ d.t }}\n{% endfor %}"
    context = {"devices": [{"name": "a", "t": 9.25}, {"name": "b", "t": 3}, {"name": "c", "t": 12}]}
    assert templating.fill(source, context) == "1. A 9.25\n2. C 12\n"


def test_nothing_stands_for_null_and_a_default_for_what_is_missing() -> None:
    source = "[{{ a }}|{{ b|default('none') }}|{% if b is defined %}{{ b }}{% endif %}|{{ c.d|default(4) }}]"
    assert templating.fill(source, {"a": None, "c": {}}) == "[|none||4]"


def test_data_may_be_called_as_a_method_is() -> None:
    source = "{{ d.items }} {{ d.values }} {% for k, v in d.more.items() %}{{ k }}={{ v }}{% endfor %}"
    assert templating.fill(source, {"d": {"items": 2, "values": 3, "more": {"a": 1}}}) == "2 3 a=1"


def test_instants_are_shown_in_a_time_zone() -> None:
    context = {"time": 1_790_000_000_000}
    assert templating.fill("{{ time|datetime }}", context) == "2026-09-21 14:13"
    source = "{{ time|datetime('%d.%m.%y %H:%M', 'Europe/Oslo') }}"
    assert templating.fill(source, context) == "21.09.26 16:13"
    assert "no time zone 'Mars/Base'" in _refusal("{{ time|datetime('%H', 'Mars/Base') }}", context)
    assert "no such instant" in _refusal("{{ 1e300|datetime }}")
    for wrong in ("'now'", "true", "none"):
        assert "datetime takes epoch milliseconds" in _refusal(f"{{{{ {wrong}|datetime }}}}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("Hello\n\n{{ nmae }}", "line 3: the context has no 'nmae'"),
        ("{{ nmae.first }}", "line 1: the context has no 'nmae'"),
        ("{% if nmae %}{% endif %}", "line 1: the context has no 'nmae'"),
        ("a\n{{ device.place }}", "line 2: there is no 'place' in what is named before it"),
        ("{% for x in many %}{% endfor %}", "line 1: the context has no 'many'"),
        ("a\n{{ device + 1 }}", "line 2: unsupported operand type(s) for +: 'dict' and 'int'"),
        ("{{ 1 // 0 }}", "line 1: integer division or modulo by zero"),
    ],
)
def test_what_is_missing_or_wrong_is_said_with_its_line(source: str, message: str) -> None:
    assert _refusal(source, {"device": {}}) == message


@pytest.mark.parametrize(
    "source", ["\n{% if %}", "\n{{ a", "\n{% for x in y %}", "\n{{ a|nofilter }}", "\n{% fill %}"]
)
def test_what_is_no_template_is_said_with_its_line(source: str) -> None:
    assert _refusal(source).startswith("line 2: ")
    with pytest.raises(Rejected, match="line 2: "):
        templating.names(source)


@pytest.mark.parametrize(
    "source",
    ["{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}"],
)
def test_nothing_is_loaded_from_elsewhere(source: str) -> None:
    assert _refusal(source) == "line 1: a template stands alone: it has no include, import or extends"


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ name.__init__.__globals__ }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format(name) }}",
        "{{ many.append(1) }}",
        "{{ self.__init__ }}",
        "{{ cycler.__init__.__globals__ }}",
    ],
)
def test_a_template_reaches_nothing_of_python(source: str) -> None:
    refused = _refusal(source, {"name": "Ada", "many": []})
    assert "unsafe" in refused or "there is no" in refused


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ 9 ** 99999999 }}", "line 1: a template has no **"),
        ("{% for n in range(10001) %}{% endfor %}", "line 1: range gives more than 10,000 numbers"),
        ("{% for n in range(10**9) %}{% endfor %}", "line 1: a template has no **"),
        ("{{ lipsum(n=99999) }}", "line 1: the context has no 'lipsum'"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "it calls itself too often"),
        ("{% for n in range(9000) %}{{ 'x' * 100 }}{% endfor %}", "it comes to more than 400,000 bytes"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "it is nested too deeply"),
        (
            "{% for a in [1] %}" * 40 + "{% endfor %}" * 40,
            "it cannot be compiled: too many statically nested blocks",
        ),
    ],
)
def test_what_grows_without_end_is_refused(source: str, said: str) -> None:
    assert _refusal(source).startswith(said)


def test_names_are_what_a_template_takes_from_its_context() -> None:
    source = "{{ a.b }}{% for x in many %}{{ x.y }}{{ loop.index }}{% endfor %}{{ range(3) }}"
    assert templating.names(source) == ["a", "many"]
