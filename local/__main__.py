"""``python -m local``: the whole platform on this machine, until Ctrl-C. See local/README.md."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import uvloop

from local import structured, watchdog
from local.logs import Log
from local.options import Options, parse
from local.processes import StartError
from local.runner import Runner
from local.structured import StructuredLog
from local.topology import TopologyError


async def _run(options: Options) -> int:
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    log = Log(sys.stdout, colour, structured=StructuredLog(options.stack_dir / structured.NAME))
    runner = Runner(options, os.environ, sys.stdout, log)
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if runner.ending:
            # The second Ctrl-C: at once.
            watchdog.sweep(runner.mark)
            os._exit(130)
        runner.end()

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, interrupt)
    if options.leash:
        loop.add_reader(sys.stdin, lambda: None if os.read(0, 65536) else _let_go(loop, runner))
    return await runner.run()


def _let_go(loop: asyncio.AbstractEventLoop, runner: Runner) -> None:
    loop.remove_reader(sys.stdin)
    runner.end()


def main() -> int:
    """Run until the end; the exit status."""
    options = parse(sys.argv[1:], os.environ)
    try:
        return uvloop.run(_run(options))
    except TopologyError as error:
        print(f"functions/services.yaml is wrong:\n{error}", file=sys.stderr)
        return 2
    except StartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
