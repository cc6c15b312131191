"""The query language of Cloud Logging, as far as the stand-in has it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.logging import filters
from emulators.logging.errors import ServiceError
from emulators.logging.state import INDEXED

ENTRY: dict[str, Any] = {
    "resource": {"type": "cloud_run_revision"},
    "severity": "INFO",
    "timestamp": "2026-11-29T12:00:00.500000+00:00",
    "jsonPayload": {"messageId": "m1", "published": ["p1", "P2"], "attempt": 2, "ok": True, "at": {"b": "x"}},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ('jsonPayload.messageId="m1"', True),
        ('jsonPayload.messageId = "M1"', True),
        ('jsonPayload.messageId="m2"', False),
        ('jsonPayload.published="p2"', True),
        ('jsonPayload.published=("x" OR "p1")', True),
        ('jsonPayload.published=("x" OR "y")', False),
        ('jsonPayload.attempt="2"', True),
        ('jsonPayload.ok="true"', True),
        ('jsonPayload.at.b="x"', True),
        ('jsonPayload.nothing="m1"', False),
        ('NOT jsonPayload.nothing="m1"', True),
        ('resource.type="cloud_run_revision" AND severity="info"', True),
        ('timestamp>="2026-11-29T12:00:00.5Z"', True),
        ('timestamp>"2026-11-29T12:00:00.5Z"', False),
        ('timestamp<"2026-11-29T13:00:00.6+01:00"', True),
        # OR binds more tightly than AND.
        ('severity="INFO" OR severity="X" AND severity="Y"', False),
        ('severity="X" AND severity="Y" OR severity="INFO"', False),
        ('(severity="X" AND severity="Y") OR severity="INFO"', True),
        ('NOT (severity="X" OR severity="Y")', True),
    ],
)
def test_matching(text: str, expected: bool) -> None:
    assert filters.matches(filters.parse(text), ENTRY) is expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('jsonPayload.messageId:"m"', 501),
        ('jsonPayload.messageId=~"m"', 501),
        ('jsonPayload.messageId!="m"', 501),
        ('jsonPayload.attempt>"1"', 501),
        ("severity=INFO", 501),
        ('textPayload="a"', 501),
        ('labels.x="a"', 501),
        ('"anything"', 501),
        ('severity="\\u0041"', 501),
        ('severity="a" severity="b"', 400),
        ('severity=("a" AND "b")', 400),
        ('severity=("a"', 400),
        ('(severity="a"', 400),
        ('severity="a', 400),
        ("severity", 400),
        ("AND", 400),
        ('timestamp>"yesterday"', 400),
        ('timestamp>"2026-11-29T12:00:00"', 400),
        ("(" * 60, 400),
        ("x" * 20_001, 400),
    ],
)
def test_what_is_not_known_is_refused(text: str, code: int) -> None:
    with pytest.raises(ServiceError) as caught:
        filters.parse(text)
    assert caught.value.code == code


@given(st.text(max_size=60))
def test_nothing_breaks_the_parser(text: str) -> None:
    code = 200
    try:
        filters.parse(text)
    except ServiceError as error:
        code = error.code
    assert code in (200, 400, 501)


@given(st.text(max_size=30))
def test_a_quoted_text_is_that_text_and_nothing_else(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    node = filters.parse(f'jsonPayload.a="{quoted}"')
    assert node == filters.Equal("jsonPayload.a", frozenset({text.casefold()}))


def test_ids_that_an_entry_must_have_are_known() -> None:
    either = '(jsonPayload.messageId="A" OR jsonPayload.published=("b" OR "c"))'
    text = f'resource.type="x" AND {either} AND severity="y"'
    assert filters.required(filters.parse(text), INDEXED) == {
        ("jsonPayload.messageId", "a"),
        ("jsonPayload.published", "b"),
        ("jsonPayload.published", "c"),
    }
    assert filters.required(filters.parse('jsonPayload.messageId="a" OR severity="y"'), INDEXED) is None
    assert filters.required(filters.parse('NOT jsonPayload.messageId="a"'), INDEXED) is None
