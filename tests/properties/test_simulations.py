"""Whatever is asked of a simulated device, however late its slices run: nothing twice, nothing left out."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from fulcrum.simulation import playing
from functions.simulator import deciding
from functions.simulator.casting import Player, ready
from functions.simulator.deciding import Content
from functions.simulator.publishing import stream
from shared.messages import Simulate
from shared.simulations import SLICE_MS, Simulation

START = 1_790_000_000_000
Action = Literal["play", "start", "pause", "reset", "stop"]
ACTIONS: list[Action] = ["play", "start", "pause", "reset", "stop"]
EVERY = 700
FRAMES = [{"t": 0, "value": 1, "interp": "noise", "every": EVERY, "spread": 1}]
TEXTS = {
    name: json.dumps(
        {"duration": 30_000, "loop": name == "loop", "tracks": [{"path": name, "frames": FRAMES}]}
    )
    for name in ("loop", "once")
}
PLAYS = {name: ready(text, "") for name, text in TEXTS.items()}
CONTENTS = {name: Content(name, name, p.duration, p.loop, p.ends()) for name, p in PLAYS.items()}

commands = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.sampled_from(["loop", "once"]),
        # How long after the one before it is handled, and how often it is handled.
        st.integers(0, 20_000),
        st.integers(1, 2),
    ),
    min_size=1,
    max_size=8,
)


def _player(one: Simulation) -> Player:
    key = playing.key_of(one.seed, one.device_id)
    return Player("d", tuple((PLAYS[cast.content], key, cast.segments, None) for cast in one.casts))


@settings(max_examples=60)
@given(asked=commands, delays=st.lists(st.integers(0, 90), min_size=60, max_size=60))
def test_each_run_is_sent_from_its_beginning_without_gap_or_repeat(
    asked: list[tuple[Action, str, int, int]], delays: list[int]
) -> None:
    now = START
    known: Simulation | None = None
    states: list[tuple[int, Simulation | None]] = [(now, known)]
    done: list[Simulate] = []
    for number, (action, scenario, gap, times) in enumerate(asked):
        now += gap
        named = scenario if action == "play" else None
        done.append(
            Simulate(
                action=action,
                stamp=(now, f"{number:03d}"),
                project_id="p",
                device_ids=["d"],
                scenario_id=named,
                seed=number % 2,
            )
        )
        # The same again, and an earlier one that comes late.
        for command in [done[-1]] * times + done[:1]:
            content = CONTENTS[command.scenario_id] if command.scenario_id else None
            known = deciding.decide(known, "d", command, content, None, now) or known
        states.append((now, known))
    end = now + 60_000
    sent: dict[str, set[bytes]] = defaultdict(set)
    for place, until in enumerate(range(START, end, SLICE_MS)):
        # A slice runs at its end, or so many seconds later, on what is stored then.
        runs_at = until + SLICE_MS + delays[place % len(delays)] * 1_000
        stored = next(one for at, one in reversed(states) if at <= runs_at)
        if stored is not None:
            for event in stream("p", [_player(stored)], until, until + SLICE_MS):
                sent[json.loads(event)["id"]].add(event)
    assert all(len(forms) == 1 for forms in sent.values())
    runs: dict[str, list[int]] = defaultdict(list)
    for event_id in sent:
        run, _, position = event_id.rpartition("-")
        runs[run].append(int(position))
    for positions in runs.values():
        steps = sorted(positions)
        assert steps == _expected(steps[-1], "loop" if steps[-1] > 30_000 else "once")[: len(steps)]
    if known is not None and known.state == "paused" and known.run:
        # What comes next is what has not been sent yet.
        assert max(runs[known.run], default=-1) < known.position


def _expected(last: int, name: str) -> list[int]:
    """All positions up to the last one."""
    found = sorted(
        {
            event.position
            for event in PLAYS[name].events(b"k" * 16, [playing.Segment("r", 0, 0)], 0, last + EVERY)
        }
    )
    return found


def test_what_was_played_before_a_long_pause_is_known_when_it_goes_on() -> None:
    def decided(before: Simulation | None, action: Action, now: int) -> Simulation:
        named = "once" if action == "play" else None
        command = Simulate(
            action=action, stamp=(now, "s"), project_id="p", device_ids=["d"], scenario_id=named
        )
        found = deciding.decide(before, "d", command, CONTENTS["once"] if named else None, None, now)
        assert found is not None
        return found

    paused = decided(decided(None, "play", START), "pause", START + 10_000)
    resting = deciding.settled(paused, START + 2 * deciding.KEPT_MS)
    assert resting is not None
    assert not resting.active
    resumed = decided(resting, "start", START + 10 * deciding.KEPT_MS)
    assert resumed.segments[:-1] == paused.segments
    assert resumed.segments[-1].position == paused.segments[-1].at(paused.segments[-1].until or 0)
    stopped = decided(resting, "stop", START + 10 * deciding.KEPT_MS)
    assert stopped.segments == ()
