"""The message processor through its true entry: who gets what, and what becomes of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fulcrum.core import ids
from shared import clock, names
from shared.errors import Transient
from tests.support.processing import Service, push
from tests.unit.message_processor.conftest import NETWORK, PROJECT, add_device, event


async def test_a_known_device_gets_all_its_ids_and_goes_to_the_writer(service: Service) -> None:
    sent = event(originalTime="2025-10-09", historical=True, source="x", userId="u", event=[{"type": "a"}])
    assert await service.post(push([sent], {"hops": "2", "projectId": PROJECT})) == 204
    ((data, attributes),) = service.topics.to("writer")
    assert data == {
        "type": "deviceDataEventMsg",
        "id": "e1",
        "hash": "h1",
        "time": sent["time"],
        "receivedTime": sent["receivedTime"],
        "projectId": PROJECT,
        "deviceId": "d1",
        "systemId": "s1",
        "blueprintId": "b1",
        "networkId": NETWORK,
        "originalTime": "2025-10-09",
        "historical": True,
        "data": [{"path": "t", "value": 21.5}],
        "event": [{"type": "a"}],
        "source": "x",
        "userId": "u",
    }
    assert attributes == {"v": "1", "hops": "3", "projectId": PROJECT}


async def test_a_batch_goes_on_as_one_message_in_its_order(service: Service) -> None:
    batch = [event(f"t-{1 + i % 2}", id=f"e{i}") for i in range(10)]
    assert await service.post(push(batch)) == 204
    ((data, _),) = service.topics.to("writer")
    assert [item["id"] for item in data] == [f"e{i}" for i in range(10)]
    assert [item["deviceId"] for item in data] == ["d1", "d2"] * 5
    assert service.topics.calls == ["writer"]


async def test_without_network_and_alias_key_the_id_is_the_platforms_own(service: Service) -> None:
    batch = [
        event("d1", networkId=None, aliasKey=None),
        event("d2", aliasKey=None),
        event("d2", aliasKey=None, networkId="other-net"),
    ]
    assert await service.post(push(batch)) == 204
    assert [e["deviceId"] for e in service.topics.events("writer")] == ["d1", "d2"]


@pytest.mark.parametrize(
    ("message", "error_type"),
    [
        (event(networkId=None), "message.noNetwork"),
        (event(projectId="a/b"), "message.badProject"),
        (event(id=None), "message.undecodable"),
        (event(time="now"), "message.undecodable"),
        ({"type": "emailMsg"}, "message.unknownType"),
        ({"type": "deviceDataEventMsg", "id": "x"}, "message.unknownType"),
        ({"id": "e1"}, "message.undecodable"),
        (5, "message.undecodable"),
        (["x"], "message.undecodable"),
    ],
)
async def test_a_bad_message_is_set_aside_and_the_rest_goes_on(
    service: Service, message: Any, error_type: str
) -> None:
    batch = [event(id="e0"), message, event("t-2", id="e2")]
    assert await service.post(push(batch, {"projectId": PROJECT}, "m7")) == 204
    assert [e["id"] for e in service.topics.events("writer")] == ["e0", "e2"]
    ((data, attributes),) = service.topics.to("quarantine")
    assert data == message
    assert attributes["errorType"] == error_type
    assert attributes["service"] == "message_processor"
    assert attributes["topic"] == "default-processor"
    assert (attributes["sourceMessageId"], attributes["index"]) == ("m7", "1")
    assert attributes["projectId"] == PROJECT


@pytest.mark.parametrize("data", [b"", b"5", b"not json", b'[{"type"', b"\xff\xfe", b'"x"'])
async def test_what_cannot_be_split_is_set_aside_whole(service: Service, data: bytes) -> None:
    assert await service.post(push(data)) == 204
    ((topic, kept, attributes),) = service.topics.published
    assert (topic, kept, attributes["errorType"]) == ("quarantine", data, "message.undecodable")


async def test_an_empty_batch_is_done_at_once(service: Service) -> None:
    assert await service.post(push([])) == 204
    assert service.topics.published == []


@pytest.mark.parametrize("body", [b"", b"{}", b"hello", b'{"message": {"data": "%"}}'])
async def test_what_is_no_push_is_refused(service: Service, body: bytes) -> None:
    assert await service.post(body) == 400
    assert service.topics.published == []


async def test_a_message_that_passed_too_many_services_is_cut(service: Service) -> None:
    assert await service.post(push([event()], {"hops": "16"})) == 204
    assert await service.post(push([event()], {"hops": "17", "projectId": PROJECT})) == 204
    assert [a["hops"] for _, a in service.topics.to("writer")] == ["17"]
    ((data, attributes),) = service.topics.to("quarantine")
    assert data == [event()]
    assert (attributes["errorType"], attributes["projectId"]) == ("route.loop", PROJECT)


async def test_an_acknowledgement_goes_to_the_writer_with_its_ids(service: Service) -> None:
    ack = {
        "type": "deviceEventAckMsg",
        "id": "r1",
        "time": 1,
        "receivedTime": 2,
        "projectId": PROJECT,
        "deviceId": "d1",
        "eventType": "alarm",
        "data": {"note": "seen"},
    }
    assert await service.post(push(ack)) == 204
    ((data, _),) = service.topics.to("writer")
    assert data == {**ack, "systemId": "s1", "blueprintId": "b1"}


def _record(service: Service, value: str, key: str = "serial") -> dict[str, Any]:
    return service.documents.stored[names.unknown_device(PROJECT, NETWORK, key, value)]


async def test_unknown_devices_are_dropped_and_recorded(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = [
        event("x-1", receivedTime=2000, id="a"),
        event("t-1"),
        event("x-1", receivedTime=1000, id="b"),
        event("x-2", receivedTime=3000),
    ]
    assert await service.post(push(batch)) == 204
    assert [e["deviceId"] for e in service.topics.events("writer")] == ["d1"]
    record = _record(service, "x-1")
    assert (record["firstSeen"], record["lastSeen"], record["count"]) == (1000, 2000, 2)
    assert (record["networkId"], record["aliasKey"], record["value"]) == (NETWORK, "serial", "x-1")
    assert json.loads(record["sample"])["id"] == "b"
    assert clock.to_ms(record["expireAt"]) == 2000 + 30 * 86_400_000
    assert service.documents.writes == [
        [names.unknown_device(PROJECT, NETWORK, "serial", v) for v in ("x-1", "x-2")]
    ]
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (line["unknown"], line["forwarded"], line["unknownSample"]) == (3, 1, [NETWORK, "serial", "x-1"])
    assert await service.post(push([event("x-1", receivedTime=500)])) == 204
    assert (_record(service, "x-1")["firstSeen"], _record(service, "x-1")["count"]) == (500, 3)


async def test_a_long_sample_keeps_its_beginning(service: Service) -> None:
    assert await service.post(push([event("x-1", data=[{"path": "t", "value": "é" * 20_000}])])) == 204
    sample = json.loads(_record(service, "x-1")["sample"])
    assert sample["truncated"] > 40_000
    assert sample["head"].startswith('{"type"')


@pytest.mark.parametrize(
    "change",
    [
        lambda docs: docs[names.device(PROJECT, "d1")].update(deleted=True),
        lambda docs: docs.pop(names.device(PROJECT, "d1")),
        lambda docs: docs[names.alias(NETWORK, "serial", "t-1")].update(projectId="other"),
        lambda docs: docs[names.alias(NETWORK, "serial", "t-1")].update(networkId="other-net"),
        lambda docs: docs[names.alias(NETWORK, "serial", "t-1")].update(deviceId="a/b"),
    ],
)
async def test_a_deleted_or_foreign_device_is_unknown(service: Service, change: Any) -> None:
    change(service.documents.stored)
    assert await service.post(push([event(), event("t-2")])) == 204
    assert [e["deviceId"] for e in service.topics.events("writer")] == ["d2"]
    assert _record(service, "t-1")["count"] == 1


async def test_an_unknown_internal_id_is_recorded_too(service: Service) -> None:
    await service.post(
        push([event("nobody", networkId=None, aliasKey=None), event("a/b", networkId=None, aliasKey=None)])
    )
    record = service.documents.stored[names.unknown_device(PROJECT, "", "", "nobody")]
    assert (record["networkId"], record["count"]) == (None, 1)
    assert len(service.documents.writes[0]) == 2


async def test_a_redelivery_publishes_the_same_again(service: Service) -> None:
    body = push([event(), {"type": "x"}])
    assert [await service.post(body), await service.post(body)] == [204, 204]
    first, second = service.topics.to("writer")
    assert first == second
    (_, one), (_, two) = service.topics.to("quarantine")
    assert {k: v for k, v in one.items() if k != "time"} == {k: v for k, v in two.items() if k != "time"}


async def test_a_failing_store_or_topic_has_the_batch_delivered_again(service: Service) -> None:
    body = push([event(), event("x-1"), {"type": "bad"}])
    service.documents.read_errors.append(Transient("down"))
    assert await service.post(body) == 500
    service.topics.errors["writer"] = [Transient("down")]
    assert await service.post(body) == 500
    assert service.documents.writes == []
    service.topics.errors["quarantine"] = [Transient("down")]
    assert await service.post(body) == 500
    assert service.documents.writes == []
    service.documents.write_errors.append(Transient("down"))
    assert await service.post(body) == 500
    assert await service.post(body) == 204
    assert _record(service, "x-1")["count"] == 1


async def test_contended_records_are_written_again_and_only_they(service: Service) -> None:
    service.documents.codes = [10, 0]
    assert await service.post(push([event("x-1"), event("x-2")])) == 204
    assert (_record(service, "x-1")["count"], _record(service, "x-2")["count"]) == (1, 1)
    service.documents.codes = [10] * 4
    assert await service.post(push([event("x-1")])) == 500


async def test_two_names_of_one_record_do_not_spoil_each_other(service: Service) -> None:
    # An empty alias key and none at all lead to the same record.
    assert await service.post(push([event("x", aliasKey=""), event("x", aliasKey=None)])) == 204
    assert _record(service, "x", "")["count"] == 2


async def test_an_unexpected_error_has_the_batch_delivered_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ids, "digest", lambda *_: 1 / 0)
    assert await service.post(push([event()])) == 500


async def test_large_batches_are_split_at_a_megabyte(service: Service) -> None:
    batch = [event(id=f"e{i}", data=[{"path": "t", "value": "x" * 100_000}]) for i in range(25)]
    assert await service.post(push(batch)) == 204
    parcels = service.topics.to("writer")
    assert len(parcels) == 3
    assert max(len(json.dumps(data, separators=(",", ":"))) for data, _ in parcels) <= 1_000_000
    assert [e["id"] for e in service.topics.events("writer")] == [f"e{i}" for i in range(25)]
    assert service.topics.calls == ["writer"]


async def test_batches_of_more_than_500_are_split(service: Service) -> None:
    assert await service.post(push([event(id=f"e{i}") for i in range(1201)])) == 204
    assert [len(data) for data, _ in service.topics.to("writer")] == [500, 500, 201]


async def test_a_batch_of_two_projects_goes_on_as_two_messages(service: Service) -> None:
    service.documents.stored[names.device("p2", "dx")] = {"networkId": "n2"}
    batch = [event(), event("dx", projectId="p2", networkId=None, aliasKey=None)]
    assert await service.post(push(batch)) == 204
    sent = service.topics.to("writer")
    assert [(data["projectId"], attributes["projectId"]) for data, attributes in sent] == [
        (PROJECT, PROJECT),
        ("p2", "p2"),
    ]


async def test_a_message_without_project_takes_its_aliass(service: Service) -> None:
    assert await service.post(push([event(projectId=None), event("x-9", projectId=None)])) == 204
    assert [e["projectId"] for e in service.topics.events("writer")] == [PROJECT]
    unknown = names.unknown_device(names.NO_PROJECT, NETWORK, "serial", "x-9")
    assert service.documents.stored[unknown]["count"] == 1


async def test_devices_without_blueprint_or_with_a_missing_one_go_to_the_writer(service: Service) -> None:
    add_device(service, "d3", "t-3", blueprintId=None)
    add_device(service, "d4", "t-4", blueprintId="gone")
    assert await service.post(push([event("t-3"), event("t-4")])) == 204
    assert len(service.topics.events("writer")) == 2


@pytest.mark.parametrize("field", ["time", "receivedTime"])
@pytest.mark.parametrize("ms", [-1, 253_370_764_800_001, 10**18, 10**30])
async def test_a_time_that_no_calendar_has_costs_its_own_event_alone(
    service: Service, field: str, ms: int
) -> None:
    batch = [event(), event("nobody's", **{field: ms}), event(id="e2")]
    assert await service.post(push(batch)) == 204
    assert [e["id"] for e in service.topics.events("writer")] == ["e1", "e2"]
    ((data, attributes),) = service.topics.to("quarantine")
    assert (data, attributes["errorType"], attributes["index"]) == (batch[1], "message.undecodable", "1")


async def test_text_that_is_no_unicode_costs_its_own_event_alone(service: Service) -> None:
    good, other = json.dumps(event()).encode(), json.dumps(event(id="e2")).encode()
    poison = json.dumps(event(id="?")).encode().replace(b'"?"', rb'"\ud800"')
    assert await service.post(push(b"[" + b",".join([good, poison, other]) + b"]")) == 204
    assert [e["id"] for e in service.topics.events("writer")] == ["e1", "e2"]
    assert [a["index"] for _, a in service.topics.to("quarantine")] == ["1"]
