"""Group commit: sharing, order of answers, limits of a call, failures that stay with their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from functions.ingest.publish import LIMITS, GroupCommit, pack
from shared.errors import Transient
from shared.gather import Limits

Message = tuple[bytes, Mapping[str, str]]


class Wire:
    """Publishing that waits for :meth:`release`, one call after the other."""

    def __init__(self) -> None:
        self.calls: list[list[Message]] = []
        self.gates: list[asyncio.Future[list[str]]] = []

    async def __call__(self, topic: str, messages: Sequence[Message], within: float) -> list[str]:
        self.calls.append(list(messages))
        gate: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        return await gate

    async def called(self, count: int) -> None:
        """Wait for so many calls: after a landing the next one may take a moment."""
        async with asyncio.timeout(5):
            while len(self.calls) < count:  # noqa: ASYNC110 as short as what it waits for
                await asyncio.sleep(0.001)

    def release(self, index: int, error: Exception | None = None) -> None:
        if error:
            self.gates[index].set_exception(error)
        else:
            self.gates[index].set_result(["id"] * len(self.calls[index]))

    def sent(self, index: int) -> list[int]:
        return [number for data, _ in self.calls[index] for number in json.loads(data)]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def limits(**changed: float) -> Limits:
    return msgspec.structs.replace(LIMITS, **changed)


def start(commit: GroupCommit, number: int, project: str = "p") -> asyncio.Task[None]:
    return asyncio.ensure_future(commit.publish(project, [str(number).encode()]))


async def test_an_idle_instance_publishes_at_once_and_the_rest_goes_together() -> None:
    wire = Wire()
    commit = GroupCommit(wire)
    first = start(commit, 0)
    await settle()
    others = [start(commit, n) for n in range(1, 16)]
    await settle()
    assert [len(call) for call in wire.calls] == [1]
    wire.release(0)
    await first
    await wire.called(2)
    assert not any(other.done() for other in others)
    assert wire.sent(1) == list(range(1, 16))
    wire.release(1)
    await asyncio.gather(*others)
    assert len(wire.calls) == 2


async def test_projects_share_a_call_and_no_message() -> None:
    wire = Wire()
    commit = GroupCommit(wire)
    tasks = [start(commit, n, f"p{n % 2}") for n in range(4)]
    await settle()
    assert [(json.loads(data), attributes["projectId"]) for data, attributes in wire.calls[0]] == [
        ([0, 2], "p0"),
        ([1, 3], "p1"),
    ]
    assert all(a["v"] == "1" and a["hops"] == "1" for _, a in wire.calls[0])
    wire.release(0)
    await asyncio.gather(*tasks)


async def test_a_failed_publish_fails_its_own_requests_alone() -> None:
    wire = Wire()
    commit = GroupCommit(wire)
    first = start(commit, 0)
    await settle()
    second = start(commit, 1)
    await settle()
    wire.release(0, RuntimeError("lost"))
    with pytest.raises(Transient, match="lost"):
        await first
    await wire.called(2)
    wire.release(1)
    await second


async def test_whoever_gives_up_takes_nobody_along() -> None:
    wire = Wire()
    commit = GroupCommit(wire)
    tasks = [start(commit, 0)]
    await settle()
    tasks += [start(commit, n) for n in (1, 2, 3)]
    await settle()
    tasks[0].cancel()
    tasks[2].cancel()
    await settle()
    wire.release(0)
    await wire.called(2)
    assert wire.sent(1) == [1, 3]
    wire.release(1)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [
        asyncio.CancelledError,
        type(None),
        asyncio.CancelledError,
        type(None),
    ]


async def test_nobody_waits_longer_than_promised() -> None:
    wire = Wire()
    commit = GroupCommit(wire, within=0.02, limits=limits(patience=60))
    first = start(commit, 0)
    await settle()
    behind = start(commit, 1)
    async with asyncio.timeout(5):
        for task in (first, behind):
            with pytest.raises(Transient, match=r"within 0\.02 s"):
                await task
    assert all(gate.cancelled() for gate in wire.gates)


async def test_a_slow_publish_does_not_hold_up_the_next() -> None:
    wire = Wire()
    commit = GroupCommit(wire, limits=limits(patience=0.01))
    slow = start(commit, 0)
    await settle()
    quick = start(commit, 1)
    await wire.called(2)
    wire.release(1)
    await quick
    assert not slow.done()
    wire.release(0)
    await slow


async def test_what_does_not_fit_one_call_goes_with_the_next() -> None:
    wire = Wire()
    commit = GroupCommit(wire, limits=limits(size=100))
    tasks = [asyncio.ensure_future(commit.publish("p", [b"1" * 60])) for _ in range(3)]
    for index in range(3):
        await wire.called(index + 1)
        assert len(wire.calls) == index + 1
        wire.release(index)
    await asyncio.gather(*tasks)


def test_messages_keep_the_limits_of_a_batch() -> None:
    messages = pack("p", [b"1"] * 1001)
    assert [len(json.loads(data)) for data, _ in messages] == [500, 500, 1]
    large = pack("p", [b'"' + b"x" * 300_000 + b'"'] * 7)
    assert [len(json.loads(data)) for data, _ in large] == [3, 3, 1]
    assert all(len(data) <= 1_000_000 for data, _ in large)
