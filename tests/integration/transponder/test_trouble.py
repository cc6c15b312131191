"""Races, faults and bad events: whatever happens, state is the fold of what was sent."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import msgspec
import pytest

from fulcrum.core import fold
from shared import history
from shared.messages import DeviceDataEvent
from tests.integration.transponder.conftest import Stack
from tests.support.transponder import T, sets


def batches(stack: Stack, count: int, size: int, seed: int, devices: int = 1) -> list[list[dict[str, Any]]]:
    """Events that set, replace and delete the same few paths at the same few times."""
    rng = random.Random(seed)
    paths = ["a", "a/b", "a/b/c", "a/d", "e", "f/g"]

    def write() -> dict[str, Any]:
        op = rng.choice(["set", "set", "set", "replace", "delete"])
        value = None if op == "delete" else rng.choice([1, 2.5, "x", {"d": 1}, [1, [2]], {}])
        return {"path": rng.choice(paths), "op": op, **({} if op == "delete" else {"value": value})}

    return [
        [
            stack.event(
                f"{seed}-{batch}-{n}",
                f"d{rng.randrange(devices)}",
                time=T + rng.randrange(40),
                receivedTime=T + 1000 * batch + n,
                data=[write() for _ in range(rng.randint(1, 3))],
            )
            for n in range(size)
        ]
        for batch in range(count)
    ]


def expected(messages: list[list[dict[str, Any]]], device: str) -> fold.Registers:
    """The fold of all events of a device."""
    registers: fold.Registers = {}
    for one in messages:
        for message in one:
            if message["deviceId"] == device:
                decoded = msgspec.convert(
                    {k: v for k, v in message.items() if k != "type"} | {"type": "deviceDataEventMsg"},
                    DeviceDataEvent,
                )
                fold.fold(registers, [((decoded.time, decoded.id), fold.settle(decoded.data))])
    return registers


def check(stack: Stack, messages: list[list[dict[str, Any]]], devices: int = 1) -> None:
    """State is the fold of what was sent, and of what history has; people see each event once."""
    rows = stack.rows()
    for n in range(devices):
        device = stack.device(f"d{n}")
        registers = expected(messages, f"d{n}")
        assert device["registers"] == fold.encode(registers)
        assert plain(device["data"]) == fold.derive(registers)
        received = [m["receivedTime"] for one in messages for m in one if m["deviceId"] == f"d{n}"]
        assert (device["firstSeen"], device["lastSeen"]) == (min(received), max(received))
        read: fold.Registers = {}
        parts = [history.folded(row) for row in rows if row["device_id"] == f"d{n}"]
        fold.fold(read, [part for part in parts if part is not None])
        assert fold.encode(read) == device["registers"]
    sent = sorted(message["id"] for one in messages for message in one)
    assert sorted(row["event_id"] for row in stack.events()) == sent


def plain(value: Any) -> Any:
    """Data with what Firestore cannot hold unwrapped."""
    if isinstance(value, dict):
        if list(value) == ["$json"]:
            return msgspec.json.decode(value["$json"])
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


async def drain(stack: Stack) -> None:
    """Deliver what was published to the writer again, until nothing is."""
    while again := stack.published("writer"):
        for data, attributes in again:
            await stack.push_until_stored(data, hops=attributes["hops"])


async def test_two_instances_race_for_one_device(stack: Stack) -> None:
    stack.put("d0")
    one, other = batches(stack, 20, 5, seed=1), batches(stack, 20, 5, seed=2)

    async def deliver(messages: list[list[dict[str, Any]]], instance: int) -> None:
        await asyncio.gather(*(stack.push_until_stored(batch, instance) for batch in messages))

    await asyncio.gather(deliver(one, 0), deliver(other, 1))
    await drain(stack)
    check(stack, one + other)
    assert stack.calls(stack.firestore)["BatchWrite"] > 2


@pytest.mark.parametrize(
    ("store", "method", "kind"),
    [
        ("firestore", "BatchWrite", "error_rate"),
        ("firestore", "BatchWrite", "drop_answer_rate"),
        ("firestore", "BatchGetDocuments", "error_rate"),
        ("bigquery", "AppendRows", "error_rate"),
        ("bigquery", "AppendRows", "drop_answer_rate"),
    ],
)
async def test_faults_lose_and_repeat_nothing(stack: Stack, store: str, method: str, kind: str) -> None:
    for n in range(3):
        stack.put(f"d{n}")
    messages = batches(stack, 12, 6, seed=3, devices=3)
    stack.faults(getattr(stack, store), {"method": method, kind: 0.5}, seed=7)
    await asyncio.gather(*(stack.push_until_stored(batch, index % 2) for index, batch in enumerate(messages)))
    stack.faults(getattr(stack, store))
    await drain(stack)
    check(stack, messages, devices=3)


async def test_a_topic_that_fails_keeps_the_delivery(stack: Stack) -> None:
    stack.put()
    stack.faults(stack.pubsub, {"method": "Publish", "error_rate": 1.0, "code": "PERMISSION_DENIED"})
    batch = [stack.event("1", data=sets({"a": 1})), {"type": "foreign"}]
    assert await stack.push(batch) == 503
    stack.faults(stack.pubsub)
    assert await stack.push(batch) == 204
    ((data, attributes),) = stack.published("quarantine")
    assert (data, attributes["errorType"]) == ({"type": "foreign"}, "message.unknownType")


async def test_a_device_that_is_deleted_in_between_is_not_made_again(stack: Stack) -> None:
    stack.put()
    stack.put("d2")
    assert await stack.push(stack.event("1", data=sets({"a": 1}))) == 204
    stack.delete()
    batch = [stack.event("2", time=T + 1, data=sets({"a": 2})), stack.event("3", "d2", data=sets({"a": 3}))]
    assert await stack.push(batch) == 204
    assert stack.device() == {}
    assert stack.device("d2")["data"] == {"a": 3}
    assert stack.published("quarantine") == []


async def test_a_row_that_history_refuses_is_set_aside_alone(stack: Stack) -> None:
    stack.put()
    # Older than a partition may be.
    poisoned = stack.event("2", time=1_000_000_000_000, data=sets({"b": 2}))
    batch = [stack.event("1", data=sets({"a": 1})), poisoned, stack.event("3", data=sets({"c": 3}))]
    assert await stack.push(batch) == 204
    ((data, attributes),) = stack.published("quarantine")
    assert (data, attributes["errorType"], attributes["index"]) == (poisoned, "history.rowRefused", "1")
    assert stack.device()["data"] == {"a": 1, "c": 3}
    assert sorted(row["event_id"] for row in stack.rows()) == ["1", "3"]


async def test_a_document_that_others_filled_costs_only_its_own_events(stack: Stack) -> None:
    stack.put(name="x" * 1_000_000)
    stack.put("d2")
    batch = [
        stack.event("1", data=sets({"a": "y" * 100_000})),
        stack.event("2", "d2", data=sets({"a": 1})),
        stack.event("3", data=sets({"b": 2})),
    ]
    assert await stack.push(batch) == 204
    ((_, attributes),) = stack.published("quarantine")
    assert (attributes["index"], attributes["errorType"]) == ("0", "store.invalid")
    assert stack.device("d2")["data"] == {"a": 1}
    assert stack.device()["data"] == {"b": 2}
    assert sorted(row["event_id"] for row in stack.rows()) == ["1", "2", "3"]


async def test_a_history_without_its_table_keeps_the_delivery(stack: Stack) -> None:
    stack.put()
    stack.queries.delete_table("history.device_events")
    assert await stack.push(stack.event("1", data=sets({"a": 1}))) == 503
    assert "data" not in stack.device()
    assert stack.published("quarantine") == []
