"""Medians, ratios, verdicts, and the shapes that people and programs read."""

from __future__ import annotations

from itertools import count

import pytest

from bench.figures import Figure, Target, as_json, interleaved, table


def test_measures_take_turns_and_each_number_has_its_own_median() -> None:
    order: list[str] = []
    ticks = count(1)

    def measure(name: str) -> tuple[float, float]:
        order.append(name)
        tick = next(ticks)
        return float(tick), float(-tick * tick)

    medians = interleaved(3, {"a": lambda: measure("a"), "b": lambda: measure("b")})

    assert order == ["a", "b"] * 3
    assert medians == {"a": (3.0, -9.0), "b": (4.0, -16.0)}


def test_one_outlier_does_not_move_a_median() -> None:
    samples = iter([(5.0,), (900.0,), (6.0,)])
    assert interleaved(3, {"a": lambda: next(samples)})["a"] == (6.0,)


@pytest.mark.parametrize(
    ("value", "target", "verdict"),
    [
        (129.0, Target(1.3), "met"),
        (131.0, Target(1.3), "missed"),
        (130.0, Target(1.3), "met"),
        (130.0, None, ""),
        (5.0, Target(5, "value"), "met"),
        (6.0, Target(5, "value"), "missed"),
    ],
)
def test_a_target_is_met_up_to_its_limit(value: float, target: Target | None, verdict: str) -> None:
    assert Figure("f", value, 100.0, "us", target).verdict == verdict


@pytest.mark.parametrize("baseline", [0.0, -1.0])
def test_a_baseline_of_nothing_is_refused_by_name(baseline: float) -> None:
    with pytest.raises(ValueError, match="warm_noop_push"):
        Figure("warm_noop_push", 1.0, baseline, "us")


def test_json_has_one_object_of_four_fields_for_each_name() -> None:
    figures = [Figure("a", 55.55555, 2_800, "us CPU an event", Target(0.02)), Figure("b", 4, 300, "calls")]
    assert as_json(figures) == {
        "a": {"value": 55.556, "baseline": 2800, "ratio": 0.0198, "unit": "us CPU an event"},
        "b": {"value": 4, "baseline": 300, "ratio": 0.0133, "unit": "calls"},
    }


def test_the_table_says_missed_in_the_line_of_the_figure_that_is() -> None:
    lines = table(
        [Figure("slow", 200, 100, "ms CPU", Target(1.3)), Figure("fast", 4, 300, "calls", Target(5, "value"))]
    ).splitlines()

    assert "target" in lines[0]
    assert lines[2].split() == ["slow", "200.0", "100.0", "ms", "CPU", "2.000", "<=", "1.3", "x", "missed"]
    assert lines[3].split() == ["fast", "4.0", "300.0", "calls", "0.013", "<=", "5", "met"]
