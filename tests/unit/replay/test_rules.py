"""The language of --fail-on: what a rule says, and when it is broken."""

from __future__ import annotations

import pytest

from fulcrum.script.replay.report import Figures, Report
from fulcrum.script.replay.rules import RuleError, judge, parse


def report(before: Figures | None, after: Figures, **more: object) -> Report:
    return Report(
        script_id="s",
        script_name="S",
        project_id="p",
        since=0,
        until=1,
        selection="ran",
        events=200,
        before=before,
        after=after,
        **more,  # type: ignore[arg-type]  # fields of a report
    )


def side(**counts: int) -> Figures:
    return Figures(label="x", **counts)  # type: ignore[arg-type]  # counts alone


@pytest.mark.parametrize(
    ("rule", "before", "after", "broken"),
    [
        ("sms+10%", 100, 110, False),
        ("sms+10%", 100, 111, True),
        ("sms+10%", 100, 50, False),
        ("sms-10%", 100, 90, False),
        ("sms-10%", 100, 89, True),
        ("sms-10%", 100, 900, False),
        ("sms+10%", 0, 0, False),
        ("sms+10%", 0, 1, True),
        ("sms+0%", 7, 7, False),
        ("sms+5", 10, 15, False),
        ("sms+5", 10, 16, True),
        ("sms-5", 10, 5, False),
        ("sms-5", 10, 4, True),
        ("sms+2.5%", 1000, 1025, False),
        ("sms+2.5%", 1000, 1026, True),
        ("sms>5", 0, 5, False),
        ("sms>5", 0, 6, True),
        ("sms<5", 0, 5, False),
        ("sms<5", 0, 4, True),
        ("sms=0", 9, 0, True),
        ("sms=0", 0, 1, False),
        ("sms", 9, 0, False),
        ("sms", 0, 1, True),
        (" SMS>1% ", 0, 2, False),
        ("sms>1%", 0, 3, True),
    ],
)
def test_a_rule_is_broken_where_what_it_says_is_so(rule: str, before: int, after: int, broken: bool) -> None:
    (verdict,) = judge([parse(rule)], report(side(sms=before), side(sms=after)))
    assert (verdict.rule, verdict.broken) == (rule.strip(), broken)
    assert str(after) in verdict.text


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("errors>0", True),
        ("email=3", True),
        ("timers>0", False),
        ("publishes", False),
        ("data-writes", False),
        ("unmet<1", True),
        ("events-changed>5%", False),
        ("events-changed>4%", True),
        ("state-changed", True),
        ("sms-gained>1", True),
        ("sms-lost>2", False),
        ("p95>90", True),
        ("cpu+10%", True),
    ],
)
def test_every_figure_is_that_of_the_report(rule: str, broken: bool) -> None:
    after = side(failed=2, email=3, p95_us=91, cpu_us=12)
    made = report(
        side(cpu_us=10), after, events_changed=10, state_changed=1, gained={"sms": 2}, lost={"sms": 1}
    )
    assert judge([parse(rule)], made)[0].broken is broken


@pytest.mark.parametrize("rule", ["sms+10%", "events-changed>0", "sms-lost"])
def test_what_compares_needs_another_version(rule: str) -> None:
    (verdict,) = judge([parse(rule)], report(None, side()))
    assert verdict.broken
    assert "no other version" in verdict.text
    assert not judge([parse("errors>0")], report(None, side()))[0].broken


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sms+",
        "sms>x",
        "sms 10",
        "sms>>1",
        "sms>-1",
        "other>1",
        "+10%",
        "sms%",
        "events-changed+10%",
        "sms>1%%",
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(RuleError, match=r"rule|figure|compares"):
        parse(text)
