"""One project's listeners in this process, and the sources that run for as long as there are any."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal

import msgspec

from functions.api.live import events, sources
from shared.log import log

# What a listener may have waiting before it is told that it is too slow.
QUEUE = 2_000
_PAUSES = (0.2, 1.0, 5.0, 15.0)

Source = Callable[[str], AbstractAsyncContextManager[AsyncIterator[list[events.Live]]]]


class Notice(msgspec.Struct, frozen=True):
    """What happens to the feed itself: a gap (read again what matters), or its end for a slow listener."""

    name: Literal["gap", "overflow"]


Item = events.Live | Notice


class Hub:
    """Feeds listeners of one project. Its sources start with the first one and end with the last."""

    def __init__(self, project_id: str, feeds: tuple[Source, ...]) -> None:
        self._project_id = project_id
        self._feeds = feeds
        self._queues: set[asyncio.Queue[Item]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._running = [asyncio.Event() for _ in feeds]

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._queues)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Queue[Item]]:
        """A queue of what happens from now on; entered once the sources run."""
        queue: asyncio.Queue[Item] = asyncio.Queue(QUEUE)
        self._queues.add(queue)
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._feed(source, running))
                for source, running in zip(self._feeds, self._running, strict=True)
            ]
        try:
            for running in self._running:
                await running.wait()
            yield queue
        finally:
            self._queues.discard(queue)
            if not self._queues:
                self._end()

    def _end(self) -> None:
        # Not awaited: a listener that goes away is being cancelled itself, and could wait for nothing.
        for task in self._tasks:
            task.cancel()
            _ending.add(task)
            task.add_done_callback(_ending.discard)
        self._tasks = []
        self._running = [asyncio.Event() for _ in self._feeds]

    async def _feed(self, source: Source, running: asyncio.Event) -> None:
        failures = 0
        while True:
            try:
                async with source(self._project_id) as found:
                    if failures:
                        self._tell(Notice("gap"))
                    running.set()
                    async for batch in found:
                        failures = 0
                        for event in batch:
                            self._tell(event)
            except asyncio.CancelledError:
                raise
            except Exception:
                # Whatever it is, listeners wait, and are told of the gap once the source is there again.
                log(
                    "WARNING",
                    "a live source failed",
                    projectId=self._project_id,
                    error=traceback.format_exc(),
                )
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1

    def _tell(self, item: Item) -> None:
        for queue in list(self._queues):
            try:
                queue.put_nowait(item)
            except asyncio.QueueFull:
                self._queues.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(Notice("overflow"))


# Sources that are being closed, held until they are.
_ending: set[asyncio.Task[None]] = set()
_hubs: dict[tuple[str, asyncio.AbstractEventLoop], Hub] = {}


@asynccontextmanager
async def listening(project_id: str) -> AsyncIterator[asyncio.Queue[Item]]:
    """A queue of what happens in a project from now on."""
    key = (project_id, asyncio.get_running_loop())
    hub = _hubs.setdefault(key, Hub(project_id, (sources.data_events, sources.audit_events)))
    try:
        async with hub.listening() as queue:
            yield queue
    finally:
        if not hub.listeners:
            _hubs.pop(key, None)
