"""Thousands of timers of all kinds while all fails: each fires once, none early, none after its cancel.

Two schedulers are at work; each gets every message, so that all is delivered at least twice. They are killed
and started again, stores and topics fail or lose their answers, old messages come again.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest

from shared import timer_times
from tests.support.timer_stack import TimerStack, timer_stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

PROJECT = "farm"
TIMERS, STEPS, STEP_SECONDS = 2_000, 20, 18
SENT_AT_ONCE = 25
MINUTE = 60_000


@dataclass
class Expected:
    """When a timer must have fired, and when it may have: around the instant of its reset or cancel."""

    must: set[int] = field(default_factory=set)
    may: set[int] = field(default_factory=set)


@dataclass
class Model:
    """What was asked for, and what follows from it."""

    stack: TimerStack
    dice: random.Random
    sent: list[dict[str, Any]] = field(default_factory=list)
    # Timers that run by what is known: their definition and start.
    running: dict[str, tuple[timer_times.When, int]] = field(default_factory=dict)
    expected: dict[str, Expected] = field(default_factory=dict)
    fired: Counter[tuple[str, int]] = field(default_factory=Counter)
    names: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def definition(self) -> dict[str, Any]:
        """A timer of any kind."""
        dice = self.dice
        kind = dice.choice(["once", "once", "once", "repeating", "scheduled", "solar"])
        if kind == "once" and dice.random() < 0.5:
            return {"type": kind, "when": self.stack.now() + dice.randrange(2_000, 400_000)}
        if kind == "once":
            return {"type": kind, "delay": dice.randrange(1_000, 400_000)}
        if kind == "repeating":
            immediately = dice.random() < 0.3
            return {"type": kind, "delay": dice.randrange(120_000, 400_000), "runImmediately": immediately}
        if kind == "scheduled":
            zone = dice.choice(["UTC", "Europe/Oslo", "Asia/Kolkata", "America/St_Johns"])
            return {"type": kind, "cron": dice.choice(["*/3 * * * *", "*/5 * * * *"]), "timezone": zone}
        # At the equator the sun rises about six, by the place's own time: somewhere it does within minutes.
        hours = self.stack.now() / 3_600_000 % 24
        longitude = (6 - hours) * 15 % 360 + dice.uniform(-3, 3)
        return {"type": kind, "latitude": 0.0, "longitude": (longitude + 180) % 360 - 180}

    def sets(self, timer_id: str) -> dict[str, Any]:
        """A message that sets a timer."""
        return self.stack.set(PROJECT, timer_id, self.definition())

    def step(self, new: list[str]) -> None:
        """Send what sets, resets and cancels some timers, and some of what was sent before."""
        dice, known = self.dice, list(self.running)
        resets = dice.sample(known, min(len(known), 12))
        cancels = [one for one in dice.sample(known, min(len(known), 12)) if one not in resets]
        messages = [self.sets(timer_id) for timer_id in (*new, *resets)]
        messages += [self.stack.cancel(PROJECT, timer_id) for timer_id in cancels]
        again = dice.sample(self.sent, min(len(self.sent), 25))
        self.sent += messages
        before = self.stack.now()
        mixed = [*messages, *again]
        dice.shuffle(mixed)
        for start in range(0, len(mixed), SENT_AT_ONCE):
            self.stack.send(*mixed[start : start + SENT_AT_ONCE])
        self.trouble()
        self.stack.settle(120)
        after = self.stack.now()
        for timer_id in (*resets, *cancels):
            self.ended(timer_id, before, after)
        found = self.stack.some_timers(PROJECT, [*new, *resets, *cancels])
        for timer_id in (*new, *resets):
            when = timer_times.parse(json.loads(found[timer_id]["timer"]))
            self.running[timer_id] = (when, found[timer_id]["start"])
        assert all(found[timer_id]["state"] == "cancelled" for timer_id in cancels)

    def ended(self, timer_id: str, before: int, after: int) -> None:
        """A timer runs no more as it did: what was due ``before`` has fired, what was ``after`` may have."""
        when, start = self.running.pop(timer_id)
        one = self.expected.setdefault(timer_id, Expected())
        for due in _until(when, start, after):
            (one.must if due <= before else one.may).add(due)

    def trouble(self) -> None:
        """Something fails for a moment."""
        stack, dice = self.stack, self.dice
        kind = dice.choice(["kill", "kill", "firestore", "tasks", "pubsub", "dispatch", "none"])
        if kind == "kill":
            scheduler = dice.choice(stack.schedulers)
            scheduler.kill()
            scheduler.start()
        elif kind != "none":
            address = stack.tasks if kind == "dispatch" else getattr(stack, kind)
            method = {"dispatch": "Dispatch", "pubsub": dice.choice(["Push", "Publish"])}.get(kind, "*")
            rule = {"method": method, "error_rate": 0.25, "drop_answer_rate": 0.25}
            if method == "Publish":
                # The test itself publishes: what fails here fails for the schedulers alone by then.
                rule["error_rate"] = 0.0
            stack.faults(address, rule)
            stack.sweep(dice.choice(stack.schedulers))
            time.sleep(0.2)
            stack.faults(address)

    def collect(self) -> None:
        """What timers have published, and that none of it was early."""
        for _, attributes in self.stack.pull("alarms"):
            firing = (attributes["timerId"], int(attributes["time"]))
            assert firing[1] <= self.stack.now(), f"{firing} was early"
            self.fired[firing] += 1
            self.names.setdefault(firing, set()).add(attributes["id"])


def _until(when: timer_times.When, start: int, until: int) -> Iterator[int]:
    at = timer_times.first(when, start)
    while at is not None and at <= until:
        yield at
        at = timer_times.following(when, start, at)


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimerStack]:
    with timer_stack(tmp_path_factory.mktemp("timers"), schedulers=2) as made:
        yield made


def test_each_fires_once_none_early_none_after_its_cancel(stack: TimerStack) -> None:
    model = Model(stack, random.Random(5))
    waiting = iter(range(TIMERS))
    swept = 0
    for _ in range(STEPS):
        model.step([str(number) for number in islice(waiting, TIMERS // 16)])
        if stack.now() >= swept + MINUTE:
            swept = stack.now()
            stack.sweep()
        stack.advance(STEP_SECONDS)
        model.trouble()
        stack.settle(120)
        model.collect()
    before = stack.now()
    stack.settle(120)
    model.collect()
    after = stack.now()
    for timer_id in list(model.running):
        model.ended(timer_id, before - 1_000, after)
    fired: dict[str, set[int]] = {}
    for timer_id, due in model.fired:
        fired.setdefault(timer_id, set()).add(due)
    assert all(len(names) == 1 for names in model.names.values()), "a firing has one name"
    missing = {one: sorted(e.must - fired.get(one, set())) for one, e in model.expected.items()}
    wrong = {
        one: sorted(dues - model.expected[one].must - model.expected[one].may) for one, dues in fired.items()
    }
    assert {one: dues for one, dues in missing.items() if dues} == {}
    assert {one: dues for one, dues in wrong.items() if dues} == {}
    assert len(model.fired) > TIMERS / 2
    kinds = Counter(
        type(timer_times.parse(message["timer"])).__name__ for message in model.sent if "timer" in message
    )
    assert len(kinds) == 4
    repeats = sum(model.fired.values()) - len(model.fired)
    # Some were published twice, under one name: the faults were met.
    assert repeats > 0
