"""Start-up of Twilio's stand-in: what was taken, reports, and the HTTP port. There is no gRPC."""

from __future__ import annotations

import argparse

from aiohttp import web

from emulators.kit.control import add_control_routes
from emulators.kit.faults import Faults
from emulators.kit.records import Records
from emulators.kit.serve import Options, Running, start_http
from emulators.twilio.handlers import Rest
from emulators.twilio.reports import Reports
from emulators.twilio.state import Texts
from shared.config import settings

ACCOUNT = "AC" + "0" * 32


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this stand-in alone."""
    parser.add_argument("--account", default=ACCOUNT, help="the account's sid")


async def start(options: Options) -> Running:
    """Listen, with what ``options.data`` holds. The token stands in ``FULCRUM_TWILIO_AUTH_TOKEN``."""
    token = settings().text("TWILIO_AUTH_TOKEN", "")
    records = Records(options.data / "twilio.sqlite" if options.data else None)
    faults = Faults()
    reports = Reports(token, faults)
    texts = Texts(records, reports.tell)
    rest = Rest(texts, faults, getattr(options.extra, "account", ACCOUNT), token)

    async def reset() -> None:
        texts.clear()

    app = web.Application()
    add_control_routes(app, faults, reset)
    rest.add_routes(app)
    rest.carry_on()
    runner, port = await start_http(app, options.http_port)

    async def stop() -> None:
        await runner.cleanup()
        await rest.close()
        await reports.close()
        records.close()

    return Running("twilio", 0, port, stop)
