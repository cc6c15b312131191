"""The load generator: posts bodies over kept-open connections. Its own CPU time is nobody's figure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp
import uvloop


class UnexpectedAnswer(RuntimeError):
    """A server answered something else than success, so that nothing it did can be a measure."""


@dataclass(frozen=True)
class Poster:
    """Posts from one event loop that lives as long as the run."""

    runner: asyncio.Runner

    def post(
        self, url: str, bodies: Iterable[bytes], headers: Mapping[str, str], concurrent: int = 1
    ) -> None:
        """Post every body once, ``concurrent`` at a time; each must be answered with a 2xx."""
        self.runner.run(_post_all(url, iter(bodies), headers, concurrent))


@contextmanager
def poster() -> Iterator[Poster]:
    """A poster for the whole run."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield Poster(runner)


async def _post_all(url: str, bodies: Iterator[bytes], headers: Mapping[str, str], concurrent: int) -> None:
    timeout = aiohttp.ClientTimeout(total=60)
    connector = aiohttp.TCPConnector(limit=concurrent)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:

        async def client() -> None:
            for body in bodies:
                async with session.post(url, data=body) as response:
                    text = await response.read()
                    if not 200 <= response.status < 300 or response.status == 207:
                        raise UnexpectedAnswer(f"{url} answered {response.status}: {text[:500]!r}")

        await asyncio.gather(*(client() for _ in range(concurrent)))
