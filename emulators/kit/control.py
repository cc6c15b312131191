"""The control routes of an emulator, beside the service itself.

GET    /health
POST   /reset      forget all state, rules and counts
GET    /faults     the rules in force
POST   /faults     {"rules": [...], "seed": 0}: replace them (see emulators.kit.faults)
DELETE /faults
GET    /calls      {method: number of calls since the start or the last DELETE}
DELETE /calls
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from emulators.kit.faults import Faults


def add_control_routes(app: web.Application, faults: Faults, reset: Callable[[], Awaitable[None]]) -> None:
    """Add the routes to an aiohttp application; ``reset`` empties the emulator's state."""

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def do_reset(_: web.Request) -> web.Response:
        await reset()
        faults.set([])
        faults.calls.clear()
        return web.json_response({"status": "ok"})

    async def get_faults(_: web.Request) -> web.Response:
        return web.json_response({"rules": faults.listed()})

    async def post_faults(request: web.Request) -> web.Response:
        try:
            body = await request.json()
            faults.set(body["rules"], int(body.get("seed", 0)))
        except (ValueError, TypeError, KeyError) as error:
            return web.json_response(
                {"error": f"{error}; send {{'rules': [{{'method', 'error_rate', ...}}]}}"}, status=400
            )
        return await get_faults(request)

    async def delete_faults(request: web.Request) -> web.Response:
        faults.set([])
        return await get_faults(request)

    async def get_calls(_: web.Request) -> web.Response:
        return web.json_response(dict(faults.calls))

    async def delete_calls(request: web.Request) -> web.Response:
        faults.calls.clear()
        return await get_calls(request)

    app.router.add_get("/health", health)
    app.router.add_post("/reset", do_reset)
    app.router.add_get("/faults", get_faults)
    app.router.add_post("/faults", post_faults)
    app.router.add_delete("/faults", delete_faults)
    app.router.add_get("/calls", get_calls)
    app.router.add_delete("/calls", delete_calls)
