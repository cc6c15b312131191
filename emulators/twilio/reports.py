"""Reports of what became of messages: a form to each one's StatusCallback, signed as Twilio signs."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import aiohttp
from twilio.request_validator import RequestValidator

from emulators.kit.faults import Faults, InjectedFault
from emulators.kit.requests import Caller
from emulators.twilio.state import Text

# Twilio waits so long for an answer, and does not ask again.
_SECONDS = 15.0


class Reports:
    """Sends reports, each once, in no certain order, as Twilio does."""

    def __init__(self, token: str, faults: Faults) -> None:
        self._validator = RequestValidator(token)
        self._faults = faults
        self._caller = Caller({})
        self._flights: set[asyncio.Task[None]] = set()

    def tell(self, text: Text) -> None:
        """Begin to tell of a message's status, if somebody wants to know."""
        if text.callback:
            flight = asyncio.get_running_loop().create_task(self._send(text))
            self._flights.add(flight)
            flight.add_done_callback(self._flights.discard)

    async def _send(self, text: Text) -> None:
        form = text.report()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": self._validator.compute_signature(text.callback, form),
        }
        try:
            await self._faults.before("StatusCallback")
            await self._caller.status("POST", text.callback, urlencode(form).encode(), headers, _SECONDS)
        except (aiohttp.ClientError, OSError, TimeoutError, InjectedFault):
            # Nobody answers: the report is lost, as Twilio's own are.
            return

    async def close(self) -> None:
        """End all requests and the session."""
        for flight in tuple(self._flights):
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)
        await self._caller.close()
