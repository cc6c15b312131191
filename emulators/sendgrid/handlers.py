"""The requests of the Web API v3: read, ask the state, answer. And the routes that only a stand-in has."""

from __future__ import annotations

import hmac
import json
import traceback
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from emulators.kit.faults import Faults, InjectedFault
from emulators.sendgrid import checks
from emulators.sendgrid.errors import STATUSES, ServiceError, plain, unsupported, unverified
from emulators.sendgrid.state import OUTCOMES, Mails
from shared import clock

METHOD = "MailSend"
MAX_BYTES = 30_000_000
_WINDOW_MS = 60_000


class Limit:
    """At most ``most`` requests a minute; the headers that tell of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._window = 0
        self._used = 0

    def take(self) -> bool:
        """Whether one more request fits."""
        self._turn()
        if self._used >= self._most:
            return False
        self._used += 1
        return True

    def headers(self) -> dict[str, str]:
        """How much is left, and the second at which there is all of it again."""
        self._turn()
        return {
            "X-RateLimit-Limit": str(self._most),
            "X-RateLimit-Remaining": str(self._most - self._used),
            "X-RateLimit-Reset": str((self._window + 1) * _WINDOW_MS // 1000),
        }

    def _turn(self) -> None:
        window = clock.now_ms() // _WINDOW_MS
        if window != self._window:
            self._window, self._used = window, 0


class Rest:
    """The handlers. ``key``: the API key that is let in, any without; ``senders``: addresses or domains that
    are verified, any without."""

    def __init__(self, mails: Mails, faults: Faults, key: str, senders: Iterable[str], limit: Limit) -> None:
        self._mails = mails
        self._faults = faults
        self._key = key
        self._senders = frozenset(sender.casefold() for sender in senders)
        self._limit = limit

    def add_routes(self, app: web.Application) -> None:
        """Add the routes; any other path is refused by name."""
        app.router.add_post("/v3/mail/send", self._send)
        app.router.add_get("/outbox", self._outbox)
        app.router.add_get("/outcomes", self._listed_outcomes)
        app.router.add_post("/outcomes", self._set_outcomes)
        app.router.add_route("*", "/{path:.*}", _not_implemented)

    async def _send(self, request: web.Request) -> web.Response:
        try:
            await self._faults.before(METHOD)
            message_id = self._accepted(request, await request.read())
        except ServiceError as error:
            return self._failed(error)
        except InjectedFault as fault:
            return self._failed(plain(STATUSES.get(fault.code, 500)))
        except web.HTTPRequestEntityTooLarge:
            return self._failed(plain(413))
        except Exception:
            traceback.print_exc()
            return self._failed(plain(500))
        try:
            self._faults.after(METHOD)
        except InjectedFault:
            # The work is done and nobody hears of it.
            if request.transport is not None:
                request.transport.abort()
        return web.Response(status=202, headers={"X-Message-Id": message_id, **self._limit.headers()})

    def _accepted(self, request: web.Request, raw: bytes) -> str:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        known = not self._key or hmac.compare_digest(key.encode(), self._key.encode())
        if scheme.lower() != "bearer" or not key or not known:
            raise plain(401)
        if not self._limit.take():
            raise plain(429)
        if len(raw) > MAX_BYTES:
            raise plain(413)
        if request.content_type != "application/json":
            raise plain(400)
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise plain(400) from None
        mail = checks.check(body)
        sender = mail["from"]["email"].casefold()
        if self._senders and not self._senders & {sender, sender.rpartition("@")[2]}:
            raise unverified()
        return self._mails.accept(mail)

    def _failed(self, error: ServiceError) -> web.Response:
        headers = self._limit.headers()
        if error.status == 429:
            headers["X-RateLimit-Remaining"] = "0"
        return web.json_response(error.body(), status=error.status, headers=headers)

    async def _outbox(self, _: web.Request) -> web.Response:
        return web.json_response(list(self._mails.mails.values()))

    async def _listed_outcomes(self, _: web.Request) -> web.Response:
        return web.json_response(self._mails.outcomes)

    async def _set_outcomes(self, request: web.Request) -> web.Response:
        try:
            given: Any = await request.json()
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict) or not set(given.values()) <= set(OUTCOMES):
            return web.json_response({"error": f"send {{address: one of {OUTCOMES}}}"}, status=400)
        for address, outcome in given.items():
            self._mails.set_outcome(address, outcome)
        return await self._listed_outcomes(request)


async def _not_implemented(request: web.Request) -> web.Response:
    error = unsupported(f"{request.method} {request.path}")
    return web.json_response(error.body(), status=error.status)
