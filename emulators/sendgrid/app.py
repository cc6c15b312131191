"""Start-up of the stand-in for SendGrid: state, the webhook, and the HTTP port. There is no gRPC."""

from __future__ import annotations

import argparse

from aiohttp import web

from emulators.kit.control import add_control_routes
from emulators.kit.faults import Faults
from emulators.kit.records import Records
from emulators.kit.serve import Options, Running, start_http
from emulators.sendgrid.handlers import MAX_BYTES, Limit, Rest
from emulators.sendgrid.state import Mails
from emulators.sendgrid.webhook import Webhook
from shared import clock
from shared.config import settings

# Requests a minute: SendGrid takes 10,000 a second.
_RATE = 600_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this emulator alone."""
    parser.add_argument("--key", default="", help="the API key; FULCRUM_SENDGRID_API_KEY, or any, without")
    parser.add_argument("--sender", action="append", default=[], help="a verified sender or domain")
    parser.add_argument("--callback", default="", metavar="URL", help="where events are posted")
    parser.add_argument("--seed", default="", help="of the key that signs events; the API key without")
    parser.add_argument("--rate", type=int, default=_RATE, help="requests a minute")


async def start(options: Options) -> Running:
    """Listen, with the state that ``options.data`` holds."""
    given = options.extra
    records = Records(options.data / "sendgrid.sqlite" if options.data else None)
    faults = Faults()
    mails = Mails(records, clock.now_ms)
    key = getattr(given, "key", "") or settings().text("SENDGRID_API_KEY", "")
    seed = getattr(given, "seed", "") or key
    webhook = Webhook(mails, faults, getattr(given, "callback", ""), seed)
    mails.restore()
    app = web.Application(client_max_size=MAX_BYTES + 1)

    async def reset() -> None:
        mails.clear()

    add_control_routes(app, faults, reset)
    limit = Limit(getattr(given, "rate", _RATE))
    Rest(mails, faults, key, getattr(given, "sender", []), limit).add_routes(app)
    runner, port = await start_http(app, options.http_port)

    async def stop() -> None:
        await runner.cleanup()
        await webhook.close()
        records.close()

    return Running("sendgrid", 0, port, stop)
