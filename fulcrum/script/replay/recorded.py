"""How the replay of the deployed version compares with what was recorded of it, and why where it does not."""

from __future__ import annotations

from typing import Any

import msgspec

from fulcrum.core.settle import normal
from fulcrum.script import wire
from fulcrum.script.replay import lines
from fulcrum.script.replay.answers import KEPT, Deviation, Difference, Example, Fidelity
from fulcrum.script.replay.timers import timer_id

# What a run may change of a message.
_CHANGEABLE = ("data", "event", "time", "historical")
# What a device of its own does to a run, and no replay can repeat.
_OF_THE_PLACE = frozenset({"timeout", "memory", "exit"})
_TEXT = 2_000


class _Seen:
    """What is known of one device: how late it was stored and run, and what is not explained yet."""

    __slots__ = ("drifted", "open", "open_ran", "ran", "stored")

    def __init__(self) -> None:
        self.stored = 0
        # When a call began, and a place in it.
        self.ran = (0, 0)
        # It differs since events were not in their order.
        self.drifted = False
        self.open: list[Deviation] = []
        self.open_ran = (0, 0)


class Recorded:
    """Follows the recorded runs.

    ``shared``: devices have a cache in common; ``gone``: history does not reach back as far as was asked for.
    """

    def __init__(self, script_id: str, version: int, shared: bool, gone: bool) -> None:
        self._script_id = script_id
        self._version = version
        self._shared, self._gone = shared, gone
        self._found = Fidelity()
        self._counts: dict[str, int] = {}
        self._devices: dict[str, _Seen] = {}
        # Ids of data that recorded runs sent along a route, and of timers that they set.
        self._routed: set[str] = set()
        self._timers: set[str] = set()

    def late(self, device_id: str | None, started: int) -> None:
        """Something of before the period was stored, or ran, amid it, and stands in no line."""
        seen = self._of(device_id)
        seen.stored = max(seen.stored, started)

    def note(self, line: lines.Event | lines.Writing) -> None:
        """Take notice of a line before it is dealt with."""
        run = line.run if isinstance(line, lines.Event) else None
        if run is not None:
            for effect in run.effects:
                kind = effect.get("type")
                if kind == "setDeviceData" and effect.get("route"):
                    self._routed.add(effect.get("id", ""))
                elif kind == "setTimer":
                    self._timers.add(timer_id(self._script_id, line.device_id, effect.get("timerId", "")))
        seen = self._of(line.device_id)
        if isinstance(line, lines.Writing) and line.stored is not None:
            seen.stored = max(seen.stored, line.stored)
        if run is not None and seen.open and (run.started, run.seq) < seen.open_ran:
            # A later event ran before the one that differs.
            self._settle(seen, "order")

    def is_ours(self, event_id: str) -> bool:
        """Whether an event is what a recorded run sent along a route."""
        return event_id in self._routed

    def is_own_timer(self, message: dict[str, Any]) -> bool:
        """Whether it is of a timer that a recorded run of this time set."""
        return message.get("timerId") in self._timers

    def compare(self, line: lines.Event, outcome: wire.Outcome | None) -> None:
        """Compare what an event came to with what was recorded of it; None: it did not come about."""
        run = line.run
        seen = self._of(line.device_id)
        if run is not None:
            if run.version != self._version:
                self._found.other_version += 1
            self._found.compared += 1
            if outcome is not None and same(run, outcome):
                self._found.same += 1
                if seen.drifted and seen.stored <= line.now:
                    seen.drifted = False
            else:
                self._differs(line, run, outcome, seen)
            seen.ran = max(seen.ran, (run.started, run.seq))
        if line.stored is not None:
            seen.stored = max(seen.stored, line.stored)

    def fidelity(self) -> Fidelity:
        """The comparison so far."""
        counts = dict(self._counts)
        for seen in self._devices.values():
            for deviation in seen.open:
                counts[deviation.difference] = counts.get(deviation.difference, 0) + 1
        self._found.counts = counts
        return self._found

    def _differs(self, line: lines.Event, run: lines.Run, outcome: wire.Outcome | None, seen: _Seen) -> None:
        deviation = Deviation(
            difference="outside",
            event=Example(
                device_id=line.device_id or "", event_id=str(line.message["id"]), time=line.message["time"]
            ),
            recorded=_shown_run(run)[:_TEXT],
            replayed=_shown(outcome)[:_TEXT] if outcome is not None else "not run",
        )
        if len(self._found.examples) < KEPT:
            self._found.examples.append(deviation)
        if run.version != self._version:
            deviation.difference = "version"
        elif run.failure_kind in _OF_THE_PLACE:
            deviation.difference = "outside"
        elif seen.drifted or seen.stored > line.now or seen.ran > (run.started, run.seq):
            seen.drifted = True
            deviation.difference = "order"
        elif self._gone:
            deviation.difference = "retention"
        else:
            seen.open.append(deviation)
            seen.open_ran = max(seen.open_ran, (run.started, run.seq))
            if len(seen.open) > KEPT:
                self._settle(seen, "outside")
            return
        self._counts[deviation.difference] = self._counts.get(deviation.difference, 0) + 1

    def _settle(self, seen: _Seen, difference: Difference) -> None:
        for deviation in seen.open:
            deviation.difference = difference
        self._counts[difference] = self._counts.get(difference, 0) + len(seen.open)
        seen.open = []
        seen.drifted = seen.drifted or difference == "order"

    def _of(self, device_id: str | None) -> _Seen:
        # A cache that devices share makes one of them.
        key = "" if self._shared or device_id is None else device_id
        found = self._devices.get(key)
        if found is None:
            found = self._devices[key] = _Seen()
        return found


def same(run: lines.Run, outcome: wire.Outcome) -> bool:
    """Whether a run came to what was recorded of it."""
    if run.status != outcome.status:
        return False
    if outcome.status == "failed":
        failure = outcome.failure
        return failure is not None and (run.failure_kind, run.failure_type) == (failure.kind, failure.type)
    if outcome.status == "unmet":
        return True
    return (
        _same_result(run, outcome.result)
        and _same_effects(run.effects, outcome.effects)
        and _same_cache(run.cache, outcome.cache)
        and _same_cache(run.script_cache, outcome.script_cache)
    )


def _same_result(run: lines.Run, result: Any) -> bool:
    if result is None or result is False:
        return run.result in (("stopped",) if result is False else ("unchanged", None))
    message = run.message or {}
    return run.result == "replaced" and all(
        normal(message.get(name)) == normal(result[name]) for name in _CHANGEABLE if name in result
    )


def _same_effects(recorded: list[dict[str, Any]], effects: list[wire.Effect]) -> bool:
    if len(recorded) != len(effects):
        return False
    return all(
        normal(lines.asked(one)) == normal(msgspec.to_builtins(other))
        for one, other in zip(recorded, effects, strict=True)
    )


def _same_cache(recorded: wire.Cache | None, cache: wire.Cache | None) -> bool:
    if recorded is None or cache is None:
        return recorded is cache
    return bool(normal(recorded.value) == normal(cache.value))


_encode = msgspec.json.Encoder(order="deterministic").encode


def _shown(outcome: wire.Outcome) -> str:
    failure = outcome.failure
    if failure is not None:
        return f"failed: {failure.type or failure.kind}: {failure.message}"
    result = "unchanged" if outcome.result is None else outcome.result
    return _text(
        outcome.status,
        result or "stopped",
        msgspec.to_builtins(outcome.effects),
        outcome.cache,
        outcome.script_cache,
    )


def _shown_run(run: lines.Run) -> str:
    if run.status == "failed":
        return f"failed: {run.failure_type or run.failure_kind}: {run.failure_message}"
    result = run.message if run.result == "replaced" else run.result or "unchanged"
    return _text(run.status, result, run.effects, run.cache, run.script_cache)


def _text(status: str, result: Any, effects: Any, cache: wire.Cache | None, shared: wire.Cache | None) -> str:
    parts: dict[str, Any] = {"result": result}
    if status != "done":
        parts["status"] = status
    if effects:
        parts["effects"] = effects
    for name, kept in (("cache", cache), ("scriptCache", shared)):
        if kept is not None:
            parts[name] = kept.value
    return _encode(parts).decode()
