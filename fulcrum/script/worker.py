"""The process that runs a customer's code: confined, then told what to run, over the socket that it is given.

Nothing that it says is trusted by its host (:mod:`fulcrum.script.host`), and nothing that it does is needed
for the host to go on.
"""

from __future__ import annotations

import _thread
import faulthandler
import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from fulcrum.script import confining, frames, wire
from fulcrum.script.carrying import World
from fulcrum.script.limits import Limits
from fulcrum.script.loading import Code, LoadError, load
from fulcrum.script.running import Runner, TimeLimit

# The status with which a process ends that had not even the memory to say that it had none.
NO_MEMORY = 86
# After these a process is not used any more: they may have struck anywhere.
_ENDING = frozenset({"timeout", "memory", "exit"})


def main(descriptor: int) -> NoReturn:
    """Serve the host at the other end of a socket until it goes away."""
    connection = socket.socket(fileno=descriptor)
    try:
        _serve(connection)
    except (frames.Ended, OSError):
        os._exit(0)
    except MemoryError:
        os._exit(NO_MEMORY)


def _serve(connection: socket.socket) -> NoReturn:
    setup = frames.decode_setup(frames.receive(connection))
    # Only what is installed: neither the folder of the function, nor what this was started in.
    sys.path[:] = setup.path
    folder = Path(setup.folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable(sys.__stderr__ or sys.stderr)
    isolation = confining.confine(
        folder, Path(setup.temporary), setup.limits.memory_mb, network=setup.limits.network
    )
    frames.send(connection, frames.Hello(isolation.names, isolation.missing))
    code = _loaded(connection, folder, setup.version)
    confining.limit_memory(setup.limits.memory_mb)
    runner = Runner(code, setup.limits, interruptible=False, relief=confining.relieve_memory)
    events = _Events(connection, runner, setup.limits)
    frames.send(connection, frames.Ready(list(code.entries.values())))
    while True:
        task = frames.decode_task(frames.receive(connection))
        events.run(task)


def _loaded(connection: socket.socket, folder: Path, version: int) -> Code:
    try:
        return load(folder, version)
    except LoadError as error:
        frames.send(connection, frames.Broken(error.failure(), error.file, error.line))
    except KeyboardInterrupt:
        failure = wire.Failure(kind="load", type="KeyboardInterrupt", message="the file interrupts itself")
        frames.send(connection, frames.Broken(failure))
    os._exit(0)


class _Events:
    """Runs events one after the other, each for a limited time."""

    def __init__(self, connection: socket.socket, runner: Runner, limits: Limits) -> None:
        self._connection = connection
        self._runner = runner
        self._seconds = limits.seconds_per_event
        self._threads = _thread._count()
        signal.signal(signal.SIGALRM, _too_long)
        # As they are now: the script may put others in their place.
        self._arm, self._clock, self._count = signal.setitimer, time.monotonic_ns, _thread._count

    def run(self, task: frames.Task) -> None:
        """Run a call's events, and say what became of each before the next begins."""
        world = self._runner.world(task.call)
        for place, event in enumerate(task.call.events):
            if place and self._clock() > task.until:
                frames.send(self._connection, frames.Stopped())
                return
            outcome = self._one(task.call.entry, event, world)
            world.follow(event, outcome)
            last = outcome.failure is not None and outcome.failure.kind in _ENDING
            busy = self._count() > self._threads
            frames.send(self._connection, frames.Done(outcome, busy, last))
            if last:
                os._exit(0)

    def _one(self, entry: str, event: wire.Event, world: World) -> wire.Outcome:
        try:
            self._arm(signal.ITIMER_REAL, self._seconds)
            try:
                return self._runner.run_event(entry, event, world)
            finally:
                self._arm(signal.ITIMER_REAL, 0)
        except TimeLimit as error:
            # It struck at the very end, outside of the script.
            failure = wire.Failure(kind="timeout", type="TimeLimit", message=str(error))
            return wire.Outcome(key=event.key, status="failed", failure=failure)


def _too_long(signum: int, frame: FrameType | None) -> None:
    raise TimeLimit("the run took longer than the script's limit for one event")
