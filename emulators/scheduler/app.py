"""Start-up of the stand-in for Cloud Scheduler: state, timer, dispatches, gRPC and the control routes."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from emulators.kit.control import add_control_routes
from emulators.kit.faults import Faults
from emulators.kit.records import Records
from emulators.kit.requests import Caller, routes
from emulators.kit.serve import Options, Running, start_grpc, start_http
from emulators.kit.timers import Timer
from emulators.scheduler.dispatch import Dispatcher
from emulators.scheduler.handlers import service
from emulators.scheduler.state import Jobs
from shared import clock


async def start(options: Options) -> Running:
    """Listen, with the state that ``options.data`` holds."""
    records = Records(options.data / "scheduler.sqlite" if options.data else None)
    faults = Faults()
    jobs = Jobs(records, clock.now_ns)
    dispatcher = Dispatcher(jobs, faults, Caller(routes(options.extra)))
    clockwork = Timer(jobs)
    timer = asyncio.create_task(clockwork.run())
    timer.add_done_callback(clockwork.ended)
    jobs.restore()

    async def reset() -> None:
        jobs.clear()

    async def listed(_: web.Request) -> web.Response:
        return web.json_response(jobs.listed())

    app = web.Application()
    add_control_routes(app, faults, reset)
    app.router.add_get("/jobs", listed)
    server, grpc_port = await start_grpc([service(jobs, faults)], options.grpc_port)
    runner, http_port = await start_http(app, options.http_port)

    async def stop() -> None:
        timer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await timer
        await dispatcher.close()
        await server.stop(0)
        await runner.cleanup()
        records.close()

    return Running("scheduler", grpc_port, http_port, stop)
