"""Requests that an emulator makes in its service's name: routed, with a deadline on the movable clock."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping

import aiohttp

from shared import clock

# As HttpMethod of Cloud Tasks and of Cloud Scheduler numbers them; unsaid (0) is POST, too.
METHODS = ("POST", "POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS")


def add_routes(parser: argparse.ArgumentParser) -> None:
    """The option that :func:`routes` reads."""
    parser.add_argument(
        "--route",
        action="append",
        default=[],
        metavar="PREFIX=URL",
        help="send requests whose URL begins with PREFIX to URL instead",
    )


def routes(given: argparse.Namespace) -> dict[str, str]:
    """Beginnings of URLs, and what stands in their place."""
    return dict(route.split("=", 1) for route in getattr(given, "route", ()))


class Caller:
    """Makes requests. ``routes``: beginnings of URLs, and what stands in their place."""

    def __init__(self, routes: Mapping[str, str]) -> None:
        self._routes = dict(routes)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),  # the deadline ends it, on the movable clock
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def status(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> int:
        """The status that is answered; TimeoutError after so many seconds, aiohttp's errors for none.

        Redirects are not followed.
        """
        sending = asyncio.ensure_future(self._send(method, url, body, headers))
        deadline = asyncio.ensure_future(clock.sleep(seconds))
        try:
            await asyncio.wait((sending, deadline), return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise TimeoutError
            return sending.result()
        finally:
            sending.cancel()
            deadline.cancel()

    async def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        async with self._session.request(
            method, self._routed(url), data=body or None, headers=headers, allow_redirects=False
        ) as response:
            await response.read()
            return response.status

    def _routed(self, url: str) -> str:
        """Where a URL leads now."""
        for prefix, target in self._routes.items():
            if url.startswith(prefix):
                return target + url.removeprefix(prefix)
        return url

    async def close(self) -> None:
        """End the session."""
        await self._session.close()
