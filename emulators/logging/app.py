"""Start-up: the file that is followed, and the HTTP port (REST and control routes). There is no gRPC."""

from __future__ import annotations

from aiohttp import web

from emulators.kit.control import add_control_routes
from emulators.kit.faults import Faults
from emulators.kit.serve import Options, Running, start_http
from emulators.logging.handlers import Rest
from emulators.logging.state import Lines


async def start(options: Options) -> Running:
    """Listen; ``options.extra.log`` is the file that the stack writes. It keeps nothing of its own."""
    faults = Faults()
    lines = Lines(options.extra.log)
    app = web.Application()

    async def reset() -> None:
        lines.forget()

    add_control_routes(app, faults, reset)
    Rest(lines, faults).add_routes(app)
    runner, port = await start_http(app, options.http_port)

    async def stop() -> None:
        await runner.cleanup()
        lines.close()

    return Running("logging", 0, port, stop)
