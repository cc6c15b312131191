"""Rules that a new version must not break, as CI states them: ``sms+10%``, ``errors>0``, ``unmet>5%``.

A rule names what would be wrong: it is broken where that is so.

    RULE     = FIGURE [CHANGE | BOUND]        a figure alone: more than 0
    CHANGE   = ("+" | "-") NUMBER ["%"]       more, or less, than the other version by over so much
    BOUND    = (">" | "<" | "=") NUMBER ["%"] of the new version; with % of the events
    FIGURE   = sms | email | timers | publishes | errors | unmet | stopped | replaced | runs | data-writes
             | cpu | p50 | p95 | events-changed | state-changed | sms-gained | sms-lost | email-gained
             | email-lost

``+10%`` of nothing is nothing: with no text message before, ``sms+10%`` is broken by the first one. ``cpu``,
``p50`` and ``p95`` are µs a run. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fulcrum.script.replay.report import Figures, Report, Verdict

_FIGURES: dict[str, Callable[[Figures], float]] = {
    "sms": lambda side: side.sms,
    "email": lambda side: side.email,
    "timers": lambda side: side.timers,
    "publishes": lambda side: side.publishes,
    "errors": lambda side: side.failed,
    "unmet": lambda side: side.unmet,
    "stopped": lambda side: side.stopped,
    "replaced": lambda side: side.replaced,
    "runs": lambda side: side.runs,
    "data-writes": lambda side: side.data_writes,
    "cpu": lambda side: side.cpu_us,
    "p50": lambda side: side.p50_us,
    "p95": lambda side: side.p95_us,
}
# What is a difference already.
_OF_BOTH: dict[str, Callable[[Report], float]] = {
    "events-changed": lambda report: report.events_changed,
    "state-changed": lambda report: report.state_changed,
    "sms-gained": lambda report: report.gained.get("sms", 0),
    "sms-lost": lambda report: report.lost.get("sms", 0),
    "email-gained": lambda report: report.gained.get("email", 0),
    "email-lost": lambda report: report.lost.get("email", 0),
}
_RULE = re.compile(
    r"(?P<figure>[a-z0-9]+(?:-[a-z]+)*)(?:(?P<sign>[-+<>=])(?P<number>\d+(?:\.\d+)?)(?P<percent>%)?)?\Z"
)


class RuleError(ValueError):
    """A rule that is none."""


@dataclass(frozen=True)
class Rule:
    """``sign`` is one of + - > < =; with ``percent``, ``number`` is a share."""

    text: str
    figure: str
    sign: str
    number: float
    percent: bool

    @property
    def compares(self) -> bool:
        """Whether it needs another version."""
        return self.sign in "+-" or self.figure in _OF_BOTH


def parse(text: str) -> Rule:
    """A rule of its text; RuleError says what is wrong with it."""
    found = _RULE.match(text.strip().lower())
    known = [*_FIGURES, *_OF_BOTH]
    if found is None:
        raise RuleError(f"{text!r} is no rule: write a figure and a limit, as in sms+10%, errors>0 or sms=0")
    figure, sign = found["figure"], found["sign"] or ">"
    if figure not in known:
        raise RuleError(f"{text!r}: there is no figure {figure!r}; there are {', '.join(known)}")
    if sign in "+-" and figure in _OF_BOTH:
        raise RuleError(f"{text!r}: {figure} compares the versions already: write {figure}>{found['number']}")
    return Rule(text.strip(), figure, sign, float(found["number"] or 0), found["percent"] is not None)


def judge(rules: Iterable[Rule], report: Report) -> list[Verdict]:
    """What becomes of rules. One that compares is broken where there is no other version."""
    return [_judged(rule, report) for rule in rules]


def _judged(rule: Rule, report: Report) -> Verdict:
    if rule.compares and report.before is None:
        return Verdict(rule=rule.text, broken=True, text="there is no other version to compare with")
    of_both = _OF_BOTH.get(rule.figure)
    value = of_both(report) if of_both else _FIGURES[rule.figure](report.after)
    if rule.sign in "+-" and report.before is not None:
        return _change(rule, _FIGURES[rule.figure](report.before), value)
    limit = rule.number * report.events / 100 if rule.percent else rule.number
    broken = {">": value > limit, "<": value < limit, "=": value == limit}[rule.sign]
    share = f" of {report.events} events" if rule.percent else ""
    return Verdict(rule=rule.text, broken=broken, text=f"{rule.figure}: {value:g}{share}")


def _change(rule: Rule, before: float, after: float) -> Verdict:
    allowed = before * rule.number / 100 if rule.percent else rule.number
    # A share of a number is not exact to the last bit.
    slack = 1e-9 * max(1.0, before)
    broken = after - before > allowed + slack if rule.sign == "+" else before - after > allowed + slack
    moved = f" ({100 * (after - before) / before:+.1f} %)" if before else ""
    return Verdict(rule=rule.text, broken=broken, text=f"{rule.figure}: {before:g} -> {after:g}{moved}")
