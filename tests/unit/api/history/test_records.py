"""Event records and acknowledgements made through the API, and the state of a device at a past instant."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from functions.transponder.decode import decode
from shared import clock
from shared.envelope import Delivery
from shared.messages import DeviceDataEvent, DeviceEventAck
from tests.support.history import DAY, History, at, event
from tests.unit.api.history.conftest import Farm, Published

UPDATE, READ = "device.updateEvents", "device.readEvents"
EVENTS = "/v1/device/d1/events"


def decoded(message: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(message), type=DeviceDataEvent | DeviceEventAck)


async def test_an_event_goes_through_the_pipeline_and_is_acknowledged(
    farm: Farm, history: History, published: Published
) -> None:
    async with farm.api.client(farm.token(UPDATE, READ)) as http:
        created = await http.post(EVENTS, json={"type": "alarm", "data": {"level": 2}})
        assert created.status_code == 202, created.text
        made = created.json()
        acked = await http.post(f"{EVENTS}/{made['id']}/ack", json={"type": "alarm", "data": {"note": "ok"}})
        assert acked.status_code == 202, acked.text
        bare = await http.post(f"{EVENTS}/{made['id']}/ack")
        assert bare.status_code == 202, bare.text
        topics = [(topic, attributes["projectId"]) for topic, _, attributes in published.messages]
        assert topics == [("writer", farm.project)] * 3
        messages = [decoded(message) for _, message, _ in published.messages]
        assert (messages[0].system_id, messages[0].blueprint_id, messages[0].network_id) == ("s1", "b1", "n1")
        assert messages[0].kind == "data"
        history.write(*messages)
        listed = await http.get(EVENTS, params={"start": made["time"], "end": made["time"] + 1000})
        (found,) = listed.json()["items"]
        assert {key: found[key] for key in made if key != "ack"} == made
        assert found["ack"] == {**acked.json()}
        assert found["userId"] == found["ack"]["userId"]


async def test_the_transponder_takes_what_is_published(farm: Farm, published: Published) -> None:
    async with farm.api.client(farm.token(UPDATE)) as http:
        made = (await http.post(EVENTS, json={"type": "alarm", "time": DAY, "data": [1, {"a": 5.0}]})).json()
        await http.post(f"{EVENTS}/{made['id']}/ack", json={"type": "alarm"})
    for index, (_, message, attributes) in enumerate(published.messages):
        delivery = Delivery("m1", msgspec.json.encode(message), attributes, "writer-transponder", "", 1)
        batch = decode(delivery, clock.now_ms())
        assert batch.refusals == []
        (row,) = batch.arrivals[0].rows
        assert (row["record_id"], row["event_type"]) == (made["id"], "alarm")
        assert row["kind"] == ("event", "ack")[index]
        assert (row["system_id"], row["source"]) == ("s1", "api")


async def test_a_key_makes_one_event_however_often_it_is_sent(farm: Farm, published: Published) -> None:
    headers = {"Idempotency-Key": "door-17"}
    async with farm.api.client(farm.token(UPDATE)) as http:
        sent = [http.post(EVENTS, json={"data": {"a": 1}}, headers=headers) for _ in range(8)]
        answers = await asyncio.gather(*sent)
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.text for answer in answers}) == 1
        other = await http.post(EVENTS, json={"data": {"a": 2}}, headers=headers)
        assert other.status_code == 422
        assert other.json()["error"] == "idempotency.reused"
        elsewhere = await http.post("/v1/device/d2/events", json={"data": {"a": 2}}, headers=headers)
        assert elsewhere.json()["id"] != answers[0].json()["id"]
    identities = {(m["id"], m["hash"], m["time"], m["event"][0]["id"]) for _, m, _ in published.messages[:8]}
    assert len(identities) == 1


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"time": 5}, 400),
        ({"time": DAY + 20 * 86_400_000}, 400),
        ({"time": "soon"}, 400),
        ({"id": "mine"}, 400),
        ({"type": "a b"}, 400),
        ({"type": ""}, 400),
        ({"start": 5}, 400),
        ({"data": "x" * 600_000}, 400),
        ({"data": _nested(33)}, 400),
        ({"data": _nested(700)}, 400),
        ([], 400),
    ],
    ids=lambda item: str(item)[:40],
)
async def test_a_bad_event_is_refused_and_not_published(
    body: Any, status: int, farm: Farm, published: Published
) -> None:
    async with farm.api.client(farm.token(UPDATE)) as http:
        answer = await http.post(EVENTS, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["description"]
    assert published.messages == []


async def test_who_may_not_or_asks_for_nothing_publishes_nothing(farm: Farm, published: Published) -> None:
    async with farm.api.client(farm.token(READ)) as http:
        assert (await http.post(EVENTS, json={})).status_code == 403
        assert (await http.post(f"{EVENTS}/e1/ack", json={})).status_code == 403
    async with farm.api.client(farm.token(UPDATE, on=("system", "s2"))) as http:
        assert (await http.post(EVENTS, json={})).status_code == 403
        assert (await http.post("/v1/device/d3/events", json={})).status_code == 202
    async with farm.api.client(farm.token(UPDATE)) as http:
        assert (await http.post("/v1/device/nowhere/events", json={})).status_code == 404
        assert (await http.post("/v1/device/gone/events/e1/ack", json={})).status_code == 410
        assert (await http.post(f"{EVENTS}/{'x' * 201}/ack", json={})).status_code == 400
    assert len(published.messages) == 1


async def test_what_is_not_confirmed_is_not_said_to_be_done(farm: Farm, published: Published) -> None:
    published.fails = True
    async with farm.api.client(farm.token(UPDATE)) as http:
        key = {"Idempotency-Key": "once"}
        failed = await http.post(EVENTS, json={}, headers=key)
        acked = await http.post(f"{EVENTS}/e1/ack", json={})
        published.fails = False
        again = await http.post(EVENTS, json={}, headers=key)
    assert (failed.status_code, acked.status_code, again.status_code) == (503, 503, 202)
    assert len(published.messages) == 1


async def test_the_state_of_a_device_at_a_past_instant(farm: Farm, history: History) -> None:
    first, second = at("10:00:00.0"), at("11:00:00.0")
    history.write(
        event(farm.project, first, {"a/b": 1, "c": "x"}),
        event(farm.project, second, {"a/b": 2}),
        event(farm.project, second, {"a/b": 3}, historical=True),
        event(f"other-{farm.project}", first, {"a/b": 1000}),
    )
    path = "/v1/device/d1/getHistorical"
    async with farm.api.client(farm.token("device.readHistory")) as http:

        async def state(when: int | str) -> dict[str, Any]:
            answer = await http.get(path, params={"at": when})
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found

        assert await state(first - 1) == {"deviceId": "d1", "at": first - 1, "data": {}}
        then = await state(clock.from_ms(first).isoformat())
        assert then == {
            "deviceId": "d1",
            "at": first,
            "lastEventTime": first,
            "data": {"a": {"b": 1}, "c": "x"},
        }
        assert (await state(second))["data"] == {"a": {"b": 2}, "c": "x"}
        assert (await http.get(path, params={"at": "then"})).status_code == 400
        assert (await http.get(path)).status_code == 400
        history.faults({"method": "jobs.insert", "error_rate": 1.0, "code": "UNAVAILABLE"})
        assert (await http.get(path, params={"at": second})).status_code == 503
