"""Listeners of one project: the sources run while somebody listens, gaps are told, the slow are let go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from functions.api.live import events, hub


class Source:
    """A source that a test feeds; ``break_off`` ends it with an error."""

    def __init__(self) -> None:
        self.open = 0
        self.made = 0
        self.items: asyncio.Queue[list[events.Live] | None] = asyncio.Queue()

    @asynccontextmanager
    async def __call__(self, project_id: str) -> AsyncIterator[AsyncIterator[list[events.Live]]]:
        self.open += 1
        self.made += 1
        try:
            yield self._items()
        finally:
            self.open -= 1

    async def _items(self) -> AsyncIterator[list[events.Live]]:
        while True:
            batch = await self.items.get()
            if batch is None:
                raise ConnectionError("broken off")
            yield batch


def live(number: int) -> events.Live:
    return events.Live("data", "device.readData", {"number": number})


async def test_the_source_runs_while_somebody_listens() -> None:
    source = Source()
    made = hub.Hub("p", (source,))
    async with made.listening() as first:
        async with made.listening() as second:
            assert (source.open, made.listeners) == (1, 2)
            await source.items.put([live(1)])
            assert await first.get() == await second.get() == live(1)
        assert source.open == 1
    await asyncio.sleep(0)
    assert (source.open, made.listeners) == (0, 0)
    async with made.listening():
        assert source.made == 2


async def test_a_source_that_breaks_off_comes_back_and_the_gap_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "_PAUSES", (0.0,))
    source = Source()
    async with hub.Hub("p", (source,)).listening() as queue:
        await source.items.put(None)
        assert await queue.get() == hub.Notice("gap")
        await source.items.put([live(2)])
        assert await queue.get() == live(2)
        assert source.made == 2


async def test_a_listener_that_is_too_slow_is_told_and_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "QUEUE", 3)
    source = Source()
    made = hub.Hub("p", (source,))
    async with made.listening() as slow, made.listening() as quick:
        for number in range(5):
            await source.items.put([live(number)])
            assert await quick.get() == live(number)
        assert await slow.get() == hub.Notice("overflow")
        assert slow.empty()
        assert made.listeners == 1


@pytest.mark.parametrize("text", ["", "x", "1-", "-a", "1-a/b", "1" * 30 + "-a", "1-a\n"])
def test_a_foreign_last_event_id_is_none(text: str) -> None:
    assert events.position(text) is None
