"""Start-up of the stand-in for Cloud Tasks: state, timer, dispatches, gRPC and the control routes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from aiohttp import web

from emulators.kit.control import add_control_routes
from emulators.kit.faults import Faults
from emulators.kit.records import Records
from emulators.kit.requests import Caller, add_routes, routes
from emulators.kit.serve import Options, Running, start_grpc, start_http
from emulators.kit.timers import Timer
from emulators.tasks.dispatch import Dispatcher
from emulators.tasks.handlers import service
from emulators.tasks.state import Tasks
from shared import clock


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this emulator alone."""
    add_routes(parser)


async def start(options: Options) -> Running:
    """Listen, with the state that ``options.data`` holds."""
    records = Records(options.data / "tasks.sqlite" if options.data else None)
    faults = Faults()
    tasks = Tasks(records, clock.now_ns)
    dispatcher = Dispatcher(tasks, faults, Caller(routes(options.extra)))
    clockwork = Timer(tasks)
    timer = asyncio.create_task(clockwork.run())
    timer.add_done_callback(clockwork.ended)
    tasks.restore()

    async def reset() -> None:
        tasks.clear()

    async def backlog(_: web.Request) -> web.Response:
        return web.json_response(tasks.backlog())

    app = web.Application()
    add_control_routes(app, faults, reset)
    app.router.add_get("/backlog", backlog)
    server, grpc_port = await start_grpc([service(tasks, faults)], options.grpc_port)
    runner, http_port = await start_http(app, options.http_port)

    async def stop() -> None:
        timer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await timer
        await dispatcher.close()
        await server.stop(0)
        await runner.cleanup()
        records.close()

    return Running("tasks", grpc_port, http_port, stop)
