"""Messages to devices at ingest: who may answer and fetch, and what an answer becomes."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from shared import keys, outbound_store
from shared.errors import Transient
from tests.support.ingest import KEY, NETWORK, PROJECT, TOKEN, Ingest

ACK = {"msgId": "m1", "deviceId": "t-1"}


async def _ask(
    ingest: Ingest,
    method: str,
    path: str,
    body: Any = None,
    key: keys.Credential | None = KEY,
    **headers: str,
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    sent = {name.replace("_", "-"): value for name, value in headers.items()} | (
        {"Authorization": f"Bearer {key.text}"} if key is not None else {}
    )
    return await ingest.client.request(method, path, content=content, headers=sent)


async def test_an_answer_is_published_as_it_was_given(ingest: Ingest) -> None:
    lines = (
        b'{"msgId":"m1","deviceId":"t-1"}\n{"msgId":"m2","deviceId":"x","aliasKey":"imei","status":"sent"}'
    )
    for body in (ACK, [ACK], gzip.compress(json.dumps(ACK).encode()), lines):
        headers = {"content_encoding": "gzip"} if body is not lines and isinstance(body, bytes) else {}
        answer = await _ask(ingest, "POST", f"/ack/{NETWORK}", body, KEY, **headers)
        assert answer.status_code == 202, answer.text
    first, last = ingest.topic.events[0], ingest.topic.events[-1]
    assert first == {
        "type": "inboundAckMsg",
        "msgId": "m1",
        "receivedTime": first["receivedTime"],
        "projectId": PROJECT,
        "networkId": NETWORK,
        "aliasKey": "serial",
        "deviceId": "t-1",
    }
    assert (last["msgId"], last["aliasKey"], last["status"]) == ("m2", "imei", "sent")
    assert {attributes["projectId"] for call in ingest.topic.calls for _, attributes in call} == {PROJECT}


async def test_a_devices_own_token_answers_for_it_alone(ingest: Ingest) -> None:
    path = f"/ack/{NETWORK}"
    assert (await _ask(ingest, "POST", path, ACK, TOKEN)).status_code == 202
    both = await _ask(ingest, "POST", path, [ACK, {"msgId": "m1", "deviceId": "t-2"}], TOKEN)
    assert (both.status_code, both.json()["error"]) == (403, "auth.otherDevice")
    assert len(ingest.topic.events) == 1
    for wrong, status in ((None, 401), (keys.make("fk"), 401), (keys.make("ft"), 401)):
        assert (await _ask(ingest, "POST", path, ACK, wrong)).status_code == status
    assert (await _ask(ingest, "GET", path)).status_code == 405


@pytest.mark.parametrize("body", [b"", b"[]", b"no JSON", b'"m1"', b'[{"msgId": "m1", "deviceId": "t-1"}'])
async def test_a_body_that_holds_no_answer_is_refused(ingest: Ingest, body: bytes) -> None:
    answer = await _ask(ingest, "POST", f"/ack/{NETWORK}", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "request.undecodable")
    assert ingest.topic.calls == []


async def test_while_a_store_or_topic_fails_nobody_is_told_that_it_is_taken(ingest: Ingest) -> None:
    ingest.topic.errors.append(Transient("UNAVAILABLE"))
    assert (await _ask(ingest, "POST", f"/ack/{NETWORK}", ACK)).status_code == 503
    assert (await _ask(ingest, "POST", f"/ack/{NETWORK}", ACK)).status_code == 202


async def test_who_may_not_fetches_nothing(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> list[Any]:
        raise AssertionError("the messages were looked for")

    async def nothing(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(outbound_store, "of_device", never)
    path = f"/out/{NETWORK}/t-1"
    for wrong in (None, keys.make("fk"), keys.make("ft")):
        assert (await _ask(ingest, "GET", path, key=wrong)).status_code == 401
    refused = await _ask(ingest, "GET", path)
    assert (refused.status_code, refused.json()["error"]) == (409, "network.noPoll")
    # Ingest sees a change of the network some seconds later.
    from functions.ingest import receive

    receive.parts.cache_clear()
    ingest.network["outbound"] = {"transport": "poll"}
    assert (await _ask(ingest, "GET", f"/out/{NETWORK}/t-2", key=TOKEN)).status_code == 403
    monkeypatch.setattr(outbound_store, "of_device", nothing)
    for key in (KEY, TOKEN):
        assert (await _ask(ingest, "GET", path, key=key)).json() == {"messages": []}


async def test_who_fetches_too_often_waits(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(outbound_store, "of_device", nothing)
    ingest.network.update({"outbound": {"transport": "poll"}, "rateLimit": {"devicePerSecond": 1}})
    path = f"/out/{NETWORK}/t-1"
    statuses = [(await _ask(ingest, "GET", path)).status_code for _ in range(3)]
    assert (statuses[0], statuses[-1]) == (200, 429)


async def test_a_store_that_fails_while_messages_are_fetched_is_said_so(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: Any) -> list[Any]:
        raise Transient("UNAVAILABLE")

    monkeypatch.setattr(outbound_store, "of_device", failing)
    ingest.network["outbound"] = {"transport": "poll"}
    answer = await _ask(ingest, "GET", f"/out/{NETWORK}/t-1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
