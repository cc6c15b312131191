"""What a delivery does to state and history, through the function's true entry."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.core import ids
from tests.support.transponder import T, Transponder, event, push, sets


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Transponder:
    return Transponder(monkeypatch)


async def test_paths_are_merged_and_every_event_is_one_row(service: Transponder) -> None:
    service.firestore.put(name="truck", systemId="s")
    assert await service.push([event("1", data=sets({"a/b": 1})), event("2", data=sets({"a/c": 2}))]) == 204
    device = service.firestore.device()
    assert device["data"] == {"a": {"b": 1, "c": 2}}
    assert (device["firstSeen"], device["lastSeen"], device["lastEventTime"]) == (T + 5, T + 5, T)
    assert device["name"] == "truck"
    assert [(row["event_id"], row["kind"], row["message_id"]) for row in service.history.rows] == [
        ("1", "data", "m1"),
        ("2", "data", "m1"),
    ]


async def test_a_batch_costs_one_read_one_append_one_write_and_warm_no_read(service: Transponder) -> None:
    devices = [service.firestore.put(f"d{n}") for n in range(50)]
    for turn in range(2):
        batch = [event(f"{turn}-{n}", f"d{n % 50}", time=T + turn, data=sets({"a": n})) for n in range(100)]
        assert await service.push(batch) == 204
    assert [sorted(names) for names in service.firestore.reads] == [sorted(devices)]
    assert [sorted(names) for names in service.firestore.writes] == [sorted(devices)] * 2
    assert service.history.calls == 2


async def test_only_changed_keys_are_written(service: Transponder) -> None:
    service.firestore.put()
    await service.push(event("1", data=sets({"a": 1, "b": {"c": 1}, "0x": 1})))
    seen: list[Any] = []
    service.firestore.before_write.append(lambda writes: seen.extend(writes))
    change = [{"path": "b", "op": "delete"}, {"path": "0x", "value": [[1], 2]}]
    await service.push(event("2", time=T + 1, receivedTime=T + 6, data=change))
    (write,) = seen
    paths = set(write.update_mask.field_paths)
    assert paths == {"data.b", "data.`0x`", "registers", "lastSeen", "lastEventTime"}
    assert set(write.update.fields["data"].map_value.fields) == {"0x"}
    assert service.firestore.device()["data"] == {"a": 1, "0x": [[1], 2]}


async def test_a_redelivery_changes_nothing_and_writes_nothing(service: Transponder) -> None:
    service.firestore.put()
    batch = [event("1", data=sets({"a": 1})), event("2", time=T + 1, data=sets({"a": 2}))]
    await service.push(batch)
    before = dict(service.firestore.device())
    await service.push(batch)
    assert service.firestore.device() == before
    assert len(service.firestore.writes) == 1
    assert len(service.history.rows) == 4


async def test_historical_goes_to_history_alone(service: Transponder) -> None:
    service.firestore.put()
    assert await service.push(event("1", historical=True, data=sets({"a": 1}))) == 204
    assert service.firestore.device() == {}
    assert [(row["historical"], row["data"]) for row in service.history.rows] == [(True, '{"a":1}')]


async def test_an_input_is_only_a_row(service: Transponder) -> None:
    assert await service.push(event("1", kind="input", data=sets({"a": 1}))) == 204
    assert [row["kind"] for row in service.history.rows] == ["input"]
    assert service.firestore.reads == []


async def test_event_records_and_acknowledgements_are_rows(service: Transponder) -> None:
    service.firestore.put()
    ack = {
        "type": "deviceEventAckMsg",
        "id": "r1",
        "time": T,
        "receivedTime": T,
        "projectId": "farm",
        "deviceId": "d1",
        "userId": "u",
        "eventType": "alarm",
    }
    records = [{"type": "alarm", "id": "r1", "data": {"level": 1}}]
    assert await service.push([event("1", event=records), ack]) == 204
    assert [(r["kind"], r["record_id"], r["event_type"]) for r in service.history.rows] == [
        ("event", "r1", "alarm"),
        ("ack", "r1", "alarm"),
    ]
    assert service.firestore.device()["lastSeen"] == T + 5
    assert "data" not in service.firestore.device()


async def test_a_device_that_is_gone_is_dropped_and_never_made(service: Transponder) -> None:
    service.firestore.put("d2")
    batch = [event("1", "gone", data=sets({"a": 1})), event("2", "d2", data=sets({"a": 2}))]
    assert await service.push(batch) == 204
    assert list(service.firestore.documents) == [service.firestore.put("d2")]
    assert [row["event_id"] for row in service.history.rows] == ["2"]
    assert service.topics.published == []


async def test_a_remembered_device_that_was_deleted_is_not_made_again(service: Transponder) -> None:
    service.firestore.put()
    await service.push(event("1", data=sets({"a": 1})))
    service.firestore.delete()
    assert await service.push(event("2", time=T + 1, data=sets({"a": 2}))) == 204
    assert service.firestore.documents == {}


async def test_data_goes_up_to_parents_once_each_and_loops_end(service: Transponder) -> None:
    service.firestore.put("d1", forwardTo=["p1", "p2", "missing"])
    service.firestore.put("p1", forwardTo=["top"], blueprintId="site", systemId="s1")
    service.firestore.put("p2", forwardTo=["top", "d1"])
    service.firestore.put("top", forwardTo=["p1"])
    message = event("1", data=sets({"a": 1}), event=[{"id": "r"}], networkId="net")
    assert await service.push(message) == 204
    for device in ("d1", "p1", "p2", "top"):
        assert service.firestore.device(device)["data"] == {"a": 1}
    rows = {row["device_id"]: row for row in service.history.rows if row["kind"] == "data"}
    assert len(service.history.rows) == 5
    assert rows["p1"]["event_id"] == rows["top"]["event_id"] == ids.digest("d1", "1")
    assert (rows["p1"]["blueprint_id"], rows["p1"]["system_id"]) == ("site", "s1")
    assert (rows["d1"]["event_id"], rows["d1"]["network_id"]) == ("1", "net")
    assert "network_id" not in rows["p1"]
    assert len(service.firestore.writes) == 1


async def test_a_new_parent_is_noticed_though_the_device_is_remembered(service: Transponder) -> None:
    service.firestore.put("p1")
    service.firestore.put("d1")
    await service.push(event("1", data=sets({"a": 1})))
    service.firestore.put("d1", forwardTo=["p1"])
    await service.push(event("2", time=T + 1, data=sets({"a": 2})))
    assert service.firestore.device("p1")["data"] == {"a": 2}
    assert [r["event_id"] for r in service.history.rows] == ["1", "2", ids.digest("d1", "2")]


async def test_no_copy_goes_up_once_a_link_is_cut_though_the_device_is_remembered(
    service: Transponder,
) -> None:
    top = service.firestore.put("top")
    parent = service.firestore.put("p1", forwardTo=["top"])
    child = service.firestore.put("d1", forwardTo=["p1"])
    await service.push(event("1", data=sets({"a": 1})))
    service.firestore.put("p1", forwardTo=[])
    await service.push(event("2", time=T + 1, data=sets({"a": 2})))
    service.firestore.put("d1", forwardTo=[])
    await service.push(event("3", time=T + 2, data=sets({"a": 3})))
    await service.push(event("4", time=T + 3, data=sets({"a": 4})))
    assert [service.firestore.device(name)["data"] for name in ("d1", "p1", "top")] == [
        {"a": 4},
        {"a": 2},
        {"a": 1},
    ]
    copies = {(row["device_id"], row["event_id"]) for row in service.history.rows if row["device_id"] != "d1"}
    first, second = ids.digest("d1", "1"), ids.digest("d1", "2")
    assert copies == {("p1", first), ("p1", second), ("top", first)}
    # Who forwards is read each time; the fourth event needs no read any more.
    assert [sorted(names) for names in service.firestore.reads] == [
        *([child], [parent], [top]),
        *([child], [parent]),
        [child],
    ]


async def test_a_new_parent_is_noticed_though_nothing_but_historical_events_come(
    service: Transponder,
) -> None:
    service.firestore.put("p1", blueprintId="site")
    service.firestore.put("d1")
    await service.push(event("1", data=sets({"a": 1})))
    service.firestore.put("d1", forwardTo=["p1"])
    await service.push(event("2", historical=True, data=sets({"a": 2})))
    service.firestore.put("p1", blueprintId="plant")
    await service.push(event("3", historical=True, data=sets({"a": 3})))
    service.firestore.put("d1", forwardTo=[])
    await service.push(event("4", historical=True, data=sets({"a": 4})))
    copies = {
        row["event_id"]: row["blueprint_id"] for row in service.history.rows if row["device_id"] == "p1"
    }
    assert copies == {ids.digest("d1", "2"): "site", ids.digest("d1", "3"): "plant"}


async def test_what_is_stored_goes_on_along_the_route(service: Transponder) -> None:
    service.firestore.put()
    messages = [event("1", data=sets({"a": 1})), event("2", "gone", data=sets({"a": 1}))]
    routed = {"type": "routeMsg", "message": messages, "route": ["audit", "mail"]}
    assert await service.push(routed, projectId="farm") == 204
    ((data, attributes),) = service.topics.on("audit")
    assert data == {"type": "routeMsg", "message": messages[0], "route": ["mail"]}
    assert (attributes["hops"], attributes["projectId"]) == ("3", "farm")
    assert [topic for topic, _, _ in service.topics.published] == ["audit"]


async def test_a_condition_after_the_writer_sees_the_state_before_the_batch(service: Transponder) -> None:
    service.firestore.put()
    await service.push(event("1", data=sets({"a": 1})))
    route = [
        {"topic": "rose", "condition": {"type": "delta", "path": "a", "op": "ge", "value": 5}},
        {"topic": "always", "condition": {"type": "attribute", "path": "device/id", "value": "d1"}},
    ]
    await service.push({"type": "routeMsg", "message": event("2", data=sets({"a": 9})), "route": route})
    assert [topic for topic, _, _ in service.topics.published] == ["rose"]


async def test_what_is_no_push_is_answered_with_400(service: Transponder) -> None:
    for body in (b"", b"{}", b'{"message":{"messageId":"1","data":"%"}}'):
        assert (await service.client.post("/", content=body)).status_code == 400
    assert push(event("1"))["message"]["messageId"] == "m1"
