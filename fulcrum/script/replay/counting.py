"""What one side of a replay comes to in all: counts, errors by their place, run times."""

from __future__ import annotations

import math

from fulcrum.script import wire
from fulcrum.script.replay.answers import KEPT, PARTS, ErrorGroup, Example, Fidelity, Totals

_MAX_GROUPS = 200
_LOG = math.log(1.02)


class Counting:
    """Counts runs; ``since``, ``until``: the period, for charts. Memory does not grow with the runs."""

    def __init__(self, since: int, until: int) -> None:
        self.totals = Totals()
        self._since, self._length = since, max(1, until - since)
        self._errors: dict[tuple[str, str, str], tuple[ErrorGroup, set[str]]] = {}

    def total(self, devices: int, fidelity: Fidelity) -> Totals:
        """All in all, so far."""
        self.totals.fidelity = fidelity
        self.totals.devices = devices
        groups = sorted(self._errors.values(), key=lambda item: -item[0].count)
        for group, known in groups:
            group.devices = len(known)
        self.totals.errors = [group for group, _ in groups[:KEPT]]
        return self.totals

    def count(self, event: wire.Event, outcome: wire.Outcome) -> None:
        """A run."""
        totals = self.totals
        totals.runs += 1
        part = self._part(event.now)
        part["events"] = part.get("events", 0) + 1
        totals.cpu_us += outcome.cpu_us
        bucket = int(math.log(outcome.wall_us) / _LOG) + 1 if outcome.wall_us > 0 else 0
        totals.wall[bucket] = totals.wall.get(bucket, 0) + 1
        if outcome.status != "done":
            totals.statuses[outcome.status] = totals.statuses.get(outcome.status, 0) + 1
        if outcome.result is not None:
            name = "replaced" if outcome.result else "stopped"
            totals.results[name] = totals.results.get(name, 0) + 1
        for effect in outcome.effects:
            name = str(type(effect).__struct_config__.tag)
            totals.effects[name] = totals.effects.get(name, 0) + 1
            part[name] = part.get(name, 0) + 1
        if outcome.failure is not None:
            part["failed"] = part.get("failed", 0) + 1
            self._failed(event, outcome.failure)

    def _part(self, now: int) -> dict[str, int]:
        """The counts of the part of the period that an instant lies in."""
        at = (now - self._since) * PARTS // self._length
        return self.totals.parts.setdefault(max(0, min(PARTS - 1, at)), {})

    def _failed(self, event: wire.Event, failure: wire.Failure) -> None:
        place = [line for line in failure.traceback.splitlines() if line.lstrip().startswith("File ")]
        key = (failure.kind, failure.type, place[-1] if place else failure.message)
        if key not in self._errors:
            if len(self._errors) >= _MAX_GROUPS:
                self.totals.other_errors += 1
                return
            group = ErrorGroup(
                kind=failure.kind,
                type=failure.type,
                message=failure.message,
                traceback=failure.traceback,
                first=example(event),
            )
            self._errors[key] = (group, set())
        group, devices = self._errors[key]
        group.count += 1
        devices.add(event.device_id or "")

    def inexact(self, what: str) -> None:
        """Something that is not followed here; ``what``: a stable name."""
        self.totals.inexact[what] = self.totals.inexact.get(what, 0) + 1


def example(event: wire.Event) -> Example:
    """Which event it is."""
    message = event.message
    return Example(
        device_id=event.device_id or "", event_id=str(message["id"]), time=message.get("time", event.now)
    )


def wall_us(bucket: int) -> float:
    """The µs that a bucket of :attr:`Totals.wall` stands for."""
    return 0.0 if bucket == 0 else math.exp((bucket - 0.5) * _LOG)
