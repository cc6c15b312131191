"""The stack's own routes on its second, loopback-only port, beside Pub/Sub's pushes.

GET  /_control/<token>/processes               what runs
POST /_control/<token>/functions/<name>/kill   SIGKILL a function's process, as if its machine had died
POST /_push/<token>/<function>                 Pub/Sub
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from aiohttp import web

from local.front import Front
from local.functions import FunctionRunner

_CONTROL = "/_control/"


class Internal:
    """Answers requests on the loopback-only port. ``processes`` describes what runs, as JSON."""

    def __init__(
        self, front: Front, runners: dict[str, FunctionRunner], processes: Callable[[], dict[str, Any]]
    ) -> None:
        self._front = front
        self._runners = runners
        self._processes = processes

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """A push or a control request."""
        if not request.path.startswith(_CONTROL):
            return await self._front.pushed(request)
        token, _, rest = request.path.removeprefix(_CONTROL).partition("/")
        if not hmac.compare_digest(token.encode(), self._front.token.encode()):
            return web.json_response({"error": "no such route"}, status=404)
        match request.method, rest.split("/"):
            case "GET", ["processes"]:
                return web.json_response(self._processes())
            case "POST", ["functions", name, "kill"] if name in self._runners:
                return web.json_response({"killed": self._runners[name].kill()})
        return web.json_response({"error": f"no such route: {request.method} {rest}"}, status=404)
