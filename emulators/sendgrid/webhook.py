"""The Event Webhook: events posted in batches, signed, and again for a day where nobody takes them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from emulators.kit.faults import Faults, InjectedFault
from emulators.sendgrid import signing
from emulators.sendgrid.state import Mails
from shared import clock

METHOD = "Webhook"
_DAY_SECONDS = 86_400
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 600.0
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class Webhook:
    """Posts the events of mails to ``url``; none without one. ``seed``: of the key that signs."""

    def __init__(self, mails: Mails, faults: Faults, url: str, seed: str) -> None:
        self._mails = mails
        self._faults = faults
        self._url = url
        self._key = signing.private_key(seed) if url else None
        self._flights: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        mails.on_events = self._begin

    def _begin(self, message_id: str) -> None:
        if not self._url:
            self._mails.told(message_id)
            return
        flight = asyncio.get_running_loop().create_task(self._tell(message_id))
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    async def _tell(self, message_id: str) -> None:
        began, pause = clock.now_ms(), _FIRST_PAUSE
        while (events := self._mails.events.get(message_id)) is not None:
            if await self._taken(events) or clock.now_ms() - began > _DAY_SECONDS * 1000:
                self._mails.told(message_id)
                return
            await clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _taken(self, events: list[dict[str, Any]]) -> bool:
        body = json.dumps(events).encode()
        signed = signing.headers(self._key, str(clock.now_ms() // 1000), body)
        sent = {"Content-Type": "application/json", "User-Agent": "SendGrid Event API", **signed}
        try:
            await self._faults.before(METHOD)
            async with self._session.post(
                self._url, data=body, headers=sent, allow_redirects=False
            ) as answer:
                await answer.read()
            self._faults.after(METHOD)
        except (aiohttp.ClientError, OSError, TimeoutError, InjectedFault):
            return False  # nobody listens, or too late: told again later
        return 200 <= answer.status < 300

    async def close(self) -> None:
        """End all requests and the session."""
        for flight in tuple(self._flights):
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)
        await self._session.close()
