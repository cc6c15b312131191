"""What events do to state and history, read by Google's own clients."""

from __future__ import annotations

from datetime import UTC, datetime

from fulcrum.core import fold, ids
from shared import history
from tests.integration.transponder.conftest import Stack
from tests.support.transponder import T, sets


async def test_state_and_history_have_what_was_reported(stack: Stack) -> None:
    stack.put(name="truck", blueprintId="b", systemId="s")
    first = stack.event(
        "1", data=sets({"a/b": 1, "pos": {"lat": 47.5, "lon": 19.0}}), networkId="n", source="gw"
    )
    second = stack.event("2", time=T + 1500, data=sets({"a/c": 2}))
    assert await stack.push([first, second]) == 204
    device = stack.device()
    assert device["data"] == {"a": {"b": 1, "c": 2}, "pos": {"lat": 47.5, "lon": 19}}
    assert (device["name"], device["created"]) == ("truck", 1)
    assert (device["firstSeen"], device["lastSeen"], device["lastEventTime"]) == (T + 5, T + 5, T + 1500)
    rows = sorted(stack.events(), key=lambda row: str(row["time"]))
    assert [row["data"] for row in rows] == [
        {"a": {"b": 1}, "pos": {"lat": 47.5, "lon": 19}},
        {"a": {"c": 2}},
    ]
    assert rows[1]["time"] == datetime.fromtimestamp((T + 1500) / 1000, UTC)
    assert (rows[0]["network_id"], rows[0]["source"], rows[0]["message_id"]) == ("n", "gw", "m1")
    assert rows[0]["stored_time"] > rows[0]["received_time"]


async def test_a_redelivery_is_one_event_to_people(stack: Stack) -> None:
    stack.put()
    batch = [stack.event("1", data=sets({"a": 1}), event=[{"id": "r"}])]
    for instance in (0, 1, 0):
        assert await stack.push(batch, instance) == 204
    assert len(stack.rows()) == 6
    assert [row["event_id"] for row in stack.events()] == ["1"]
    assert [row["record_id"] for row in stack.records()] == ["r"]


async def test_any_json_value_is_kept(stack: Stack) -> None:
    stack.put()
    values = {
        "nested": [[1, [2.5]], {"": 1, "__x__": 2}],
        "empty": {},
        "nothing": None,
        "big": 2**62,
        "bigger": 2**70,
        "text": "é\u0000\U0001f600",
        "time": "2026-01-01T00:00:00Z",
        "geo": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0.5], [0, 0]]]},
        "whole": 5.0,
        "0digit": True,
    }
    assert await stack.push(stack.event("1", data=sets(values))) == 204
    data = stack.device()["data"]
    assert data["nested"] == [
        {"$json": "[1,[2.5]]"},
        {"$json": '{"":1,"__x__":2}'},
    ]
    assert (data["empty"], data["nothing"], data["0digit"], data["whole"]) == ({}, None, True, 5)
    assert (data["big"], data["text"]) == (2**62, values["text"])
    (row,) = stack.rows()
    assert row["data"]["nested"] == values["nested"]
    registers: fold.Registers = {}
    part = history.folded(row)
    assert part is not None
    fold.fold(registers, [part])
    assert fold.encode(registers) == stack.device()["registers"]


async def test_replace_and_delete_reach_the_document(stack: Stack) -> None:
    stack.put()
    await stack.push(stack.event("1", data=sets({"a": {"b": 1, "c": 2}, "d": {"e": 1}, "f": 1})))
    writes = [
        {"path": "a", "value": {"x": 1}, "op": "replace"},
        {"path": "d", "op": "delete"},
        {"path": "f/g", "value": 2},
    ]
    assert await stack.push(stack.event("2", time=T + 1, data=writes), 1) == 204
    assert stack.device()["data"] == {"a": {"x": 1}, "f": {"g": 2}}
    (row,) = stack.rows("event_id = '2'")
    assert row["cleared"] == ["a", "d"]
    # An older event that comes late changes nothing of that.
    assert await stack.push(stack.event("0", time=T - 1, data=sets({"a/c": 0, "d/e": 0, "h": 0}))) == 204
    assert stack.device()["data"] == {"a": {"x": 1}, "f": {"g": 2}, "h": 0}


async def test_historical_inputs_records_and_acknowledgements(stack: Stack) -> None:
    stack.put()
    ack = {
        "type": "deviceEventAckMsg",
        "id": "r1",
        "time": T + 60_000,
        "receivedTime": T + 60_000,
        "projectId": stack.project,
        "deviceId": "d1",
        "userId": "u",
        "data": {"note": "seen"},
    }
    batch = [
        stack.event("1", historical=True, data=sets({"a": 1})),
        stack.event("2", kind="input", data=sets({"a": 2})),
        stack.event("3", event=[{"type": "alarm", "id": "r1", "data": {"level": 2}}, {"type": "visit"}]),
        ack,
    ]
    assert await stack.push(batch) == 204
    assert "data" not in stack.device()
    assert sorted((row["kind"], row["historical"]) for row in stack.rows()) == [
        ("ack", False),
        ("data", True),
        ("event", False),
        ("event", False),
        ("input", False),
    ]
    alarm, visit = sorted(stack.records(), key=lambda row: row["event_type"])
    assert alarm["data"] == {"level": 2}
    assert (alarm["ack_user_id"], alarm["ack_data"]) == ("u", {"note": "seen"})
    assert (visit["ack_time"], visit["ack_data"]) == (None, None)


async def test_data_is_forwarded_upwards_once_and_loops_end(stack: Stack) -> None:
    stack.put("d1", forwardTo=["p1", "p2"])
    stack.put("p1", forwardTo=["top"], blueprintId="site")
    stack.put("p2", forwardTo=["top", "d1"])
    stack.put("top", forwardTo=["p1"])
    for instance in (0, 1):
        assert await stack.push(stack.event("1", data=sets({"a": 1})), instance) == 204
    for device_id in ("d1", "p1", "p2", "top"):
        assert stack.device(device_id)["data"] == {"a": 1}
    rows = {row["device_id"]: row for row in stack.events()}
    assert sorted(rows) == ["d1", "p1", "p2", "top"]
    assert len(stack.rows()) == 8
    assert rows["top"]["event_id"] == ids.digest("d1", "1")
    assert rows["p1"]["blueprint_id"] == "site"


async def test_a_hundred_events_warm_are_one_append_and_one_write(stack: Stack) -> None:
    for n in range(20):
        stack.put(f"d{n}")
    for turn in range(3):
        batch = [
            stack.event(f"{turn}-{n}", f"d{n % 20}", time=T + turn * 100 + n, data=sets({"a": n}))
            for n in range(100)
        ]
        assert await stack.push(batch) == 204
    calls = stack.calls(stack.firestore)
    assert (calls["BatchWrite"], calls["BatchGetDocuments"]) == (3, 1)
    assert stack.calls(stack.bigquery)["AppendRows"] == 3
    assert len(stack.events()) == 300


async def test_what_is_stored_goes_on_along_its_route(stack: Stack) -> None:
    stack.put()
    message = stack.event("1", data=sets({"a": 1}))
    routed = {"type": "routeMsg", "message": [message], "route": ["audit"]}
    assert await stack.push(routed, projectId=stack.project) == 204
    ((data, attributes),) = stack.published("audit")
    assert (data, attributes["hops"]) == (message, "3")
