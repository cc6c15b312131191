"""REST: the resource Messages, and what a test looks at. Parse and serialise only."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from emulators.kit.faults import Faults, InjectedFault
from emulators.twilio import numbers
from emulators.twilio.errors import ApiError, authenticate, injected, invalid, not_found, unsupported
from emulators.twilio.state import Fate, Texts

_MESSAGES = "/2010-04-01/Accounts/{account}/Messages"
_FIELDS = frozenset({"To", "From", "MessagingServiceSid", "Body", "StatusCallback"})
_FILTERS = frozenset({"To", "From", "PageSize", "Page", "PageToken"})
_MOST, _DEFAULT = 1_000, 50
Handler = Callable[[web.Request], Awaitable[web.Response]]


class Rest:
    """The handlers. ``account`` and ``token`` are whose requests are let in."""

    def __init__(self, texts: Texts, faults: Faults, account: str, token: str) -> None:
        self._texts = texts
        self._faults = faults
        self._account = account
        self._token = token
        self._carried: set[asyncio.Task[None]] = set()

    def add_routes(self, app: web.Application) -> None:
        """Add the routes; any other path is answered as Twilio answers what is not there."""
        add = app.router.add_route
        add("POST", f"{_MESSAGES}.json", self._served("CreateMessage", self._create))
        add("GET", f"{_MESSAGES}.json", self._served("ListMessages", self._list))
        add("GET", _MESSAGES + "/{sid}.json", self._served("FetchMessage", self._fetch))
        add("GET", "/outbox", self._outbox)
        add("POST", "/limits", self._limits)
        add("POST", "/fates", self._fates)
        add("*", "/{path:.*}", self._served("Unknown", self._unknown))

    def carry_on(self) -> None:
        """Carry what was under way when an earlier process ended."""
        for text in self._texts.under_way():
            self._carry(text.sid)

    def _carry(self, sid: str) -> None:
        task = asyncio.create_task(self._texts.carry(sid))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def close(self) -> None:
        """Leave messages where they are."""
        for task in tuple(self._carried):
            task.cancel()
        await asyncio.gather(*self._carried, return_exceptions=True)

    def _served(self, method: str, handler: Handler) -> Handler:
        async def serve(request: web.Request) -> web.Response:
            # All of it first, as of one that will be done, whatever becomes of the caller.
            await request.read()
            try:
                await self._faults.before(method)
                self._check(request)
                self._texts.count()
                answer = await handler(request)
                self._faults.after(method)
            except ApiError as error:
                return _failed(error)
            except InjectedFault as fault:
                if fault.code == "ABORTED" and request.transport is not None:
                    # Nobody answers: the connection ends.
                    request.transport.abort()
                    return web.Response(status=500)
                return _failed(injected(fault.code))
            return answer

        return serve

    def _check(self, request: web.Request) -> None:
        """HTTP basic authentication, by the account's own sid and token."""
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise authenticate() from None
        expected = f"{self._account}:{self._token}".encode()
        if scheme.lower() != "basic" or not self._token or not hmac.compare_digest(given, expected):
            raise authenticate()
        if request.match_info.get("account", self._account) != self._account:
            raise not_found(request.path)

    async def _create(self, request: web.Request) -> web.Response:
        posted = await request.post()
        form: dict[str, str] = {}
        for name, value in posted.items():
            if name not in _FIELDS or not isinstance(value, str):
                raise unsupported(f"the parameter {name}")
            form[name] = value
        numbers.check(form)
        text = self._texts.take(self._account, form)
        self._carry(text.sid)
        return web.json_response(text.resource(), status=201)

    async def _fetch(self, request: web.Request) -> web.Response:
        text = self._texts.all.get(request.match_info["sid"])
        if text is None:
            raise not_found(request.path)
        return web.json_response(text.resource())

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        for name in query:
            if name not in _FILTERS:
                raise unsupported(f"the parameter {name}")
        found = [
            text
            for text in reversed(self._texts.all.values())
            if query.get("To", text.to) == text.to and query.get("From", text.sender) == text.sender
        ]
        size, page = _number(query, "PageSize", _DEFAULT), _number(query, "Page", 0)
        if not 0 < size <= _MOST:
            raise invalid(20006, f"Page size must be between 1 and {_MOST}")
        here = str(request.rel_url)
        following = request.rel_url.update_query(Page=page + 1, PageSize=size)
        more = (page + 1) * size < len(found)
        return web.json_response(
            {
                "messages": [text.resource() for text in found[page * size : (page + 1) * size]],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": min((page + 1) * size, len(found)) - 1,
                "uri": here,
                "first_page_uri": str(request.rel_url.update_query(Page=0, PageSize=size)),
                "next_page_uri": str(following) if more else None,
                "previous_page_uri": None
                if page == 0
                else str(request.rel_url.update_query(Page=page - 1, PageSize=size)),
            }
        )

    async def _unknown(self, request: web.Request) -> web.Response:
        raise not_found(request.path)

    # What a test looks at, and sets

    async def _outbox(self, _: web.Request) -> web.Response:
        return web.json_response({"messages": [text.resource() for text in self._texts.all.values()]})

    async def _limits(self, request: web.Request) -> web.Response:
        body = await _body(request)
        per_second = body.get("perSecond", 0)
        if type(per_second) is not int or per_second < 0:
            return web.json_response({"error": "send {'perSecond': a number, 0 for any}"}, status=400)
        self._texts.limit(per_second)
        return web.json_response({"perSecond": per_second})

    async def _fates(self, request: web.Request) -> web.Response:
        body = await _body(request)
        status, code = body.get("status"), body.get("errorCode")
        if status not in ("delivered", "undelivered", "failed") or not isinstance(body.get("to"), str):
            said = "send {'to', 'status': 'delivered', 'undelivered' or 'failed', 'errorCode'}"
            return web.json_response({"error": said}, status=400)
        self._texts.decide(body["to"], Fate(status, int(code) if code else None))
        return web.json_response(body)


def _failed(error: ApiError) -> web.Response:
    return web.json_response(error.body(), status=error.status, headers=error.headers())


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _number(query: Any, name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal():
        raise invalid(20006, f"{name} must be a number")
    return int(text)
