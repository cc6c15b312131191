"""REST: ``POST /v2/entries:list``. Parse and serialise only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import traceback
from typing import Any

from aiohttp import web

from emulators.kit.faults import Faults, InjectedFault
from emulators.logging import filters
from emulators.logging.errors import CODES, ServiceError, invalid, unsupported
from emulators.logging.state import INDEXED, Lines
from shared.config import settings

METHOD = "ListLogEntries"
_KEYS = frozenset({"resourceNames", "filter", "orderBy", "pageSize", "pageToken"})
_ORDERS = ("timestamp asc", "timestamp desc")
_MOST, _DEFAULT = 1_000, 50


class Rest:
    """The handlers."""

    def __init__(self, lines: Lines, faults: Faults) -> None:
        self._lines = lines
        self._faults = faults

    def add_routes(self, app: web.Application) -> None:
        """Add the routes; any other path is refused by name."""
        app.router.add_post("/v2/entries:list", self._list)
        app.router.add_route("*", "/{path:.*}", _not_implemented)

    async def _list(self, request: web.Request) -> web.Response:
        try:
            await self._faults.before(METHOD)
            answer = self._listed(_body(await request.read()))
            self._faults.after(METHOD)
        except ServiceError as error:
            return web.json_response(error.body(), status=error.code)
        except InjectedFault as fault:
            code = CODES.get(fault.code, 500)
            return web.json_response(ServiceError(code, str(fault)).body(), status=code)
        except Exception as error:
            traceback.print_exc()
            failed = ServiceError(500, f"the stand-in failed: {type(error).__name__}: {error}")
            return web.json_response(failed.body(), status=500)
        return web.json_response(answer)

    def _listed(self, body: dict[str, Any]) -> dict[str, Any]:
        text = _text(body, "filter")
        node = filters.parse(text)
        order = _text(body, "orderBy") or _ORDERS[0]
        if order not in _ORDERS:
            raise invalid(f"orderBy {order!r} is not one of {_ORDERS}")
        size = body.get("pageSize", _DEFAULT)
        if type(size) is not int or not 0 < size <= _MOST:
            raise invalid(f"pageSize must be between 1 and {_MOST}")
        mark = hashlib.sha256(f"{order}\n{text}".encode()).hexdigest()[:16]
        start = _start(_text(body, "pageToken"), mark)
        self._lines.refresh()
        found = [
            (time, number, entry)
            for time, number, entry in self._lines.entries(filters.required(node, INDEXED))
            if filters.matches(node, entry)
        ]
        found.sort(key=lambda one: one[:2], reverse=order == _ORDERS[1])
        answer: dict[str, Any] = {}
        if page := found[start : start + size]:
            answer["entries"] = [{**entry, "insertId": f"{number:012d}"} for _, number, entry in page]
        if start + size < len(found):
            answer["nextPageToken"] = base64.urlsafe_b64encode(f"{mark}:{start + size}".encode()).decode()
        return answer


def _body(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise invalid(f"Invalid JSON payload received: {error}") from None
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received: an object is expected")
    for key in body.keys() - _KEYS:
        raise invalid(f'Invalid JSON payload received. Unknown name "{key}": Cannot find field.')
    resources = body.get("resourceNames")
    if not isinstance(resources, list) or not resources:
        raise invalid("resourceNames is missing")
    for name in resources:
        if not isinstance(name, str) or not name.startswith("projects/") or name.count("/") != 1:
            raise unsupported(f"the resource {name}")
        if name != f"projects/{settings().cloud_project}":
            raise ServiceError(404, f"Project does not exist: {name}")
    return body


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key, "")
    if not isinstance(value, str):
        raise invalid(f"{key} is no string")
    return value


def _start(token: str, mark: str) -> int:
    """Where a page begins; a token belongs to its filter and order."""
    if not token:
        return 0
    try:
        given, _, start = base64.urlsafe_b64decode(token).decode().partition(":")
        if given == mark:
            return int(start)
    except (binascii.Error, ValueError):
        raise invalid("page_token is invalid") from None
    raise invalid("page_token doesn't match arguments from the request")


async def _not_implemented(request: web.Request) -> web.Response:
    error = unsupported(f"{request.method} {request.path}")
    return web.json_response(error.body(), status=error.code)
