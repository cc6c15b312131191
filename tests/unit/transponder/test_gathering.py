"""Deliveries at the same time: gathered, never two cycles for one device, each answered by itself."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Sequence

import pytest

from fulcrum.core import fold
from functions.transponder import cache, handle
from functions.transponder.cache import States
from functions.transponder.decode import Arrival
from functions.transponder.state import State
from functions.transponder.store import Storing
from shared.errors import Transient
from tests.support.transponder import T, Transponder, event, sets


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Transponder:
    return Transponder(monkeypatch)


async def test_pushes_at_the_same_time_share_calls_and_do_not_compete(service: Transponder) -> None:
    service.firestore.put()
    pushes = [service.push(event(str(n), time=T + n, data=sets({f"k{n}": n}))) for n in range(20)]
    assert await asyncio.gather(*pushes) == [204] * 20
    assert service.firestore.device()["data"] == {f"k{n}": n for n in range(20)}
    assert len(service.firestore.writes) == service.history.calls <= 3
    assert len(service.history.rows) == 20


async def test_large_deliveries_go_side_by_side_but_a_device_is_never_in_two_cycles(
    service: Transponder, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[set[str]] = []
    at_once = []
    store = Storing.store

    async def watched(self: Storing, arrivals: Sequence[Arrival]) -> None:
        devices = {arrival.message.device_id for arrival in arrivals}
        assert all(devices.isdisjoint(others) for others in running)
        running.append(devices)
        at_once.append(len(running))
        await store(self, arrivals)
        running.remove(devices)

    monkeypatch.setattr(Storing, "store", watched)
    many = range(int(handle.LIMITS.worth))
    for n in range(8):
        service.firestore.put(f"d{n}")
    pushes = [
        service.push([event(f"{n}-{k}", f"d{n % 8}", data=sets({"a": k})) for k in many]) for n in range(16)
    ]
    assert await asyncio.gather(*pushes) == [204] * 16
    assert len(service.history.rows) == 16 * len(many)
    assert 1 < max(at_once) <= handle.LIMITS.flights


async def test_a_failed_cycle_fails_all_its_pushes_and_the_next_goes_on(service: Transponder) -> None:
    service.firestore.put()
    service.history.errors.append(Transient("UNAVAILABLE"))

    async def together() -> list[int]:
        return await asyncio.gather(*(service.push(event(str(n), data=sets({"a": n}))) for n in range(6)))

    first = await together()
    assert 503 in first
    assert len(service.history.rows) == first.count(204)
    assert await together() == [204] * 6
    assert {row["event_id"] for row in service.history.rows} == {str(n) for n in range(6)}


async def test_a_bad_event_of_one_push_is_set_aside_once_and_costs_the_others_nothing(
    service: Transponder,
) -> None:
    service.firestore.put()
    service.history.poisoned = lambda row: row["event_id"] == "3"
    pushes = [service.push(event(str(n), data=sets({f"k{n}": n})), message_id=f"m{n}") for n in range(6)]
    assert await asyncio.gather(*pushes) == [204] * 6
    ((_, attributes),) = service.topics.on("quarantine")
    assert attributes["sourceMessageId"] == "m3"
    assert len(service.firestore.device()["data"]) == 5


def test_the_cache_forgets_who_was_not_used_longest() -> None:
    states = States(max_bytes=3 * 1_500)
    for n in range(3):
        states.put(State(f"d{n}", n, bytes(1_000)))
    assert len(states) == 3
    assert states.get("d0") is not None
    states.put(State("d3", 3, bytes(1_000)))
    assert [states.get(f"d{n}") is not None for n in range(4)] == [True, False, True, True]
    states.put(State("d0", 9, bytes(10)))
    states.drop("d2")
    states.drop("d2")
    kept = states.get("d0")
    assert kept is not None
    assert (kept.update_time, len(states)) == (9, 2)
    states.put(State("big", 1, bytes(10_000)))
    assert len(states) == 0


def _remembered(number: int) -> State:
    """A device as it is in use: a name, three values of one event, times, shared ids."""
    name = f"projects/a-project/databases/(default)/documents/projects/plant-7/devices/{number:022d}"
    registers: fold.Registers = {}
    for path in ("temperature", "humidity", "battery/level"):
        registers[path] = ((T + number, f"reading-{number:014d}"), 20.5 + number)
    times = (T + number, T + 2 * number, T + 3 * number)
    return State(name, T * 1_000_000 + number, fold.encode(registers), *times, (), "s1", "b1", "n1")


def test_a_quarter_of_a_million_devices_are_remembered() -> None:
    assert cache.MAX_BYTES // cache._size(_remembered(250_000)) >= 250_000


def test_the_cache_takes_no_more_memory_than_it_counts() -> None:
    count = 5_000
    tracemalloc.start()
    try:
        states = States()
        for number in range(count):
            states.put(_remembered(number))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(states) == count
    assert 0.7 < taken / states._bytes < 1.05


def test_the_garbage_collector_does_not_look_at_what_is_remembered() -> None:
    assert not gc.is_tracked(_remembered(1))
