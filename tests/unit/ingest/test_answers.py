"""Requests and their answers, through the function's true entry."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import zlib
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Rejected, Transient
from tests.support.ingest import KEY, NETWORK, PROJECT, Ingest, event

EVENTS = Path(__file__).resolve().parents[2] / "events" / "ingest"


async def test_a_sample_becomes_this_message(ingest: Ingest) -> None:
    answer = await ingest.post((EVENTS / "one.json").read_bytes())
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "ids": ["reading-18"]})
    (((data, attributes),),) = ingest.topic.calls
    assert attributes == {"v": "1", "hops": "1", "projectId": PROJECT}
    (message,) = json.loads(data)
    assert message.pop("receivedTime") > 1_700_000_000_000
    assert len(message.pop("hash")) == 22
    assert message == {
        "type": "inboundDataEventMsg",
        "id": "reading-18",
        "time": 1_792_649_730_250,
        "projectId": PROJECT,
        "networkId": NETWORK,
        "aliasKey": "serial",
        "deviceId": "t-1",
        "data": [
            {"path": "temperature", "value": 21.5},
            {"path": "battery/level", "value": 0.83},
            {"path": "engine", "value": {"rpm": 1450, "on": True}},
        ],
    }


async def test_lines_and_arrays_are_taken(ingest: Ingest) -> None:
    lines = (EVENTS / "gateway.ndjson").read_bytes()
    for headers in ({}, {"Content-Type": "application/x-ndjson; charset=utf-8"}):
        answer = await ingest.post(lines, headers=headers)
        assert (answer.status_code, answer.json()) == (202, {"accepted": 3, "ids": ["1", "1", "2"]})
    answer = await ingest.post((EVENTS / "forms.json").read_bytes())
    assert (answer.status_code, answer.json()["accepted"]) == (202, 6)


async def test_bad_events_are_named_and_good_ones_taken(ingest: Ingest) -> None:
    answer = await ingest.post([event(), 5, event(id="x"), {"deviceId": "a", "data": {"a b": 1}}])
    assert answer.status_code == 207
    body = answer.json()
    assert (body["accepted"], body["refused"], len(body["ids"])) == (2, 2, 2)
    assert [(e["index"], e["error"]) for e in body["errors"]] == [
        (1, "event.notAnObject"),
        (3, "event.badPath"),
    ]
    assert all(e["message"] and e["description"] for e in body["errors"])
    assert len(ingest.topic.events) == 2


async def test_where_all_are_bad_nothing_is_published(ingest: Ingest) -> None:
    one = await ingest.post({"deviceId": "a", "data": {"a b": 1}})
    assert (one.status_code, one.json()["error"]) == (400, "event.badPath")
    assert set(one.json()) >= {"status", "error", "message", "description", "errors"}
    two = await ingest.post([1, 2])
    assert (two.status_code, two.json()["error"], two.json()["refused"]) == (400, "events.refused", 2)
    assert ingest.topic.calls == []


async def test_a_time_that_cannot_be_true_is_kept_beside_the_received_one(ingest: Ingest) -> None:
    await ingest.post([event(time="soon"), event(time=17), event(time=None), event()])
    events = ingest.topic.events
    assert [e.get("originalTime") for e in events] == ["soon", 17, None, None]
    assert all(e["time"] == e["receivedTime"] for e in events)


@pytest.mark.parametrize("historical", [True, False])
async def test_what_history_cannot_take_is_refused(ingest: Ingest, historical: bool) -> None:
    old: dict[str, Any] = {"time": "2001-01-01", "historical": historical}
    answer = await ingest.post([event(**old), event()])
    assert answer.status_code == 207
    assert answer.json()["errors"][0]["error"] == "event.tooOld"
    answer = await ingest.post({"deviceId": "t-1", "event": {"time": "2001-01-01"}})
    assert (answer.status_code, answer.json()["error"]) == (400, "event.tooOld")


async def test_event_records_get_type_time_and_id(ingest: Ingest) -> None:
    body = {
        "deviceId": "t-1",
        "id": "7",
        "time": 1_790_000_000_000,
        "event": [{"data": {"x": 1}}, {"type": "visits", "id": "v", "time": "never"}],
    }
    await ingest.post(body)
    await ingest.post([body])
    first, second = ingest.topic.events
    assert first["event"] == second["event"]
    assert len(first["event"][0].pop("id")) == 22
    assert first["event"][0] == {"time": 1_790_000_000_000, "data": {"x": 1}}
    assert first["event"][1] == {
        "type": "visits",
        "id": "v",
        "time": 1_790_000_000_000,
        "originalTime": "never",
    }


async def test_a_repeated_request_repeats_its_ids(ingest: Ingest) -> None:
    headers = {"Idempotency-Key": "order 66"}
    body = [event(), event("t-2"), event(id="mine")]
    first = (await ingest.post(body, headers=headers)).json()["ids"]
    again = (await ingest.post(body, headers=headers)).json()["ids"]
    other = (await ingest.post(body, headers={"Idempotency-Key": "order 67"})).json()["ids"]
    none = (await ingest.post(body)).json()["ids"]
    assert first == again
    assert first[2] == "mine"
    assert len(set(first[:2] + other[:2] + none[:2])) == 6
    for bad in ("", "x" * 256):
        answer = await ingest.post(body, headers={"Idempotency-Key": bad})
        assert (answer.status_code, answer.json()["error"]) == (400, "request.badIdempotencyKey")


async def test_other_paths_and_methods(ingest: Ingest) -> None:
    for path in ("/", "/rcv", "/rcv/", "/rcv/a/b", "/rcv/a%2Fb", "/rcv/a%0A", "/RCV/a", "/health"):
        answer = await ingest.client.post(path, json=event(), headers={"Authorization": "Bearer " + KEY.text})
        assert (answer.status_code, answer.json()["error"]) == (404, "request.unknownPath")
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = await ingest.client.request(method, f"/rcv/{NETWORK}")
        assert (answer.status_code, answer.json()["error"]) == (405, "request.badMethod")
        assert answer.headers["allow"] == "POST"
    assert (await ingest.client.get("/")).status_code == 404
    assert (await ingest.client.head("/")).status_code == 404


async def test_gzip_bodies_and_bombs(ingest: Ingest) -> None:
    plain = json.dumps([event()]).encode()
    zipped = {"Content-Encoding": "gzip"}
    for body in (gzip.compress(plain), gzip.compress(plain[:9]) + gzip.compress(plain[9:])):
        assert (await ingest.post(body, headers=zipped)).status_code == 202
    for body in (plain, gzip.compress(plain)[:-9], gzip.compress(plain) + b"junk", zlib.compress(plain)):
        answer = await ingest.post(body, headers=zipped)
        assert (answer.status_code, answer.json()["error"]) == (400, "request.badGzip")
    many = gzip.compress(plain) + gzip.compress(b"") * 99
    assert (await ingest.post(many, headers=zipped)).status_code == 202
    assert (await ingest.post(many + gzip.compress(b""), headers=zipped)).status_code == 400
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 100_000
    for body in (bomb, gzip.compress(b" " * 600_000) * 2):
        answer = await ingest.post(body, headers=zipped)
        assert (answer.status_code, answer.json()["error"]) == (413, "request.tooLarge")
    answer = await ingest.post(plain, headers={"Content-Encoding": "br"})
    assert (answer.status_code, answer.json()["error"]) == (415, "request.badEncoding")


async def test_a_body_of_more_than_a_megabyte_is_not_read_to_its_end(ingest: Ingest) -> None:
    answer = await ingest.post(b" " * 1_000_001)
    assert (answer.status_code, answer.json()["error"]) == (413, "request.tooLarge")
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 100:
            sent += 1
            yield b" " * 100_000

    headers = {"Authorization": f"Bearer {KEY.text}"}
    answer = await ingest.client.post(f"/rcv/{NETWORK}", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert sent < 20


async def test_an_event_of_more_than_256_kib_is_refused_alone(ingest: Ingest) -> None:
    answer = await ingest.post([event(data={"x": "y" * 262_144}), event()])
    assert answer.status_code == 207
    assert answer.json()["errors"][0]["error"] == "event.tooLarge"
    assert (await ingest.post(event(data={"x": "y" * 261_000}))).status_code == 202


async def test_too_fast_is_429_with_a_time_to_wait_and_nothing_published(ingest: Ingest) -> None:
    ingest.network["rateLimit"] = {"devicePerSecond": 0.01, "networkPerSecond": 100}
    assert (await ingest.post(event())).status_code == 202
    answer = await ingest.post([event(), event("t-2")])
    assert (answer.status_code, answer.json()["error"]) == (429, "rate.exceeded")
    assert 90 <= int(answer.headers["retry-after"]) <= 100
    assert (await ingest.post(event("t-2"))).status_code == 202
    assert len(ingest.topic.events) == 2


async def test_the_rate_of_the_settings_holds_where_the_network_has_none(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULCRUM_RATE_NETWORK_PER_SECOND", "0.01")
    from shared.config import settings

    settings.cache_clear()
    assert (await ingest.post(event())).status_code == 202
    assert (await ingest.post(event("t-2"))).status_code == 429


@pytest.mark.parametrize("error", [Transient("slow"), Rejected("topic.unknown", "gone"), OSError("broken")])
async def test_a_topic_that_fails_is_503(ingest: Ingest, error: Exception) -> None:
    ingest.topic.errors = [error]
    answer = await ingest.post(event())
    assert (answer.status_code, answer.json()["error"]) == (503, "service.unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert (await ingest.post(event())).status_code == 202


async def test_no_answer_before_the_topic_has_confirmed(ingest: Ingest) -> None:
    ingest.topic.gate = asyncio.Event()
    posted = asyncio.ensure_future(ingest.post(event()))
    await ingest.topic.called.wait()
    await asyncio.sleep(0.01)
    assert not posted.done()
    ingest.topic.gate.set()
    assert (await posted).status_code == 202


async def test_the_unexpected_is_logged_and_never_shown(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("functions.ingest.assemble.batch", broken)
    answer = await ingest.post(event())
    assert (answer.status_code, answer.json()["error"]) == (500, "service.failed")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "secret detail" in capsys.readouterr().err


async def test_one_line_a_batch_and_never_a_key(
    ingest: Ingest, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await ingest.post([event(), event()], headers={"X-Cloud-Trace-Context": "abc/1;o=1"})
    await ingest.post(event(), key=KEY.text + "x")
    out = capsys.readouterr().err
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["severity"], line["message"]) for line in lines] == [
        ("INFO", "events published"),
        ("NOTICE", "request refused"),
    ]
    assert (lines[0]["events"], lines[0]["requests"], lines[0]["published"]) == (2, 1, ["m1-0"])
    assert [name.partition("/")[0] for name in lines[0]["eventIds"]] == ["farm", "farm"]
    assert lines[0]["time"].endswith("+00:00")
    assert lines[0]["logging.googleapis.com/trace"].endswith("/traces/abc")
    assert KEY.secret not in out + caplog.text
