"""Deliveries at the same time: gathered, never two cycles for one device, each answered by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from functions.transponder import gather
from functions.transponder.cache import States
from functions.transponder.state import State
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


async def test_at_most_two_cycles_run_and_a_device_is_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[set[str]] = []
    most = 0

    async def store(arrivals: list[Any]) -> None:
        nonlocal most
        devices = {arrival.message.device_id for arrival in arrivals}
        assert all(devices.isdisjoint(others) for others in running)
        running.append(devices)
        most = max(most, len(running))
        await asyncio.sleep(0.001)
        running.remove(devices)

    from functions.transponder.decode import decode
    from shared.envelope import Delivery

    gathering = gather.Gathering(store)

    async def one(n: int) -> None:
        data = f'[{{"type":"deviceDataEventMsg","id":"{n}","hash":"h","time":1,"receivedTime":1,'
        data += f'"projectId":"p","deviceId":"d{n % 5}"}}]'
        batch = decode(Delivery(str(n), data.encode(), {}, "", "", 0), T)
        await gathering.store(batch.arrivals)

    await asyncio.wait_for(asyncio.gather(*(one(n) for n in range(60))), 10)
    assert most == gather.MAX_CYCLES


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
