"""Start-up that all emulators share: options, ports, the line that says ready, a clean end.

An emulator prints one line of JSON to standard output when it listens, for example
``{"ready": "pubsub", "grpc": 40123, "http": 40124}``, so that its starter need not guess ports.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
import uvloop
from aiohttp import web

from emulators.kit.rpc import Service, Unknown

HOST = "127.0.0.1"
# Pub/Sub takes messages of 10 MB and requests a little larger.
_MAX_MESSAGE = 24 * 1024 * 1024


@dataclass(frozen=True)
class Options:
    """What every emulator can be told. Port 0 means any free one."""

    grpc_port: int = 0
    http_port: int = 0
    data: Path | None = None
    extra: argparse.Namespace = field(default_factory=argparse.Namespace)


@dataclass
class Running:
    """An emulator that listens. ``grpc_port`` is 0 for one without gRPC."""

    name: str
    grpc_port: int
    http_port: int
    stop: Callable[[], Awaitable[None]]


async def start_grpc(services: Sequence[Service], port: int) -> tuple[grpc.aio.Server, int]:
    """Serve gRPC on loopback and return the server with its port."""
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", _MAX_MESSAGE),
            ("grpc.max_send_message_length", _MAX_MESSAGE),
            ("grpc.so_reuseport", 0),
        ]
    )
    server.add_generic_rpc_handlers((*services, Unknown()))
    bound = server.add_insecure_port(f"{HOST}:{port}")
    await server.start()
    return server, bound


async def start_http(app: web.Application, port: int) -> tuple[web.AppRunner, int]:
    """Serve HTTP on loopback and return the runner with its port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, HOST, port)
    await site.start()
    bound: int = runner.addresses[0][1]
    return runner, bound


def main(
    name: str,
    start: Callable[[Options], Awaitable[Running]],
    add_options: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    """Run an emulator as a process until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog=f"emulators.{name}")
    parser.add_argument("--grpc-port", type=int, default=0, help="0: any free one")
    parser.add_argument("--http-port", type=int, default=0, help="0: any free one")
    parser.add_argument("--data", type=Path, help="keep state in this folder")
    if add_options:
        add_options(parser)
    args = parser.parse_args()
    options = Options(args.grpc_port, args.http_port, args.data, args)
    uvloop.run(_run(start, options))


async def _run(start: Callable[[Options], Awaitable[Running]], options: Options) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, ended.set)
    running = await start(options)
    print(
        json.dumps({"ready": running.name, "grpc": running.grpc_port, "http": running.http_port}),
        flush=True,
    )
    await ended.wait()
    await running.stop()
