"""Bodies to events: what is refused as a whole, what by its place, and by which name."""

from __future__ import annotations

import json

import pytest

from functions.ingest import decode, split
from functions.ingest.split import Fault
from shared.errors import ApiError

GOOD = b'{"deviceId":"a","data":{"x":1}}'

# text of one event -> the name under which it is refused
BAD_EVENTS = {
    b'{"deviceId":"a","data":{"x":NaN}}': "event.notANumber",
    b'{"deviceId":"a","data":{"x":Infinity}}': "event.notANumber",
    b'{"deviceId":"a","data":{"x":[-Infinity]}}': "event.notANumber",
    b'{"deviceId":"a","data":{"x":1e999}}': "event.numberTooLarge",
    b'{"deviceId":"a","data":{"x":-1e999}}': "event.numberTooLarge",
    b'{"deviceId":"a","data":{"x":' + b"9" * 5000 + b"}}": "event.integerTooLarge",
    rb'{"deviceId":"a","data":{"x":"\ud800"}}': "event.loneSurrogate",
    rb'{"deviceId":"a","data":{"x":"\udc00 later"}}': "event.loneSurrogate",
    rb'{"deviceId":"a","data":{"\ud800":1}}': "event.loneSurrogate",
    b'{"deviceId":"a","data":{"x":1,"x":2}}': "event.duplicateKey",
    b'{"deviceId":"a","deviceId":"b","data":{"x":1}}': "event.duplicateKey",
    rb'{"deviceId":"a","data":{"x":1,"\u0078":1}}': "event.duplicateKey",
    b'{"deviceId":"a","data":{"x":[{"y": 1 , "y" :2}]}}': "event.duplicateKey",
    b'{"deviceId":"a","data":{"x":":","x":"\\":"}}': "event.duplicateKey",
    b'{"deviceId":"a","data":{"x":"\xff"}}': "event.notUtf8",
    b'{"deviceId":"a","data":{"\xc3":[1,"\xed\xa0\x80"]}}': "event.notUtf8",
    b'{"deviceId":"a","data":{"x":"\xff","y":NaN}}': "event.notANumber",
    b'{"deviceId":"a","data":{"x":' + b"[" * 5000 + b"]" * 5000 + b"}}": "event.tooDeep",
    b'{"deviceId":"a","data":' + b'{"x":' * 5000 + b"1" + b"}" * 5000 + b"}": "event.tooDeep",
}


def names(events: list[object]) -> list[str]:
    return [event.error if isinstance(event, Fault) else "" for event in events]


@pytest.mark.parametrize(("text", "name"), BAD_EVENTS.items(), ids=range(len(BAD_EVENTS)))
def test_a_bad_event_is_named_alone_in_an_array_and_in_lines(text: bytes, name: str) -> None:
    assert names(decode.parse(text, False)) == [name]
    assert names(decode.parse(b"[" + GOOD + b", " + text + b" ," + GOOD + b"]", False)) == ["", name, ""]
    assert names(decode.parse(GOOD + b"\n" + text + b"\r\n\n" + GOOD, True)) == ["", name, ""]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"nope",
        b"[",
        b"{",
        b"[]",
        b"17",
        b'"text"',
        b"null",
        GOOD[:-1],
        b"[" + GOOD,
        b"[" + GOOD + b",]",
        b"[" + GOOD + b"]]",
        b"[" + GOOD + b"] x",
        GOOD + b" x",
        b'{"deviceId":"\xff"',
        b'[{"deviceId":"a"},{"deviceId":"\xff" 1}]',
        b'[{"deviceId":"' + b'\\"' * 400_000,
        b'{"deviceId":"' + b'\\"' * 400_000,
        b"\xef\xbb\xbf" + GOOD,
        b'{"a" 1}',
        b"[{]}",
        b"[" * 100_000,
        GOOD.decode().encode("utf-16"),
    ],
)
def test_a_body_that_is_not_json_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        decode.parse(body, False)
    assert (caught.value.status, caught.value.error) == (400, "request.undecodable")


@pytest.mark.parametrize("lines", [False, True])
def test_nesting_at_the_limit_of_the_decoder_is_too_deep(lines: bool) -> None:
    # Where the decoder gives up depends on the stack. What it still takes must not break what follows.
    for depth in range(800, 1_001):
        body = b'{"a":' * depth + b"1" + b"}" * depth
        assert names(decode.parse(body, lines)) in ([""], ["event.tooDeep"])


def test_lines_are_understood_without_their_content_type() -> None:
    body = GOOD + b"\n" + GOOD + b"\r\n" + b'{"deviceId": \n'
    assert names(decode.parse(body, False)) == ["", "", "event.undecodable"]


def test_a_bad_line_spoils_no_other() -> None:
    body = b"garbage\n" + GOOD + b'\n{"deviceId":"\xff"}\nnull\n[1,2]'
    events = decode.parse(body, True)
    assert names(events)[:4] == ["event.undecodable", "", "event.notUtf8", "event.notAnObject"]
    assert events[4] == [1, 2]


def test_pretty_printed_json_is_one_event() -> None:
    body = json.dumps(json.loads(GOOD), indent=2).encode()
    assert decode.parse(body, False) == [json.loads(GOOD)]


@pytest.mark.parametrize("lines", [False, True])
def test_more_than_500_events_are_too_many(lines: bool) -> None:
    def body(count: int, last: bytes = GOOD) -> bytes:
        events = [GOOD] * (count - 1) + [last]
        return b"\n".join(events) if lines else b"[" + b",".join(events) + b"]"

    assert len(decode.parse(body(500), lines)) == 500
    for last in (GOOD, b'{"x":NaN}'):
        with pytest.raises(ApiError) as caught:
            decode.parse(body(501, last), lines)
        assert (caught.value.status, caught.value.error) == (413, "request.tooManyEvents")
        assert "501" in caught.value.message


def test_members_are_counted_outside_strings_only() -> None:
    for value in ({"a": ":", "b": '":', "c": {"d": [{"e": 1}, [], {"f": "\\"}]}}, {"": ""}, [], [[{"a": 1}]]):
        for text in (json.dumps(value), json.dumps(value, indent=3)):
            assert split.members_in_text(text.encode()) == split.members(value)
