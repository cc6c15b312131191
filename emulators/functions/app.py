"""Start-up: the gRPC services, the HTTP side with control routes, the folder of what is kept."""

from __future__ import annotations

import argparse
import shutil
import socket
import tempfile
from pathlib import Path

import aiohttp
from aiohttp import web

from emulators.functions import front
from emulators.functions.builds import Builder
from emulators.functions.deploying import Deploying
from emulators.functions.handlers import services
from emulators.functions.leash import Leash
from emulators.functions.state import State
from emulators.kit.control import add_control_routes
from emulators.kit.faults import Faults
from emulators.kit.records import Records
from emulators.kit.serve import HOST, Options, Running, start_grpc, start_http

_IDLE_SECONDS = 900.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this emulator beyond those that all have."""
    parser.add_argument(
        "--idle-seconds", type=float, default=_IDLE_SECONDS, help="end a function after that; 0: never"
    )
    parser.add_argument(
        "--mark", default="", metavar="NAME=VALUE", help="a variable in the environment of each function"
    )


async def start(options: Options) -> Running:
    """Serve until ``stop``."""
    folder = options.data or Path(tempfile.mkdtemp(prefix="fulcrum-functions-"))
    records = Records(options.data / "functions.sqlite" if options.data else None)
    state, faults = State(records, folder), Faults()
    name, _, value = str(getattr(options.extra, "mark", "")).partition("=")
    idle = float(getattr(options.extra, "idle_seconds", _IDLE_SECONDS))
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=1.0),
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    leash = Leash()
    builder = Builder(folder / "environments", leash)
    deploying = Deploying(state, builder, session, leash, {name: value} if name else {}, idle)
    app = web.Application()
    add_control_routes(app, faults, deploying.reset)
    front.add_routes(app, state, deploying, faults)
    runner, http_port = await _listen(app, options)
    deploying.base = f"http://{HOST}:{http_port}"
    server, grpc_port = await start_grpc(services(state, deploying, faults), options.grpc_port)
    deploying.restore()

    async def stop() -> None:
        await server.stop(0.2)
        await runner.cleanup()
        await deploying.close()
        await session.close()
        leash.close()
        records.close()
        if options.data is None:
            shutil.rmtree(folder, ignore_errors=True)

    return Running("functions", grpc_port, http_port, stop)


async def _listen(app: web.Application, options: Options) -> tuple[web.AppRunner, int]:
    """Serve HTTP on the port that it had before, where state is kept: the URLs of functions name it."""
    kept = options.data / "http-port" if options.data else None
    if kept is None or options.http_port:
        return await start_http(app, options.http_port)
    before = int(kept.read_text()) if kept.exists() else 0
    if before and not _is_free(before):
        print(f"port {before} is taken: scripts must be deployed again", flush=True)  # noqa: T201 to the log
        before = 0
    runner, port = await start_http(app, before)
    kept.write_text(str(port))
    return runner, port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True
