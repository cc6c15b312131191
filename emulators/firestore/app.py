"""Start-up: the gRPC service, the control routes, the files."""

from __future__ import annotations

import argparse
from pathlib import Path

from aiohttp import web

from emulators.firestore.handlers import methods
from emulators.firestore.indexes import Indexes
from emulators.firestore.state import Store
from emulators.kit.control import add_control_routes
from emulators.kit.faults import Faults
from emulators.kit.records import Records
from emulators.kit.rpc import Service
from emulators.kit.serve import Options, Running, start_grpc, start_http


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this emulator beyond those that all have."""
    parser.add_argument("--indexes", type=Path, help="a firestore.indexes.json, read at the start")
    parser.add_argument(
        "--strict", action="store_true", help="refuse queries that need an index which is not in --indexes"
    )


async def start(options: Options) -> Running:
    """Serve until ``stop``."""
    records = Records(options.data / "firestore.db" if options.data else None)
    store = Store(records)
    indexes = Indexes.load(options.extra.indexes) if getattr(options.extra, "strict", False) else None
    faults = Faults()
    service = Service("google.firestore.v1.Firestore", methods(store, indexes, faults), faults)
    server, grpc_port = await start_grpc([service], options.grpc_port)
    control = web.Application()

    async def reset() -> None:
        store.reset()

    add_control_routes(control, faults, reset)
    runner, http_port = await start_http(control, options.http_port)

    async def stop() -> None:
        await server.stop(0.2)
        await runner.cleanup()
        records.close()

    return Running("firestore", grpc_port, http_port, stop)
