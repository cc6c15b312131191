"""JSON text taken apart at its top level, whatever its parts are."""

from __future__ import annotations

import re

import pytest

from shared import json_text


def test_parts_keep_their_bytes_even_where_they_are_no_json() -> None:
    text = b' [ {"a": [1, "],{"]} , \xff, "\\ud800\\"," , [{]} ] '
    assert json_text.elements(text) == [b'{"a": [1, "],{"]}', b"\xff", b'"\\ud800\\","', b"[{]}"]


def test_members_have_keys_and_texts() -> None:
    text = b'{"a,\\"\\u0062" : [1, {"x": ","}], "":\xff , "c" :2}'
    assert list(json_text.members(text)) == [('a,"b', b'[1, {"x": ","}]'), ("", b"\xff"), ("c", b"2")]


@pytest.mark.parametrize("text", [b"{1}", b'{"a"}', b'{"a" 1}', b"{,}", b'{"a":1,}', b"[1]"])
def test_what_has_no_keys_has_no_members(text: bytes) -> None:
    with pytest.raises(ValueError, match="key"):
        list(json_text.members(text))


@pytest.mark.parametrize(
    "text",
    [b"", b"1", b"[", b"[1", b"[1]]", b"[1}", b"[ }", b"{]", b"1]", b"x[1]", b"[1] 2", b'["]', b'["\\'],
)
def test_brackets_that_do_not_match_have_no_elements(text: bytes) -> None:
    assert json_text.elements(text) is None


@pytest.mark.parametrize("inside", [b'\\"' * 1000, b"\\" * 1001, b"x\\n" * 1000, b""])
def test_a_string_without_an_end_is_one_token(inside: bytes) -> None:
    # Were it none, each quotation mark in it would be tried anew: a megabyte would take an hour.
    string = re.compile(json_text.TOKEN).search(b'["' + inside, 1)
    assert string is not None
    assert string.span() == (1, 2 + len(inside))


def test_depth_is_counted_outside_strings_and_no_further_than_asked() -> None:
    assert json_text.depth(b'[{"[[[[":[1]},[]]', 100) == 3
    assert json_text.depth(b"[" * 50 + b"]" * 50, 7) == 8
