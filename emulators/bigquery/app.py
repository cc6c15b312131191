"""Start-up: the store, the catalog, the HTTP port (REST and control routes) and the gRPC port."""

from __future__ import annotations

from aiohttp import web

from emulators.bigquery.engine import Engine
from emulators.bigquery.handlers import Rest
from emulators.bigquery.query_handlers import QueryRest
from emulators.bigquery.write import WriteApi
from emulators.kit.control import add_control_routes
from emulators.kit.faults import Faults
from emulators.kit.serve import Options, Running, start_grpc, start_http

_MAX_BODY = 16 * 1024 * 1024


async def start(options: Options) -> Running:
    """Start the emulator; what it keeps with ``--data`` is read first."""
    faults = Faults()
    engine = Engine(options.data)
    await engine.open()
    app = web.Application(client_max_size=_MAX_BODY)
    add_control_routes(app, faults, engine.reset)
    Rest(engine, faults).add_routes(app)
    QueryRest(engine, faults).add_routes(app)
    server, grpc_port = await start_grpc(
        [WriteApi(engine.catalog, engine.store, faults).service()], options.grpc_port
    )
    runner, http_port = await start_http(app, options.http_port)

    async def stop() -> None:
        await server.stop(0.2)
        await runner.cleanup()
        await engine.close()

    return Running("bigquery", grpc_port, http_port, stop)
