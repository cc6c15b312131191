"""The stack's schedules post when their time has come by the stack's clock, and after a failure too."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from aiohttp import web

from local.logs import Log
from local.schedules import Schedules, following
from local.topology import Schedule
from shared import clock


class _Silent(Log):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def test_the_next_instant_is_that_of_the_expression() -> None:
    assert following("* * * * *", 1_790_000_000.5) == 1_790_000_040.0
    assert following("0 3 * * *", 0.0) == 3 * 3600.0


async def test_a_moved_clock_is_seen_and_a_failure_is_told(tmp_path: Path) -> None:
    got: asyncio.Queue[object] = asyncio.Queue()
    statuses = [500, 204, 204]

    async def take(request: web.BaseRequest) -> web.Response:
        got.put_nowait(await request.json())
        return web.Response(status=statuses.pop(0))

    runner = web.ServerRunner(web.Server(take))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    path, log = tmp_path / "clock", _Silent()
    clock.create(path)
    schedules = Schedules([Schedule("s", "f", "0 3 * * *", {"a": 1})], lambda _: url, path, log)
    schedules.start()
    try:
        for _ in range(2):
            await asyncio.sleep(0)
            assert got.empty()
            clock.advance(path, 86_400)
            assert await asyncio.wait_for(got.get(), 10) == json.loads('{"a": 1}')
    finally:
        await schedules.stop()
        await runner.cleanup()
    assert log.said == ["schedule s: f answered 500"]
