"""Running events by loaded code, in this process and without isolation.

What a script does wrong fails its own event. What it does to the process (ending it, using up its time or
memory) is contained by who runs this: see :mod:`fulcrum.script.host`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from fulcrum.script import loading, wire
from fulcrum.script.carrying import DeviceState, World
from fulcrum.script.context import Context, blueprint_of, device_of, system_of
from fulcrum.script.effects import InvalidEffect
from fulcrum.script.limits import Limits
from fulcrum.script.loading import Code, Point
from fulcrum.script.logs import Log, Printed
from fulcrum.script.needing import has
from fulcrum.script.tracebacks import message_of, script_traceback
from fulcrum.script.values import NotJson, encoded_size, ordered, plain
from fulcrum.script.writing import BadData, writes

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

_wall, _cpu = time.perf_counter_ns, time.process_time_ns


class BadResult(ValueError):
    """A script returned what is no result; ``kind`` as in :class:`fulcrum.script.wire.Failure`."""

    def __init__(self, kind: wire.FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind: wire.FailureKind = kind


class Runner:
    """Runs events by one loaded code, one after the other.

    ``interruptible``: whether a KeyboardInterrupt is one of a person at the keyboard, and ends the run.
    ``relief``: called where memory ran out, so that there is some to say so.
    """

    def __init__(
        self,
        code: Code,
        limits: Limits | None = None,
        *,
        interruptible: bool = True,
        relief: Callable[[], None] | None = None,
    ) -> None:
        self.code = code
        self.limits = limits or Limits()
        self._interruptible = interruptible
        self._relief = relief
        self._stdout, self._stderr = Printed("info"), Printed("error")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: ThreadPoolExecutor | None = None

    def run(self, call: wire.Call) -> wire.Answer:
        """Run all events of a call in their order, each after what the earlier ones left."""
        world = self.world(call)
        outcomes = []
        for event in call.events:
            outcome = self.run_event(call.entry, event, world)
            world.follow(event, outcome)
            outcomes.append(outcome)
        return wire.Answer(script_version=self.code.version, outcomes=outcomes)

    def world(self, call: wire.Call) -> World:
        """What the events of a call see. Devices' data is followed where the entry point needs it."""
        point = self.code.points.get(call.entry)
        return World.of(
            call, version=self.code.version, states=point is not None and "deviceData" in point.given
        )

    def run_event(self, entry: str, event: wire.Event, world: World) -> wire.Outcome:
        """Run one event. The world is left as it is: see :meth:`World.follow`."""
        code = self.code
        point = code.points.get(entry)
        if point is None:
            return wire.Outcome(key=event.key, status="failed", failure=self._unknown(entry))
        if loading.active() is not code:
            code.activate()
        if point.required:
            missing = _missing(point, event, world)
            if missing:
                return wire.Outcome(key=event.key, status="unmet", missing=missing)
        log = Log()
        context = Context(world, event, entry, point.given, log)
        result, failure, cpu, wall = self._called(point, event, context, log)
        if failure is None:
            outcome = wire.Outcome(
                key=event.key,
                result=result,
                effects=context._effects,
                cache=context._cache_set,
                script_cache=context._script_cache_set,
                logs=log.lines,
                cpu_us=cpu // 1000,
                wall_us=wall // 1000,
            )
            # Caches alone were measured when they were set.
            if result is None and not context._effects:
                return outcome
            failure = self._excess(outcome)
            if failure is None:
                return outcome
        return wire.Outcome(
            key=event.key,
            status="failed",
            logs=log.lines,
            failure=failure,
            cpu_us=cpu // 1000,
            wall_us=wall // 1000,
        )

    def _called(
        self, point: Point, event: wire.Event, context: Context, log: Log
    ) -> tuple[Literal[False] | dict[str, Any] | None, wire.Failure | None, int, int]:
        """Call an entry point: its result, checked, or its failure; CPU and wall time in ns."""
        out, err = self._stdout, self._stderr
        out.open(log)
        err.open(log)
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = out, err
        failure = result = None
        wall, cpu = _wall(), _cpu()
        try:
            result = point.function(ordered(event.message), context)
            if result is not None and result is not False:
                if hasattr(result, "__await__"):
                    result = self._finish(result)
                if result is not None and result is not False:
                    result = _result(result, context.entry)
            if context._over is not None:
                raise context._over
        except BaseException as error:
            if self._interruptible and isinstance(error, KeyboardInterrupt):
                raise
            failure = self._failure(error)
        finally:
            cpu, wall = _cpu() - cpu, _wall() - wall
            context._closed = True
            sys.stdout, sys.stderr = before
            out.close_log()
            err.close_log()
        return result, failure, cpu, wall

    def close(self) -> None:
        """End the event loop, if there is one."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _excess(self, outcome: wire.Outcome) -> wire.Failure | None:
        """What is wrong with what a run leaves behind, as a whole."""
        most = min(self.limits.output_bytes, wire.MAX_OUTCOME_BYTES)
        try:
            size = encoded_size(outcome, "what is asked for")
        except NotJson as error:
            return wire.Failure(kind="effects", message=str(error))
        if size <= most:
            return None
        message = f"result, effects, caches and log have {size} bytes together: at most {most}"
        return wire.Failure(kind="output", message=message)

    def _finish(self, awaitable: Any) -> Any:
        """The result of an async entry point."""
        # Loaded where it is used: it is the half of what a process loads to run a script.
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        if asyncio._get_running_loop() is None:
            return self._complete(awaitable)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "script")
        return self._thread.submit(self._complete, awaitable).result()

    def _complete(self, awaitable: Any) -> Any:
        import asyncio

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        loop = self._loop
        try:
            return loop.run_until_complete(awaitable)
        finally:
            left = asyncio.all_tasks(loop)
            if left:
                # What a run has begun and not awaited ends with it: it must not act within another's.
                for task in left:
                    task.cancel()
                loop.run_until_complete(_ended(left))

    def _failure(self, error: BaseException) -> wire.Failure:
        kind: wire.FailureKind = "exception"
        shown = ""
        if isinstance(error, BadResult):
            return wire.Failure(kind=error.kind, message=str(error))
        if isinstance(error, MemoryError):
            kind = "memory"
            if self._relief is not None:
                self._relief()
        elif isinstance(error, SystemExit):
            kind = "exit"
        elif isinstance(error, InvalidEffect):
            kind = "effects"
        elif isinstance(error, TimeLimit):
            kind = "timeout"
        shown = script_traceback(error, self.code.folder)
        return wire.Failure(kind=kind, type=type(error).__name__, message=message_of(error), traceback=shown)

    def _unknown(self, entry: str) -> wire.Failure:
        known = ", ".join(self.code.points)
        return wire.Failure(kind="load", message=f"the script has no entry point {entry!r}: it has {known}")


class TimeLimit(BaseException):
    """Raised within a script that runs for too long; no Exception, so that it is not caught by accident."""


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    import asyncio

    await asyncio.gather(*tasks, return_exceptions=True)


def _result(result: Any, entry: str) -> dict[str, Any]:
    """A replaced message, checked."""
    if not isinstance(result, dict):
        raise BadResult(
            "result",
            f"{entry} returned {_shown(result)}: return None (carry on unchanged), False (stop) or an object "
            "(the message in its place)",
        )
    try:
        made: dict[str, Any] = plain(result, "the result")
        if "data" in made:
            made["data"] = [_written(write) for write in writes(made["data"], "the result's data")]
        size = encoded_size(made, "the result")
    except (NotJson, BadData) as error:
        raise BadResult("result", str(error)) from None
    if "time" in made and (type(made["time"]) is not int or not 0 <= made["time"] <= wire.MAX_TIME):
        raise BadResult("result", f"the result's time is {made['time']!r}: give epoch milliseconds")
    if type(made.get("historical", False)) is not bool:
        raise BadResult("result", f"the result's historical is {made['historical']!r}: give True or False")
    records = made.get("event", [])
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise BadResult("result", "the result's event is no list of objects")
    if size > wire.MAX_RESULT_BYTES:
        raise BadResult("output", f"the result has {size} bytes: at most {wire.MAX_RESULT_BYTES}")
    return made


def _written(write: Any) -> dict[str, Any]:
    if isinstance(write.op, str):
        return {"path": write.path, "value": write.value, "op": write.op}
    return {"path": write.path, "value": write.value}


def _shown(value: Any) -> str:
    kind = type(value).__name__
    return f"{value!r} ({kind})" if isinstance(value, bool | int | float) else f"something of type {kind}"


def _missing(point: Point, event: wire.Event, world: World) -> list[str]:
    """What an entry point needs and an event has not, as ``name`` or ``name.path``."""
    missing = []
    for name, wanted in point.required:
        there, data = _given(name, event, world)
        if not there:
            missing.append(name)
        elif isinstance(wanted, list):
            if isinstance(data, DeviceState):
                data = data.data
            missing.extend([f"{name}.{path}" for path in wanted if not has(data, path)])
    return missing


def _given(name: str, event: wire.Event, world: World) -> tuple[bool, Any]:
    if name == "deviceData":
        state = world.devices.get(event.device_id) if event.device_id is not None else None
        return state is not None, state
    if name == "params":
        return True, event.params
    if name == "cache":
        return event.device_id is not None, world.caches.get(event.device_id or "")
    if name == "scriptCache":
        return True, world.script_cache
    if name == "project":
        return bool(world.project), world.project
    found = {"device": device_of, "system": system_of, "blueprint": blueprint_of}[name](world, event)
    return found is not None, found
