"""Others that write too, events that cannot be stored, and stores that do not answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fulcrum.core import paths
from functions.transponder import plan, state, store
from shared.clients import history as history_client
from shared.errors import Rejected, Transient
from tests.support.transponder import T, Transponder, event, sets


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Transponder:
    monkeypatch.setattr(store, "_PAUSE", 0)
    return Transponder(monkeypatch)


def error_types(service: Transponder) -> list[tuple[str, str]]:
    """(index, error type) of what was set aside."""
    return [(a["index"], a["errorType"]) for _, a in service.topics.on("quarantine")]


async def test_a_device_that_somebody_else_wrote_is_read_again(service: Transponder) -> None:
    service.firestore.put()
    await service.push(event("1", data=sets({"a": 1})))
    service.firestore.put(name="renamed")
    service.firestore.put("d2")
    batch = [event("2", time=T + 1, data=sets({"a": 2})), event("3", "d2", data=sets({"b": 1}))]
    assert await service.push(batch) == 204
    assert service.firestore.device() | {"registers": b""} == {
        "name": "renamed",
        "data": {"a": 2},
        "registers": b"",
        "firstSeen": T + 5,
        "lastSeen": T + 5,
        "lastEventTime": T + 1,
    }
    # The rows are not appended again, and who lost nothing is not written again.
    assert len(service.history.rows) == 3
    assert [len(names) for names in service.firestore.writes] == [1, 2, 1]


async def test_who_keeps_losing_is_published_again_alone(service: Transponder) -> None:
    service.firestore.put()
    service.firestore.put("d2")

    def interfere(writes: Any) -> None:
        service.firestore.put()

    service.firestore.before_write = [interfere] * store.TRIES
    batch = [event("1", data=sets({"a": 1})), event("2", "d2", data=sets({"a": 1}))]
    routed = {"type": "routeMsg", "message": batch, "options": {"x": 1}, "route": ["audit"]}
    assert await service.push(routed, hops="5") == 204
    ((again, attributes),) = service.topics.on("writer")
    assert again == {"type": "routeMsg", "message": batch[0], "options": {"x": 1}, "route": ["audit"]}
    assert attributes["hops"] == "5"
    assert [data for data, _ in service.topics.on("audit")] == [batch[1]]
    assert await service.push(again) == 204
    assert service.firestore.device()["data"] == {"a": 1}


async def test_what_cannot_be_decoded_is_set_aside_and_the_rest_stored(service: Transponder) -> None:
    service.firestore.put()
    batch = [
        event("1", data=sets({"a": 1})),
        {"type": "inboundDataEventMsg", "id": "x"},
        {"id": "x"},
        event("2", time="noon"),
        event("3", data=sets({"a//b": 1})),
        event("4", time=-1, data=sets({"a": 1})),
        event("5", event=[{"id": "r"}, {"id": "r"}]),
        event("6", data=[{"path": "b", "op": "rename"}]),
        17,
    ]
    assert await service.push(batch, projectId="farm") == 204
    assert error_types(service) == [
        ("1", "message.unknownType"),
        ("2", "message.unknownType"),
        ("3", "message.undecodable"),
        ("4", "path.invalid"),
        ("5", "event.time"),
        ("6", "event.repeatedId"),
        ("7", "message.undecodable"),
        ("8", "message.unknownType"),
    ]
    data, attributes = service.topics.on("quarantine")[3]
    assert data == batch[4]
    assert attributes["service"] == "transponder"
    assert (attributes["topic"], attributes["sourceMessageId"], attributes["projectId"]) == (
        "writer",
        "m1",
        "farm",
    )
    assert service.firestore.device()["data"] == {"a": 1}
    assert len(service.history.rows) == 1


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (b'"\xff"', "message.undecodable"),
        (rb'"\ud800"', "message.undecodable"),
        (b"[" * 5000 + b"]" * 5000, "message.undecodable"),
        (b"9" * 4000, "event.unprocessable"),
    ],
    ids=["not UTF-8", "half a surrogate pair", "nested too deep", "a number that no store holds"],
)
async def test_a_value_that_cannot_be_read_costs_its_own_event_alone(
    service: Transponder, value: bytes, error: str
) -> None:
    service.firestore.put()
    good = [json.dumps(event(str(n), time=T + n, data=sets({f"k{n}": n}))).encode() for n in range(2)]
    poison = json.dumps(event("bad", data=sets({"x": "?"}))).encode().replace(b'"?"', value)
    assert await service.push(b"[" + b",".join([good[0], poison, good[1]]) + b"]") == 204
    ((_, original, attributes),) = service.topics.published
    assert original == poison
    assert (attributes["errorType"], attributes["index"]) == (error, "1")
    assert service.firestore.device()["data"] == {"k0": 0, "k1": 1}


async def test_an_event_that_writes_nothing_needs_a_time_all_the_same(service: Transponder) -> None:
    service.firestore.put()
    batch = [event("1", time=10**17), event("2", receivedTime=10**30), event("3", data=sets({"a": 1}))]
    assert await service.push(batch) == 204
    assert error_types(service) == [("0", "event.time"), ("1", "event.time")]
    assert service.firestore.device()["lastEventTime"] == T


@pytest.mark.parametrize("data", [b"", b"nothing", b'"text"', b"[1,", b"\xff\xfe"])
async def test_a_message_that_cannot_be_split_is_set_aside_whole(service: Transponder, data: bytes) -> None:
    assert await service.push(data) == 204
    ((topic, original, attributes),) = service.topics.published
    assert (topic, original, attributes["errorType"]) == ("quarantine", data, "message.undecodable")


async def test_a_message_that_went_round_too_often_is_set_aside(service: Transponder) -> None:
    assert await service.push(event("1"), hops="17") == 204
    assert error_types(service) == [("0", "route.loop")]


async def test_rows_that_history_refuses_are_set_aside_and_not_in_the_state(service: Transponder) -> None:
    service.firestore.put()
    service.history.poisoned = lambda row: row["event_id"] == "2"
    batch = [event(str(n), time=T + n, data=sets({f"k{n}": n})) for n in range(4)]
    assert await service.push(batch) == 204
    assert error_types(service) == [("2", "history.rowRefused")]
    assert service.topics.on("quarantine")[0][1]["projectId"] == "farm"
    assert service.firestore.device()["data"] == {"k0": 0, "k1": 1, "k3": 3}


async def test_a_refused_event_record_leaves_the_data_of_its_event(service: Transponder) -> None:
    service.firestore.put()
    service.history.poisoned = lambda row: row["kind"] == "event"
    assert await service.push(event("1", data=sets({"a": 1}), event=[{"id": "r"}])) == 204
    assert error_types(service) == [("0", "history.rowRefused")]
    assert service.firestore.device()["data"] == {"a": 1}


@pytest.mark.parametrize("where", ["history", "read", "write", "quarantine"])
async def test_a_store_that_does_not_answer_brings_the_delivery_back(
    service: Transponder, where: str
) -> None:
    service.firestore.put()
    batch = [event("1", data=sets({"a": 1})), {"type": "foreign"}]
    error = Transient("UNAVAILABLE")
    if where == "history":
        service.history.errors.append(error)
    elif where == "read":
        service.firestore.read_errors.append(error)
    elif where == "quarantine":
        service.topics.errors.append(error)
    else:

        def fail(writes: Any) -> None:
            raise error

        service.firestore.before_write.append(fail)
    assert await service.push(batch) == 503
    if where != "quarantine":
        assert service.topics.published == []
        assert "data" not in service.firestore.device()
    assert await service.push(batch) == 204
    assert service.firestore.device()["data"] == {"a": 1}
    assert error_types(service) == [("1", "message.unknownType")]


async def test_an_answer_that_got_lost_costs_a_read_and_changes_nothing(service: Transponder) -> None:
    service.firestore.put()

    def carry_out_and_fail(writes: Any) -> None:
        for write in writes:
            service.firestore._apply(write)
        raise Transient("DEADLINE_EXCEEDED")

    service.firestore.before_write.append(carry_out_and_fail)
    message = event("1", data=sets({"a": 1}))
    assert await service.push(message) == 503
    before = dict(service.firestore.device())
    assert await service.push(message) == 204
    assert service.firestore.device() == before
    assert len(service.firestore.writes) == 1


async def test_one_write_that_cannot_be_costs_only_its_event(service: Transponder) -> None:
    for n in range(10):
        service.firestore.put(f"d{n}")
    service.firestore.invalid = lambda write: "k" in write.update.fields["data"].map_value.fields
    batch = [event(f"{n}", f"d{n % 10}", data=sets({"k" if n == 13 else f"k{n}": "bad"})) for n in range(30)]
    assert await service.push(batch) == 204
    assert error_types(service) == [("13", "store.invalid")]
    assert service.firestore.device("d3")["data"] == {"k3": "bad", "k23": "bad"}
    assert service.firestore.device("d4")["data"] == {"k4": "bad", "k14": "bad", "k24": "bad"}
    # Though the batch was halved again and again, each row went to history once.
    assert len(service.history.rows) == 30


async def test_registers_that_cannot_be_read_cost_only_their_device(service: Transponder) -> None:
    service.firestore.put("d1", registers=b"broken")
    service.firestore.put("d2")
    batch = [event("1", data=sets({"a": 1})), event("2", "d2", data=sets({"a": 1}))]
    assert await service.push(batch) == 204
    assert error_types(service) == [("0", "registers.undecodable")]
    assert service.firestore.device("d2")["data"] == {"a": 1}


async def test_the_event_with_one_path_too_many_is_refused_alone(service: Transponder) -> None:
    service.firestore.put("p")
    service.firestore.put(forwardTo=["p"])
    limit = paths.MAX_PATHS
    full = [event("1", data=sets({"k": {f"p{n}": n for n in range(limit - 1)}}))]
    assert await service.push(full) == 204
    batch = [
        event("2", time=T + 1, data=sets({"k/p0": "new"})),
        event("3", time=T + 2, data=sets({"x": 1, "y": 2})),
        event("4", time=T + 3, data=sets({"x": 3})),
        event("5", time=T + 4, data=sets({"z": 5})),
    ]
    assert await service.push(batch) == 204
    assert error_types(service) == [("1", "device.tooManyPaths"), ("3", "device.tooManyPaths")]
    for device in ("d1", "p"):
        data = service.firestore.device(device)["data"]
        assert (data["k"]["p0"], data["x"], sorted(data)) == ("new", 3, ["k", "x"])
    # What is not in the state is not in the history either; deleting makes room.
    assert {"3", "5"}.isdisjoint(row["event_id"] for row in service.history.rows)
    room = [event("6", time=T + 9, data=[{"path": "k", "op": "delete"}]), batch[3]]
    assert await service.push(room) == 204
    assert service.firestore.device()["data"] == {"x": 3, "z": 5}


async def test_a_parent_that_is_full_does_not_stop_its_child(service: Transponder) -> None:
    service.firestore.put("p")
    service.firestore.put(forwardTo=["p"])
    full = sets({"k": {f"p{n}": n for n in range(paths.MAX_PATHS)}})
    await service.push(event("1", "p", data=full))
    assert await service.push(event("2", data=sets({"a": 1}))) == 204
    assert error_types(service) == [("0", "device.tooManyPaths")]
    assert service.firestore.device()["data"] == {"a": 1}
    assert "a" not in service.firestore.device("p")["data"]


async def test_a_state_that_would_be_too_large_is_refused(service: Transponder) -> None:
    service.firestore.put()
    batch = [event(str(n), time=T + n, data=sets({f"k{n}": "x" * 200_000})) for n in range(3)]
    assert await service.push(batch) == 204
    assert error_types(service) == [("2", "device.tooLarge")]
    assert sorted(service.firestore.device()["data"]) == ["k0", "k1"]


async def test_an_error_that_nobody_foresaw_costs_only_its_event(
    service: Transponder, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.firestore.put()
    advance = state.advance

    def fragile(before: Any, items: Any) -> Any:
        if any(item.stamp[1] == "3" for item in items):
            raise ZeroDivisionError("on the third")
        return advance(before, items)

    monkeypatch.setattr(plan, "advance", fragile)
    batch = [event(str(n), data=sets({f"k{n}": n})) for n in range(6)]
    assert await service.push(batch) == 204
    ((data, attributes),) = service.topics.on("quarantine")
    assert data == batch[3]
    assert (attributes["errorType"], attributes["message"]) == (
        "event.unprocessable",
        "ZeroDivisionError: on the third",
    )
    assert len(service.firestore.device()["data"]) == 5


async def test_a_history_that_refuses_the_whole_is_halved_until_the_culprit_is_found(
    service: Transponder, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.firestore.put()
    good = service.history.append

    async def refuse(rows: Any, within: float = 20.0) -> dict[int, str]:
        if any(b'{"bad":1}' in row for row in rows):
            raise Rejected("history.refused", "AppendRows: INVALID_ARGUMENT")
        return await good(rows)

    monkeypatch.setattr(history_client, "append", refuse)
    batch = [event(str(n), data=sets({"bad" if n == 5 else f"k{n}": 1})) for n in range(8)]
    assert await service.push(batch) == 204
    assert error_types(service) == [("5", "history.refused")]
    assert len(service.firestore.device()["data"]) == 7


async def test_a_route_that_cannot_go_on_is_set_aside_with_it(service: Transponder) -> None:
    service.firestore.put()
    routed = {"type": "routeMsg", "message": event("1", data=sets({"a": 1})), "route": {"concurrent": 5}}
    assert await service.push(routed) == 204
    ((_, attributes),) = service.topics.on("quarantine")
    assert attributes["errorType"] == "route.invalid"
    assert json.loads(attributes["route"]) == {"concurrent": 5}
    assert service.firestore.device()["data"] == {"a": 1}
