"""Replay of a version over its own history: no difference where events came one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulcrum.script.loading import load
from fulcrum.script.replay import lines
from fulcrum.script.replay.answers import Totals
from fulcrum.script.replay.side import Side
from fulcrum.script.running import Runner
from local.processes import ROOT
from tests.support.replaying import DAY, SINCE, Platform, Sent

EXAMPLES = ROOT / "examples" / "scripts"
# Every example, with parameters that let random values meet its limits, and its kind of data.
SCRIPTS: dict[str, tuple[dict[str, Any], str]] = {
    "threshold_hysteresis": ({"high": 6, "low": 4, "recipients": ["+4790000000", "a@b.no"]}, "number"),
    "rate_of_change": ({"window": 300, "samples": 5}, "number"),
    "watchdog": ({"timeout": 60, "recipients": ["+4790000000"]}, "number"),
    "fleet_rollup": ({}, "number"),
    "geofence": (
        {"fence": {"lat": 1, "lon": 1, "radius": 60_000}, "recipients": ["+4790000000"]},
        "position",
    ),
}
positions = st.builds(
    lambda lat, lon: {"lat": lat / 10, "lon": lon / 10}, st.integers(0, 20), st.integers(0, 20)
)
numbers = st.one_of(st.integers(0, 10), st.floats(0, 10).map(lambda value: round(value, 2)), st.just("odd"))
# (device, ms after the event before, event time before its receipt, number, position, is it historical)
sendings = st.lists(
    st.tuples(
        st.sampled_from(["d1", "d2", "d3"]),
        st.integers(0, 90_000),
        st.sampled_from([0, 0, 0, 5_000, 400_000]),
        numbers,
        positions,
        st.sampled_from([False] * 9 + [True]),
    ),
    min_size=1,
    max_size=25,
)


def sent(found: Sequence[tuple[Any, ...]], kind: str, least: int) -> list[Sent]:
    """Events; ``least``: ms between two of them at least."""
    made, at = [], 1_000
    for device, after, late, number, position, historical in found:
        at += max(after, least)
        data = {"temperature": number} if kind == "number" else {"position": position}
        made.append(Sent(device, at, data, happened=max(0, at - late), historical=historical))
    return made


def replayed(folder: Path, made: Sequence[lines.AnyLine]) -> Totals:
    side = Side(Runner(load(folder, 1)), deployed=True)
    for line in made:
        side.take(line)
    side.finish(SINCE + DAY)
    return side.total()


@pytest.mark.parametrize("name", SCRIPTS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=sendings)
def test_the_deployed_version_repeats_its_own_history(name: str, found: list[tuple[Any, ...]]) -> None:
    params, kind = SCRIPTS[name]
    platform = Platform(EXAMPLES / name, params)
    made = [lines.decoder.decode(line) for line in platform.lines(sent(found, kind, least=100))]
    fidelity = replayed(platform.folder, made).fidelity
    assert fidelity.counts == {}, fidelity.examples
    assert fidelity.compared == fidelity.same == sum(isinstance(line, lines.Event) for line in made)


STATEFUL = """
from fulcrum.script import needs

@needs("deviceData", "cache")
def run(message, context):
    seen = context.device_data.get("v", 0)
    count = context.cache.get("n", 0) + 1
    context.set_cache({"n": count, "seen": seen})
    value = message["data"][0]["value"]
    if value < 2:
        return False
    if value > 8:
        return {"data": [{"path": "v", "value": value + seen}, {"path": "sum/of", "value": count}]}
    context.set_device_data({"last/seen": seen, "w": context.random.random()})
"""


@settings(max_examples=60, deadline=None)
@given(
    found=st.lists(
        st.tuples(st.sampled_from(["d1", "d2"]), st.integers(0, 60), st.integers(0, 40), st.integers(0, 10)),
        min_size=1,
        max_size=25,
    ),
    apart=st.booleans(),
)
def test_what_differs_where_events_overlap_is_a_matter_of_order(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, int, int, int]], apart: bool
) -> None:
    folder = tmp_path_factory.mktemp("script")
    (folder / "main.py").write_text(STATEFUL)
    made, at = [], 1_000
    for device, after, takes, value in found:
        at += after + (100 if apart else 0)
        made.append(Sent(device, at, {"v": value}, takes=takes))
    decoded = [lines.decoder.decode(line) for line in Platform(folder).lines(made)]
    fidelity = replayed(folder, decoded).fidelity
    assert fidelity.compared == len(found)
    assert set(fidelity.counts) <= {"order"}, fidelity.examples
    assert fidelity.same + sum(fidelity.counts.values()) == fidelity.compared
    if apart:
        assert fidelity.counts == {}
