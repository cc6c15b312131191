"""Group commit by itself: who goes with whom, and when nobody waits for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Set

import pytest
import uvloop

from shared.gather import Gathering, Limits

# Long enough that a test which had to wait it out would time out.
_LONG = 60.0


class Flights:
    """Carries loads; each flight lands when told to."""

    def __init__(self, limits: Limits) -> None:
        self.loads: list[list[str]] = []
        self.gates: list[asyncio.Future[None]] = []
        self.gathering: Gathering[str] = Gathering(self._carry, limits)

    async def _carry(self, loads: list[str]) -> None:
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.loads.append(loads)
        self.gates.append(gate)
        await gate

    async def add(
        self, *loads: str, weight: int = 1, size: int = 0, claims: Set[str] = frozenset()
    ) -> list[asyncio.Task[None]]:
        """Add loads and let start what can."""
        tasks = [
            asyncio.ensure_future(self.gathering.add(load, weight, size, claims or frozenset()))
            for load in loads
        ]
        await turn()
        return tasks

    async def land(self, index: int) -> None:
        """End a flight and let start what then can."""
        self.gates[index].set_result(None)
        await turn()


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_in_the_same_turn_goes_together() -> None:
    flights = Flights(Limits(10, pause=_LONG))
    tasks = await flights.add("a", "b", "c")
    assert flights.loads == [["a", "b", "c"]]
    await flights.land(0)
    await asyncio.gather(*tasks)


async def test_who_comes_alone_goes_at_once_every_time() -> None:
    flights = Flights(Limits(10, pause=_LONG))
    for index in range(3):
        (task,) = await flights.add(str(index))
        await flights.land(index)
        await task
    assert flights.loads == [["0"], ["1"], ["2"]]


async def test_after_a_landing_all_that_were_there_are_waited_for_and_no_longer() -> None:
    flights = Flights(Limits(10, pause=_LONG))
    tasks = await flights.add("a")
    tasks += await flights.add("b", "c")
    assert flights.loads == [["a"]]
    await flights.land(0)
    assert len(flights.loads) == 1
    tasks += await flights.add("a2")
    assert flights.loads == [["a"], ["b", "c", "a2"]]
    await flights.land(1)
    # Nobody was left behind, three may come again: the first two of them wait.
    tasks += await flights.add("d", "e")
    assert len(flights.loads) == 2
    tasks += await flights.add("f")
    assert flights.loads[2] == ["d", "e", "f"]
    await flights.land(2)
    await asyncio.gather(*tasks)


async def test_the_pause_ends_though_nobody_comes_again() -> None:
    flights = Flights(Limits(10, pause=0.01))
    tasks = await flights.add("a") + await flights.add("b")
    await flights.land(0)
    async with asyncio.timeout(5):
        while len(flights.loads) < 2:  # noqa: ASYNC110 as short as what it waits for
            await asyncio.sleep(0.001)
    await flights.land(1)
    await asyncio.gather(*tasks)


async def test_what_is_worth_it_waits_for_nobody_up_to_the_number_of_flights() -> None:
    flights = Flights(Limits(10, worth=5, flights=2, pause=_LONG, patience=_LONG))
    tasks = await flights.add("a", "b", "c", weight=6)
    assert flights.loads == [["a"], ["b"]]
    await flights.land(0)
    assert flights.loads[2:] == [["c"]]
    await flights.land(1)
    await flights.land(2)
    await asyncio.gather(*tasks)


async def test_a_flight_that_takes_long_does_not_hold_up_the_next() -> None:
    flights = Flights(Limits(10, patience=0.01, pause=0))
    tasks = await flights.add("slow", claims={"a"})
    tasks += await flights.add("a", claims={"a"}) + await flights.add("b", claims={"b"})
    async with asyncio.timeout(5):
        while len(flights.loads) < 2:  # noqa: ASYNC110 as short as what it waits for
            await asyncio.sleep(0.001)
    assert flights.loads == [["slow"], ["b"]]
    await flights.land(0)
    await flights.land(1)
    assert flights.loads[2:] == [["a"]]
    await flights.land(2)
    await asyncio.gather(*tasks)


async def test_small_loads_go_when_they_are_worth_it_together() -> None:
    flights = Flights(Limits(10, worth=5, pause=_LONG, patience=_LONG))
    tasks = await flights.add("a", weight=2) + await flights.add("b", "c", weight=2)
    assert flights.loads == [["a"]]
    tasks += await flights.add("d", weight=2)
    assert flights.loads == [["a"], ["b", "c", "d"]]
    await flights.land(0)
    await flights.land(1)
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(("weight", "size"), [(6, 0), (1, 60)])
async def test_what_does_not_fit_goes_with_the_next(weight: int, size: int) -> None:
    flights = Flights(Limits(10, size=100, pause=0))
    tasks = await flights.add("a", "b", "c", weight=weight, size=size)
    for index in range(3):
        assert flights.loads == [["a"], ["b"], ["c"]][: index + 1]
        await flights.land(index)
    await asyncio.gather(*tasks)


async def test_what_is_claimed_is_never_on_two_flights_and_nobody_overtakes_for_it() -> None:
    flights = Flights(Limits(10, worth=1, pause=_LONG))
    tasks = await flights.add("a1", claims={"a"})
    tasks += await flights.add("ab", claims={"a", "b"})
    tasks += await flights.add("b1", claims={"b"})
    tasks += await flights.add("c1", claims={"c"})
    assert flights.loads == [["a1"], ["c1"]]
    await flights.land(1)
    assert len(flights.loads) == 2
    await flights.land(0)
    assert flights.loads[2:] == [["ab", "b1"]]
    await flights.land(2)
    await asyncio.gather(*tasks)


async def test_who_gave_up_does_not_go() -> None:
    flights = Flights(Limits(10, pause=0))
    first, given_up, third = await flights.add("a") + await flights.add("b", "c")
    given_up.cancel()
    await flights.land(0)
    assert flights.loads[1] == ["c"]
    await flights.land(1)
    await asyncio.gather(first, third)


async def test_a_failed_flight_fails_all_of_its_loads_and_no_other() -> None:
    flights = Flights(Limits(10, pause=0))
    first, *others = await flights.add("a") + await flights.add("b", "c")
    flights.gates[0].set_exception(OSError("lost"))
    await turn()
    with pytest.raises(OSError, match="lost"):
        await first
    assert flights.loads[1] == ["b", "c"]
    await flights.land(1)
    await asyncio.gather(*others)


async def test_where_nobody_waits_for_the_answer_the_pause_is_not_cut_short() -> None:
    flights = Flights(Limits(10, worth=3, pause=_LONG, early=False))
    tasks = await flights.add("a")
    await flights.land(0)
    tasks += await flights.add("b") + await flights.add("c")
    assert flights.loads == [["a"]]
    tasks += await flights.add("d")
    assert flights.loads == [["a"], ["b", "c", "d"]]
    await flights.land(1)
    await asyncio.gather(*tasks)


async def _looks(loads: int) -> int:
    """How often the gathering looks whether a pause is over, while one of ``loads`` waits it out."""

    async def carry(loads: list[int]) -> None:
        await asyncio.sleep(0)

    gathering: Gathering[int] = Gathering(carry, Limits(10))
    looks = 0
    look = gathering._look_again

    def counted() -> None:
        nonlocal looks
        looks += 1
        look()

    gathering._look_again = counted  # type: ignore[method-assign]  # to count it
    await asyncio.gather(*(gathering.add(load) for load in range(loads)))
    await gathering.add(loads)
    return looks


def test_nobody_spins_until_a_pause_is_over() -> None:
    for _ in range(5):
        assert uvloop.run(_looks(3)) <= 2
