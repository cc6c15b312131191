"""Runs an example over a course of events, as the platform would: in their order, timers included."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fulcrum.script import wire
from fulcrum.script.carrying import World
from fulcrum.script.loading import load
from fulcrum.script.running import Runner
from fulcrum.script.testing import fixture, running
from fulcrum.script.testing.fixture import Fixture
from local.processes import ROOT

EXAMPLES = ROOT / "examples" / "scripts"
RECORDINGS = ROOT.parent / "shared" / "data"
recorded = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="no recordings of real devices beside the repository"
)

# (device, time in epoch ms, data)
Reading = tuple[str, int, dict[str, Any]]


def instant(text: str) -> int:
    """The recordings' times, to epoch milliseconds; without an offset they are UTC."""
    time = datetime.fromisoformat(text)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def sensor(name: str, path: str = "value") -> list[Reading]:
    """The readings of one recording of a sensor, in their order."""
    with open(RECORDINGS / f"{name}.csv", newline="") as file:
        rows = [(instant(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
    return [(name, time, {path: value}) for time, value in sorted(rows)]


def tracks() -> list[Reading]:
    """The positions of all people, in the order of their times."""
    with open(RECORDINGS / "geolife_small.csv", newline="") as file:
        rows = [
            (row["tracker"], instant(row["t"]), float(row["Y"]), float(row["X"]))
            for row in csv.DictReader(file, delimiter=";")
        ]
    return [
        (tracker, time, {"position": {"lat": lat, "lon": lon}})
        for tracker, time, lat, lon in sorted(rows, key=lambda row: row[1])
    ]


class Course:
    """An example with what its events leave: outcomes, effects and timers that are set."""

    def __init__(self, example: str, params: Mapping[str, Any], **given: Any) -> None:
        self.outcomes: list[wire.Outcome] = []
        self._params = dict(params)
        self._given = given
        self._runner = Runner(load(EXAMPLES / example))
        self._world = World(script_id=fixture.SCRIPT, project_id=fixture.PROJECT)
        self._timers: dict[tuple[str | None, str], wire.SetTimer] = {}
        self._count = 0

    def run(self, readings: Iterable[Reading]) -> Course:
        """Run readings in their order; a timer that is due before one of them fires first."""
        for device, time, data in readings:
            self._fire(time)
            self._count += 1
            message, now = fixture.complete(
                {"data": data, "time": time, "deviceId": device, "id": f"e{self._count:08d}"}
            )
            self._event(Fixture(message, now, {"params": self._params, **self._given}))
        return self

    def end(self, time: int) -> Course:
        """Let what is due until then fire."""
        self._fire(time)
        return self

    def _fire(self, until: int) -> None:
        while due := [key for key, timer in self._timers.items() if timer.timer["when"] < until]:
            timer = self._timers.pop(min(due, key=lambda key: self._timers[key].timer["when"]))
            when = timer.timer["when"]
            fields = {"type": "reasonRunScript", "id": f"t{when}", "time": when, "timerId": timer.id}
            message, now = fixture.complete({**fields, "deviceId": timer.device_id})
            self._event(Fixture(message, now, {"params": timer.params, **self._given}, entry=timer.entry))

    def _event(self, case: Fixture) -> None:
        call = running.call([case])
        # What a device has been given once stays.
        known = World.of(call)
        for device_id, device in known.devices.items():
            self._world.devices.setdefault(device_id, device)
        event = call.events[0]
        outcome = self._runner.run_event(case.entry, event, self._world)
        assert outcome.status == "done", outcome.failure
        self._world.follow(event, outcome)
        self.outcomes.append(outcome)
        for effect in outcome.effects:
            if isinstance(effect, wire.SetTimer):
                self._timers[effect.device_id, effect.id] = effect

    def effects(self) -> Iterator[wire.Effect]:
        """All effects, in their order."""
        for outcome in self.outcomes:
            yield from outcome.effects

    def texts(self) -> list[str]:
        """The text messages, in their order."""
        return [effect.message["message"] for effect in self.effects() if isinstance(effect, wire.SendSms)]

    def data(self, path: str) -> list[tuple[str, int, Any]]:
        """(device, time, value) of each write of a path."""
        return [
            (effect.device_id, effect.time, write.value)
            for effect in self.effects()
            if isinstance(effect, wire.SetDeviceData)
            for write in effect.data
            if write.path == path
        ]


def folders() -> list[Path]:
    """The folders of all examples."""
    return sorted(path.parent for path in EXAMPLES.glob("*/main.py"))
