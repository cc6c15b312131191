"""``python -m examples.tracker_server``: see README.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal

from google.auth.exceptions import DefaultCredentialsError

from examples.tracker_server.events import Network
from examples.tracker_server.publishing import Publisher
from examples.tracker_server.server import Server

_COUNTED_SECONDS = 60.0


def main() -> None:
    """Serve until SIGINT or SIGTERM, then answer what is under way and end."""
    parser = argparse.ArgumentParser(prog="tracker_server")
    parser.add_argument("--cloud-project", required=True, help="Google's project, in which the platform runs")
    parser.add_argument("--project", required=True, help="the platform's project that the network is in")
    parser.add_argument("--network", required=True, help="the network whose devices the trackers are")
    parser.add_argument("--alias-key", default="serial", help="what the network calls serial numbers")
    parser.add_argument("--topic", default="default-processor")
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104 it is there for trackers on the Internet
    parser.add_argument("--udp-port", type=int, default=5020, help="0: any free one")
    parser.add_argument("--tcp-port", type=int, default=5020, help="0: any free one")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, ended.set)
    try:
        publisher = Publisher(args.cloud_project, args.topic)
    except DefaultCredentialsError as error:
        raise SystemExit(f"tracker_server: {error}") from None
    server = Server(Network(args.network, args.alias_key, args.project), publisher.publish)
    try:
        udp, tcp = await server.start(args.host, args.udp_port, args.tcp_port)
    except (OSError, OverflowError) as error:
        await publisher.close()
        raise SystemExit(f"tracker_server: it cannot listen: {error}") from None
    print(json.dumps({"ready": "tracker_server", "udp": udp, "tcp": tcp}), flush=True)  # noqa: T201 for its starter
    while not ended.is_set():
        try:
            await asyncio.wait_for(ended.wait(), _COUNTED_SECONDS)
        except TimeoutError:
            logging.info("since the start: %s", dict(server.counts))
    await server.drain()
    await publisher.close()
    logging.info("ended: %s", dict(server.counts))


if __name__ == "__main__":
    main()
