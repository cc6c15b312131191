"""Start-up of the Pub/Sub emulator: state, timer, pushes, gRPC and the control routes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aiohttp import web

from emulators.kit.control import add_control_routes
from emulators.kit.faults import Faults
from emulators.kit.records import Records
from emulators.kit.serve import Options, Running, start_grpc, start_http
from emulators.kit.timers import Timer
from emulators.pubsub.handlers import services
from emulators.pubsub.journal import Journal
from emulators.pubsub.push import Pushing
from emulators.pubsub.state import Broker
from shared import clock


async def start(options: Options) -> Running:
    """Listen, with the state that ``options.data`` holds."""
    records = Records(options.data / "pubsub.sqlite" if options.data else None)
    faults = Faults()
    broker = Broker(Journal(records), clock.now_ns)
    pushing = Pushing(broker, faults)
    clockwork = Timer(broker)
    timer = asyncio.create_task(clockwork.run())
    timer.add_done_callback(clockwork.ended)
    broker.restore()

    async def reset() -> None:
        broker.clear()

    app = web.Application()
    add_control_routes(app, faults, reset)
    app.router.add_get("/backlog", _backlog_of(broker))
    server, grpc_port = await start_grpc(services(broker, faults), options.grpc_port)
    runner, http_port = await start_http(app, options.http_port)

    async def stop() -> None:
        timer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await timer
        await pushing.close()
        await server.stop(0)
        await runner.cleanup()
        broker.journal.flush()
        records.close()

    return Running("pubsub", grpc_port, http_port, stop)


def _backlog_of(broker: Broker) -> Any:
    async def get_backlog(_: web.Request) -> web.Response:
        now = broker.now_ns()
        answer = {}
        for name, subscription in broker.subscriptions.items():
            backlog = subscription.backlog
            backlog.drop_expired(now)
            oldest = backlog.oldest_ns()
            answer[name] = {
                "undelivered": backlog.undelivered(),
                "outstanding": backlog.outstanding,
                "oldest_age_ms": 0 if oldest is None else max(0, now - oldest) // 1_000_000,
            }
        broker.journal.flush()
        return web.json_response(answer)

    return get_backlog
