"""Requests to devices: whatever stands in a template's place cannot lead elsewhere, nor change its form."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import outbound_request
from shared.errors import Rejected
from shared.outbound_request import Facts

names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=128)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


def _facts(alias: str, message: Any = None) -> Facts:
    return Facts("m1", "d1", "net", "p", {"serial": alias, "imei": "1"}, "serial", message)


@given(names)
def test_a_name_is_one_segment_of_the_path_and_no_other_host(alias: str) -> None:
    template = "https://example.com/devices/{alias}/down?name={alias:serial}&id={msgId}"
    if alias in (".", ".."):
        with pytest.raises(Rejected, match="cannot stand in a URL"):
            outbound_request.url(template, _facts(alias))
        return
    made = outbound_request.url(template, _facts(alias))
    parts = urlsplit(made)
    assert (parts.scheme, parts.netloc) == ("https", "example.com")
    _, devices, segment, down = parts.path.split("/")
    assert (devices, unquote(segment), down) == ("devices", alias, "down")
    # As the client that sends it understands it.
    assert httpx.URL(made).host == "example.com"
    assert httpx.URL(made).params["name"] == alias
    assert httpx.URL(made).raw_path.startswith(b"/devices/")


@given(names, _JSON)
def test_a_body_is_the_template_with_the_message_in_its_place(alias: str, message: Any) -> None:
    facts = _facts(alias, message)
    template = {"to": "{alias}", "payload": ["{message}", 7], "text": "for {alias:imei}: {message}", "{x}": 1}
    assert outbound_request.body(template, facts) == {
        "to": alias,
        "payload": [message, 7],
        "text": f"for 1: {msgspec.json.encode(message).decode()}",
        "{x}": 1,
    }
    assert outbound_request.body(None, facts) == message


@given(st.text("abc{}:/.?{aliasmsgId}", max_size=30))
def test_a_template_that_is_taken_can_be_filled(rest: str) -> None:
    template = f"https://example.com/{rest}"
    if outbound_request.url_problem(template):
        return
    keys = re.findall(r"{alias:([^}]*)}", rest)
    made = outbound_request.url(
        template, _facts("t-1")._replace(aliases=dict.fromkeys([*keys, "serial"], "t"))
    )
    assert made.startswith("https://example.com/")
    assert "{" not in made


@pytest.mark.parametrize(
    "template",
    [
        "https://{alias}.example.com/",
        "https://example.com:{msgId}/",
        "{alias}://example.com/",
        "https://example.com{alias}",
        "https://example.com?{alias}x",
        "example.com/{alias}",
    ],
)
def test_placeholders_stand_behind_the_host(template: str) -> None:
    found = outbound_request.url_problem(template)
    assert bool(found) is not template.startswith("https://example.com?")


def test_a_device_without_the_name_that_is_asked_for_is_refused() -> None:
    for template in ("https://example.com/{alias:mac}", "https://example.com/{alias}"):
        with pytest.raises(Rejected, match="has no alias"):
            outbound_request.url(template, Facts("m", "d", "n", "p", {"serial": "x"}, None, None))
