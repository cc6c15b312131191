"""Runs calls by a customer's code in a process of its own, and goes on whatever that code does.

An event that takes its process down fails alone: the events after it go on in another process, with states
and caches as the last good event left them. Running an event again is harmless, because nothing is carried
out while a script runs; so an event is only blamed if a process that was fresh is lost over it.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from fulcrum.core import fold
from fulcrum.script import frames, wire
from fulcrum.script.carrying import World
from fulcrum.script.limits import Limits
from fulcrum.script.process import Broken, Lost, Process, sweep


class Unavailable(Exception):
    """No process with this code can be had now, although there was one before."""


class Host:
    """A customer's code, ready to be called. Calls are run one after the other.

    :meth:`start` is called in a thread that lives as long as the process: the process with the code ends with
    it. A server that forks after that tells by :meth:`to_child` and :meth:`from_parent`.
    """

    def __init__(self, folder: Path, limits: Limits | None = None, version: int = 0) -> None:
        self._folder = folder.resolve()
        self._limits = limits or Limits()
        self._version = version
        # One thread for all calls, begun with the first: a server forks without it.
        self._thread: ThreadPoolExecutor | None = None
        self._process: Process | None = None
        self._spare: Process | None = None
        # Once a process was lost, another is kept ready.
        self._loses = False

    def start(self) -> wire.Description:
        """Load the code; :class:`fulcrum.script.process.Broken` where that fails."""
        sweep()
        self._process = self._started()
        try:
            self._process.wait()
        except Broken:
            self._drop()
            raise
        return self._describe()

    def describe(self) -> Future[wire.Description]:
        """What the code offers."""
        return self._in_order().submit(self._describe)

    def run(self, call: wire.Call) -> wire.Answer:
        """Run a call; Unavailable where the code cannot be loaded any more."""
        return self.submit(call).result()

    def submit(self, call: wire.Call) -> Future[wire.Answer]:
        """Run a call as soon as those before it are done."""
        return self._in_order().submit(self._run, call)

    def close(self) -> None:
        """End the processes."""
        if self._thread is not None:
            self._thread.shutdown()
        self._drop_all()

    def to_child(self) -> None:
        """This process has forked: its child goes on with the process that has the code."""
        if self._process is not None:
            self._process.let_go()
            self._process = None

    def from_parent(self) -> None:
        """This process is the child."""
        if self._process is not None:
            self._process.take_over()

    def _in_order(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "script-host")
        return self._thread

    def _started(self) -> Process:
        return Process(self._folder, self._limits, self._version)

    def _describe(self) -> wire.Description:
        process = self._ready()
        return wire.Description(
            script_version=self._version,
            entries=process.entries,
            isolation=process.isolation.isolation,
            missing=process.isolation.missing,
        )

    def _run(self, call: wire.Call) -> wire.Answer:
        outcomes: list[wire.Outcome] = []
        world: World | None = None
        ends = time.monotonic() + self._limits.seconds_per_call
        rest = call
        while len(outcomes) < len(call.events) and (not outcomes or time.monotonic() < ends):
            process = self._ready()
            fresh = not process.used
            before = len(outcomes)
            lost = self._part(process, rest, ends, outcomes)
            if lost is None and len(outcomes) == before + len(rest.events):
                break
            done = len(outcomes) - before
            if lost is not None and fresh and not done:
                failed = wire.Outcome(
                    key=rest.events[done].key,
                    status="failed",
                    failure=lost.failure,
                    logs=lost.logs,
                    wall_us=_microseconds(lost, self._limits),
                )
                outcomes.append(failed)
            if world is None:
                world = World.of(call)
            for event, outcome in zip(rest.events, outcomes[before:], strict=False):
                world.follow(event, outcome)
            rest = _rest(call, world, len(outcomes))
        return wire.Answer(script_version=self._version, outcomes=outcomes)

    def _part(
        self, process: Process, call: wire.Call, ends: float, outcomes: list[wire.Outcome]
    ) -> Lost | None:
        """Run events until they are done, time is up, or the process is lost."""
        process.begin(call, int(ends * 1e9))
        for event in call.events:
            try:
                said = process.next(event.key)
            except Lost as lost:
                self._loses = True
                self._drop()
                return lost
            if isinstance(said, frames.Stopped):
                return None
            if said.last:
                self._loses = True
                self._drop()
                failure = said.outcome.failure
                if failure is not None and (failure.kind == "memory" or said.busy):
                    # It may have suffered by what events before it left behind.
                    return Lost(failure, said.outcome.logs)
                outcomes.append(said.outcome)
                return None
            outcomes.append(said.outcome)
        if process.busy:
            # Threads that go on would act within other events.
            self._drop()
        return None

    def _ready(self) -> Process:
        """A process with the code loaded."""
        if self._process is not None and not self._process.is_alive():
            self._drop()
        if self._process is None:
            self._process, self._spare = self._spare, None
        try:
            if self._process is None:
                self._process = self._started()
            if self._loses and self._spare is None:
                self._spare = self._started()
        except OSError as error:
            raise Unavailable(f"no process can be started: {error}") from error
        try:
            self._process.wait()
        except Broken as error:
            self._drop_all()
            raise Unavailable(f"the code could be loaded before, and now not: {error}") from error
        return self._process

    def _drop(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None

    def _drop_all(self) -> None:
        self._drop()
        if self._spare is not None:
            self._spare.end()
            self._spare = None


def _rest(call: wire.Call, world: World, done: int) -> wire.Call:
    """The events that are left, with what those before them left behind."""
    return msgspec.structs.replace(
        call,
        events=call.events[done:],
        devices={
            id: wire.Device(device=dict(state.device), registers=fold.encode(state.registers).decode())
            for id, state in world.devices.items()
        },
        caches=world.caches,
        script_cache=world.script_cache,
    )


def _microseconds(lost: Lost, limits: Limits) -> int:
    return int(limits.seconds_per_event * 1e6) if lost.failure.kind == "timeout" else 0
