from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from shared import envelope
from shared.errors import Rejected


def push(data: bytes, **message: Any) -> bytes:
    body = {"messageId": "7", "data": base64.b64encode(data).decode(), **message}
    return json.dumps({"message": body, "subscription": "projects/p/subscriptions/s"}).encode()


def test_a_push_gives_its_bytes_attributes_and_hops() -> None:
    body = push(b"[1]", attributes={"hops": "3", "v": "1"}, publishTime="2026-01-01T00:00:00Z")
    delivery = envelope.decode_push(body)
    assert (delivery.data, delivery.hops, delivery.message_id) == (b"[1]", 3, "7")
    assert delivery.subscription == "projects/p/subscriptions/s"


@pytest.mark.parametrize("hops", ["", "-1", "x", "9" * 50])
def test_hops_that_are_no_count_are_zero(hops: str) -> None:
    assert envelope.decode_push(push(b"", attributes={"hops": hops})).hops == 0


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"message":{}}', b'{"message":{"messageId":"1","data":"%"}}', b"\xff"]
)
def test_what_is_no_push_is_rejected(body: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        envelope.decode_push(body)
    assert caught.value.error_type == "push.undecodable"


def test_one_message_a_batch_and_a_wrapped_batch() -> None:
    assert [bytes(raw) for raw in envelope.unwrap(b'{"a":1}').messages] == [b'{"a":1}']
    assert [bytes(raw) for raw in envelope.unwrap(b' [{"a":1}, 2]').messages] == [b'{"a":1}', b"2"]
    wrapped = b'{"type":"routeMsg","message":[{"a":1}],"options":{"x":1},"route":["writer"]}'
    contents = envelope.unwrap(wrapped)
    assert [bytes(raw) for raw in contents.messages] == [b'{"a":1}']
    assert contents.options == {"x": 1}
    assert contents.route == ["writer"]


def test_a_message_that_only_mentions_a_route_message_is_no_wrapper() -> None:
    data = b'{"type":"deviceDataEventMsg","data":[{"path":"a","value":"\\"routeMsg\\"","x":"routeMsg"}]}'
    assert [bytes(raw) for raw in envelope.unwrap(data).messages] == [data]


POISONS = [
    b'{"a":"\xff"}',
    rb'{"a":"\ud800"}',
    b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"a":NaN, "b" }',
]


@pytest.mark.parametrize("poison", POISONS, ids=range(len(POISONS)))
def test_a_message_that_is_no_json_stays_one_of_its_batch(poison: bytes) -> None:
    batch = b'[{"a":"],"}, ' + poison + b' ,{"b":2}]'
    messages = [b'{"a":"],"}', poison, b'{"b":2}']
    assert [bytes(raw) for raw in envelope.unwrap(batch).messages] == messages
    wrapped = b'{"type": "routeMsg","message":' + batch + b',"options":{"x":1} ,"route":["writer"]}'
    contents = envelope.unwrap(wrapped)
    assert [bytes(raw) for raw in contents.messages] == messages
    assert (contents.options, contents.route) == ({"x": 1}, ["writer"])
    alone = envelope.unwrap(b'{"type":"routeMsg","message":' + poison + b"}")
    assert [bytes(raw) for raw in alone.messages] == [poison]


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"routeMsg","message":[1],"options":"\xff"}',
        b'{"type":"routeMsg","options":"\xff"}',
        b'{"type":"routeMsg","message":[1],"route":',
        b'{"type":"\xff","message":[1],"route":"routeMsg"}',
    ],
)
def test_a_broken_wrapper_is_one_message_to_be_refused(data: bytes) -> None:
    assert [bytes(raw) for raw in envelope.unwrap(data).messages] == [data]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"5",
        b"null",
        b"[1,",
        b"[1,,2]",
        b"[ }",
        b"[1}",
        b"[1] 2",
        b'{"type":"routeMsg","message":5}',
        b"\xff\xfe",
    ],
)
def test_what_holds_no_messages_is_rejected(data: bytes) -> None:
    with pytest.raises(Rejected):
        envelope.unwrap(data)
