"""Deliveries at the same time: gathered, never two cycles for one device, each answered by itself."""

from __future__ import annotations

import asyncio
import json

import pytest

from functions.transponder import gather
from functions.transponder.cache import States
from functions.transponder.decode import Arrival, decode
from functions.transponder.state import State
from shared.envelope import Delivery
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


class Cycles:
    """A store that ends a cycle when told to, and sees to it that no device is in two at once."""

    def __init__(self) -> None:
        self.running: list[set[str]] = []
        self.sizes: list[int] = []
        self.go = asyncio.Event()
        self.two = asyncio.Event()

    async def store(self, arrivals: list[Arrival]) -> None:
        devices = {arrival.message.device_id for arrival in arrivals}
        assert all(devices.isdisjoint(others) for others in self.running)
        self.running.append(devices)
        self.sizes.append(len(arrivals))
        if len(self.running) == 2:
            self.two.set()
        await self.go.wait()
        self.running.remove(devices)


def delivered(device: int, count: int) -> list[Arrival]:
    """Arrivals of one device, as of one delivery."""
    data = json.dumps([event(str(n), f"d{device}") for n in range(count)]).encode()
    return decode(Delivery("m", data, {}, "", "", 0), T).arrivals


async def start(gathering: gather.Gathering, *deliveries: list[Arrival]) -> list[asyncio.Task[None]]:
    """Hand over deliveries, and let what can start do so."""
    tasks = [asyncio.ensure_future(gathering.store(arrivals)) for arrivals in deliveries]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_few_events_wait_for_the_cycle_under_way_and_go_together() -> None:
    cycles = Cycles()
    gathering = gather.Gathering(cycles.store)
    tasks = await start(gathering, *(delivered(n % 3, 2) for n in range(10)))
    assert cycles.sizes == [2]
    cycles.go.set()
    await asyncio.gather(*tasks)
    assert cycles.sizes == [2, 18]


async def test_many_events_go_at_once_but_no_device_twice_and_not_too_many_at_a_time() -> None:
    cycles = Cycles()
    gathering = gather.Gathering(cycles.store)
    full = gather.WORTH_A_CYCLE
    tasks = await start(gathering, delivered(0, full), delivered(0, full), delivered(1, full))
    assert cycles.running == [{"d0"}, {"d1"}]
    for n in range(2, 20):
        tasks += await start(gathering, delivered(n, full))
    assert len(cycles.running) == gather.MAX_CYCLES
    cycles.go.set()
    await asyncio.gather(*tasks)
    assert sum(cycles.sizes) == 21 * full
    assert max(cycles.sizes) <= 500


async def test_a_cycle_that_takes_long_does_not_hold_up_other_devices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gather, "PATIENCE", 0.01)
    cycles = Cycles()
    gathering = gather.Gathering(cycles.store)
    tasks = await start(gathering, delivered(0, 1), delivered(0, 1), delivered(1, 1))
    async with asyncio.timeout(5):
        await cycles.two.wait()
    assert cycles.running == [{"d0"}, {"d1"}]
    cycles.go.set()
    await asyncio.gather(*tasks)


async def test_who_gave_up_is_not_stored() -> None:
    cycles = Cycles()
    gathering = gather.Gathering(cycles.store)
    tasks = await start(gathering, delivered(0, 1), delivered(1, 2), delivered(2, 4))
    tasks[1].cancel()
    cycles.go.set()
    await asyncio.wait(tasks)
    assert cycles.sizes == [1, 4]


async def test_a_failed_cycle_fails_all_its_pushes_and_the_next_goes_on(service: Transponder) -> None:
    service.firestore.put()
    service.history.errors.append(Transient("UNAVAILABLE"))
    pushes = [service.push(event(str(n), data=sets({"a": n}))) for n in range(6)]
    answers = await asyncio.gather(*pushes)
    assert set(answers) == {204, 503}
    assert len(service.history.rows) == answers.count(204)


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
    states = States(max_bytes=3_600)
    for n in range(3):
        states.put(State(f"d{n}", n, {}, size=1_000))
    assert len(states) == 3
    assert states.get("d0") is not None
    states.put(State("d3", 3, {}, size=1_000))
    assert [states.get(f"d{n}") is not None for n in range(4)] == [True, False, True, True]
    states.put(State("d0", 9, {}, size=10))
    states.drop("d2")
    states.drop("d2")
    kept = states.get("d0")
    assert kept is not None
    assert (kept.update_time, len(states)) == (9, 2)
    states.put(State("big", 1, {}, size=10_000))
    assert len(states) == 0
