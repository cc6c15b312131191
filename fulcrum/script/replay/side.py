"""One side of a replay: a version that meets the recorded events, with state and caches as it leaves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import msgspec

from fulcrum.core.errors import Rejected
from fulcrum.core.ids import digest
from fulcrum.script import identity, wire
from fulcrum.script.carrying import DeviceState, World
from fulcrum.script.replay import lines
from fulcrum.script.replay.answers import (
    Came,
    Ran,
    Totals,
    Touched,
    encode,
)
from fulcrum.script.replay.counting import Counting
from fulcrum.script.replay.recorded import Recorded
from fulcrum.script.replay.timers import Due, Timers
from fulcrum.script.running import Runner

# A script whose data comes back to itself along a route is cut after so many rounds, as in the platform.
_MAX_ROUNDS = 16
_UNCHANGED = b""

Guard = Callable[[], AbstractContextManager[None]]


class Side:
    """Takes the lines of an input in their order, and answers each.

    ``guard``: what limits a run's time; ``deployed``: this is the version whose runs were recorded.
    """

    def __init__(self, runner: Runner, guard: Guard = nullcontext, *, deployed: bool = False) -> None:
        self._counting = Counting(0, 1)
        self._runner = runner
        self._guard = guard
        self._deployed = deployed
        self._world = World(script_id="", project_id="")
        self._timers = Timers("")
        self._recorded = Recorded("", 0, False, False)
        # Timer → when it fired last, and what that came to.
        self._fired: dict[str, tuple[int, wire.Outcome]] = {}
        # Of data that goes along a route: which devices the script runs on, by which entry point.
        self._met: dict[str, tuple[str, dict[str, Any]]] = {}

    def take(self, line: lines.AnyLine) -> list[Ran]:
        """What a line comes to; nothing for lines before the first event."""
        if isinstance(line, lines.Event):
            made = self._due(line.now)
            self._event(line, made)
            return made
        if isinstance(line, lines.Writing):
            made = self._due(line.now)
            self._write(line, made)
            return made
        self._prepare(line)
        return []

    def finish(self, until: int | None = None) -> list[Ran]:
        """What is still due when the input is over."""
        return self._due(until) if until is not None else []

    def total(self) -> Totals:
        """All in all, so far."""
        return self._counting.total(len(self._met), self._recorded.fidelity())

    def _prepare(self, line: lines.AnyLine) -> None:
        world = self._world
        if isinstance(line, lines.Header):
            self._world = World(
                script_id=line.script_id,
                project_id=line.project_id,
                version=self._runner.code.version,
                systems={},
                blueprints={},
            )
            self._timers = Timers(line.script_id)
            self._counting = Counting(line.since, line.until)
            shared = any("scriptCache" in entry.needs for entry in self._runner.code.entries.values())
            gone = any(note.code == "retention" for note in line.notes)
            self._recorded = Recorded(line.script_id, line.version, shared, gone)
        elif isinstance(line, lines.Definition):
            self._define(line)
        elif isinstance(line, lines.State):
            known = world.devices.get(line.device_id)
            definition: Mapping[str, Any] = known.device if known else {"id": line.device_id}
            world.devices[line.device_id] = DeviceState(definition, line.registers)
            if line.late is not None:
                self._recorded.late(line.device_id, line.late)
        elif isinstance(line, lines.CacheLine):
            if line.late is not None:
                self._recorded.late(line.device_id, line.late)
            if line.device_id is None:
                world.script_cache = line.value
            else:
                world.caches[line.device_id] = line.value

    def _define(self, line: lines.Definition) -> None:
        world = self._world
        if line.kind == "project":
            world.project = line.value
        elif line.kind == "device":
            world.devices[line.id] = DeviceState(line.value)
        else:
            found = world.systems if line.kind == "system" else world.blueprints
            found[line.id] = line.value  # type: ignore[index]  # made by us as a dict, for this

    def _device(self, device_id: str) -> DeviceState:
        found = self._world.devices.get(device_id)
        if found is None:
            # Deleted since, or of another blueprint: what it is called nobody knows any more.
            found = self._world.devices[device_id] = DeviceState({"id": device_id})
        return found

    # What comes

    def _event(self, line: lines.Event, made: list[Ran]) -> None:
        message, device_id = line.message, line.device_id
        self._recorded.note(line)
        if self._recorded.is_ours(message["id"]):
            # It came of what the script did then; what it does here stands in its place.
            return
        timer = message.get("timerId")
        if self._recorded.is_own_timer(message):
            fired = self._fired.get(str(timer))
            if self._deployed:
                came = fired[1] if fired is not None and fired[0] == line.now else None
                self._recorded.compare(line, came)
            return
        if timer is not None and self._timers.knows(timer):
            return
        key = line.run.key if line.run is not None else self._key(device_id, message)
        event = wire.Event(
            key=key,
            message=message,
            now=line.now,
            seed=line.seed,
            device_id=device_id,
            params=line.params,
            follows=line.follows,
        )
        self._counting.totals.events += 1
        if device_id is not None:
            self._met[device_id] = (line.entry, line.params)
        outcome = self._run(line.entry, event, "", made)
        if self._deployed:
            self._recorded.compare(line, outcome)

    def _write(self, line: lines.Writing, made: list[Ran]) -> None:
        self._recorded.note(line)
        if line.own:
            return
        self._counting.totals.writes += 1
        state = self._device(line.device_id)
        try:
            state.write((line.time, line.id), line.data)
        except Rejected:
            # A path that cannot stand: it was not folded when it came, either.
            return
        touched = [_touched(line.device_id, state, {_root(write.path) for write in line.data})]
        made.append(Ran("", line.device_id, line.now, _UNCHANGED, touched))

    def _due(self, until: int) -> list[Ran]:
        """Run what timers are due."""
        made: list[Ran] = []
        while (due := self._timers.pop(until)) is not None:
            self._counting.totals.timer_runs += 1
            event = self._timer_event(due)
            outcome = self._run(due.effect.entry, event, f"timer {due.own}", made)
            if self._deployed:
                self._fired[due.timer_id] = (due.at, outcome)
        return made

    def _timer_event(self, due: Due) -> wire.Event:
        world = self._world
        occasion = digest("timer", due.timer_id, str(due.at))
        message: dict[str, Any] = {
            "type": "reasonRunScript",
            "id": occasion,
            "time": due.at,
            "projectId": world.project_id,
            "timerId": due.timer_id,
            "source": "script",
        }
        if due.device_id is not None:
            message["deviceId"] = due.device_id
            system = self._device(due.device_id).device.get("systemId")
            if system:
                message["systemId"] = system
        return wire.Event(
            key=self._key(due.device_id, message),
            message=message,
            now=due.at,
            seed=identity.seed(world.project_id, due.device_id or "", occasion, "", world.script_id),
            device_id=due.device_id,
            params=due.effect.params,
        )

    def _key(self, device_id: str | None, message: Mapping[str, Any]) -> str:
        world = self._world
        return identity.run_key(
            world.project_id, device_id or "", message["id"], message.get("hash", ""), world.script_id, ""
        )

    # What becomes of it

    def _run(self, entry: str, event: wire.Event, key: str, made: list[Ran], rounds: int = 0) -> wire.Outcome:
        device_id, world = event.device_id, self._world
        if device_id is not None:
            self._device(device_id)
        with self._guard():
            outcome = self._runner.run_event(entry, event, world)
        written = self._own_roots(event, outcome)
        before: dict[str, tuple[set[str], bytes]] = {}
        if outcome.effects or outcome.result:
            before = self._before(outcome, device_id, written)
        world.follow(event, outcome)
        self._counting.count(event, outcome)
        touched: list[Touched] = []
        if device_id is not None and written:
            touched.append(_touched(device_id, self._device(device_id), written))
        for name, (roots, data) in before.items():
            touched.append(_touched(name, self._device(name), roots, data))
        made.append(Ran(key, device_id or "", event.now, _came(outcome), touched))
        for index, effect in enumerate(outcome.effects):
            self._carry_on(entry, event, index, effect, made, rounds)
        return outcome

    def _carry_on(
        self,
        entry: str,
        event: wire.Event,
        index: int,
        effect: wire.Effect,
        made: list[Ran],
        rounds: int,
    ) -> None:
        """What an effect does within the replay."""
        if type(effect) is wire.SetTimer:
            if not self._timers.set(effect, event.device_id, event.now):
                self._counting.inexact("timer")
        elif type(effect) is wire.CancelTimer:
            self._timers.cancel(effect.id, event.device_id)
        elif type(effect) is wire.Publish and effect.topic == "reason":
            self._counting.inexact("publish")
        elif type(effect) is wire.SetDeviceData and effect.route:
            self._along_route(event, index, effect, made, rounds)

    def _along_route(
        self, event: wire.Event, index: int, effect: wire.SetDeviceData, made: list[Ran], rounds: int
    ) -> None:
        occasion = identity.effect_id(event.key, index)
        device_id = effect.device_id
        if device_id in self._met and rounds < _MAX_ROUNDS:
            entry, params = self._met[device_id]
            message = self._inbound(event, occasion, effect)
            world = self._world
            again = wire.Event(
                key=self._key(device_id, message),
                message=message,
                now=event.now,
                seed=identity.seed(world.project_id, device_id, occasion, occasion, world.script_id),
                device_id=device_id,
                params=params,
            )
            self._run(entry, again, f"data {effect.time}", made, rounds + 1)
            return
        if device_id in self._met:
            self._counting.inexact("rounds")
            return
        state = self._device(device_id)
        roots = {_root(write.path) for write in effect.data}
        data = state.data
        before = encode({root: data[root] for root in roots if root in data})
        try:
            state.write((effect.time, occasion), effect.data)
        except Rejected:
            self._counting.inexact("data")
            return
        touched = [_touched(device_id, state, roots, before)]
        made.append(Ran(f"data {effect.time}", device_id, event.now, _UNCHANGED, touched))

    def _inbound(self, event: wire.Event, occasion: str, effect: wire.SetDeviceData) -> dict[str, Any]:
        """The message that data along a device's route becomes."""
        device = self._device(effect.device_id).device
        named = {key: device[key] for key in ("systemId", "blueprintId", "networkId") if device.get(key)}
        return {
            "type": "deviceDataEventMsg",
            "id": occasion,
            "hash": occasion,
            "time": effect.time,
            "receivedTime": event.now,
            "projectId": self._world.project_id,
            "deviceId": effect.device_id,
            **named,
            "data": msgspec.to_builtins(effect.data),
            "source": "script",
        }

    def _own_roots(self, event: wire.Event, outcome: wire.Outcome) -> set[str]:
        """The top-level keys that an event writes to, whatever became of it."""
        message = event.message
        if message.get("type") != "deviceDataEventMsg":
            return set()
        return {_root(write["path"]) for write in message.get("data", ())}

    def _before(
        self, outcome: wire.Outcome, device_id: str | None, written: set[str]
    ) -> dict[str, tuple[set[str], bytes]]:
        """By device, what effects and results write to beside the event's own keys, with what is there."""
        roots: dict[str, set[str]] = {}
        if outcome.result and device_id is not None:
            roots[device_id] = {_root(write["path"]) for write in outcome.result.get("data") or ()}
        for effect in outcome.effects:
            if type(effect) is wire.SetDeviceData and not effect.route:
                found = roots.setdefault(effect.device_id, set())
                found.update(_root(write.path) for write in effect.data)
        found_ = {}
        for name, wanted in roots.items():
            rest = wanted - written if name == device_id else wanted
            if rest:
                data = self._device(name).data
                found_[name] = (rest, encode({root: data[root] for root in rest if root in data}))
        return found_


def _came(outcome: wire.Outcome) -> bytes:
    if outcome.status == "done" and outcome.result is None and not outcome.effects:
        return _UNCHANGED
    failure = outcome.failure
    shown = None if failure is None else (failure.kind, failure.type, failure.message)
    return encode(Came(outcome.status, outcome.result, outcome.effects, outcome.missing, shown))


def _touched(device_id: str, state: DeviceState, roots: set[str], before: bytes = b"") -> Touched:
    data = state.data
    found = {root: data[root] for root in roots if root in data}
    gone = sorted(roots - found.keys()) if len(found) < len(roots) else []
    return Touched(device_id, encode(found), gone, before)


def _root(path: str) -> str:
    return path.partition("/")[0]
