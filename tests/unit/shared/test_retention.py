"""The rules of retention, and what of the history is settled; pure."""

from __future__ import annotations

import pytest

from fulcrum.core import fold
from shared.errors import Rejected
from shared.retention import horizon, rules, split
from shared.retention.horizon import Last
from shared.retention.rules import DAY_MS, PathRule, Scope, Store

NOW = 1_000 * DAY_MS + 3 * 3_600_000
HISTORY = Store(days=100, paths=(PathRule("pos", 30), PathRule("pos/lat", 0), PathRule("a_b", 200)))


def scopes(store: Store = HISTORY, now: int = NOW, **blueprints: Store) -> list[Scope]:
    of = {name: {"history": one} for name, one in blueprints.items()}
    return rules.scopes("history", {"history": store}, of, now)


@pytest.mark.parametrize(
    ("path", "days"),
    [
        ("x", 100),
        ("pos", 30),
        ("pos/lon", 30),
        ("pos/lat", 0),
        ("pos/lat/deg", 0),
        ("position", 100),
        ("a_b", 200),
        ("a", 100),
    ],
)
def test_the_longest_path_decides(path: str, days: int) -> None:
    (scope,) = scopes()
    assert scope.of(path).cutoff == rules.cutoff(days, NOW)


def test_a_blueprint_says_otherwise_for_its_devices_alone() -> None:
    made = scopes(b=Store(days=10), c=Store(enabled=False), d=Store(paths=(PathRule("pos", 5),)), e=Store())
    by_id = {scope.blueprint_id: scope for scope in made}
    assert set(by_id) == {None, "b", "c", "d"}
    assert by_id["b"].base.cutoff == rules.cutoff(10, NOW)
    # What the project says of paths holds on, unless the blueprint names the path.
    assert by_id["b"].of("pos").cutoff == rules.cutoff(30, NOW)
    assert by_id["d"].of("pos").cutoff == rules.cutoff(5, NOW)
    assert by_id["d"].base.cutoff == rules.cutoff(100, NOW)
    assert by_id["c"].rules == (rules.Rule("", 0),)


@pytest.mark.parametrize(
    ("days", "expected"), [(None, 0), (0, 0), (1, 999 * DAY_MS), (30, 970 * DAY_MS), (5_000, 0)]
)
def test_days_are_whole_days_of_utc(days: int | None, expected: int) -> None:
    assert rules.cutoff(days, NOW) == expected
    assert rules.cutoff(days, NOW + 20 * 3_600_000) == expected


@pytest.mark.parametrize(
    "retention", [5, "x", {"history": {"days": "5"}}, {"history": {"keep": 5}}, {"history": {"paths": [{}]}}]
)
def test_settings_that_are_none_are_refused(retention: object) -> None:
    with pytest.raises(Rejected, match="the retention of project p"):
        rules.read(retention, "project p")
    assert rules.read(None, "project p") == {}


def test_only_what_has_grown_too_old_since_is_looked_at() -> None:
    last = Last(NOW, scopes(b=Store(days=99)))
    later = NOW + 2 * DAY_MS
    found = horizon.crossed(last, later, scopes(now=later, b=Store(days=99)))
    day = [rules.cutoff(days, NOW) for days in (200, 100, 99, 30)]
    assert found == [
        (day[0], day[0] + 2 * DAY_MS),
        (day[1], day[2] + 2 * DAY_MS),
        (day[3], day[3] + 2 * DAY_MS),
    ]
    assert horizon.crossed(last, NOW + 3_600_000, scopes(b=Store(days=99))) == []


@pytest.mark.parametrize(
    "now_and_scopes",
    [
        (NOW - DAY_MS, scopes(now=NOW - DAY_MS)),
        (NOW, scopes(Store(days=99, paths=HISTORY.paths))),
        (NOW, scopes(Store(days=100))),
        (NOW, scopes(b=Store(days=1))),
        (NOW, scopes(Store(days=0, paths=HISTORY.paths))),
    ],
    ids=["an earlier instant", "other days", "other paths", "other blueprints", "for ever"],
)
def test_under_other_rules_everything_is_looked_at(now_and_scopes: tuple[int, list[Scope]]) -> None:
    assert horizon.crossed(Last(NOW, scopes()), *now_and_scopes) is None


def test_baseline_rows_keep_the_stamps_of_their_writes() -> None:
    (scope,) = scopes()
    registers: fold.Registers = {
        "pos/lon": ((5, "e"), 1),
        "x": ((5, "e"), 2),
        "x/y": ((5, "e"), 3),
        "z": ((7, "f"), fold.CLEARED),
    }
    made = list(split.baseline_rows("p", "d", {"system_id": "s", "blueprint_id": ""}, registers, scope, 0, 9))
    shown = [(row["time"] // 1000, row["original_time"], row.get("data"), row.get("cleared")) for row in made]
    base, pos = rules.cutoff(100, NOW), rules.cutoff(30, NOW)
    assert shown == [
        (base, "5", '{"x":2}', None),
        (base, "5", '{"x":{"y":3}}', None),
        (base, "7", None, ["z"]),
        (pos, "5", '{"pos":{"lon":1}}', None),
    ]
    assert {row["kind"] for row in made} == {"baseline"}
    assert all("blueprint_id" not in row and row["system_id"] == "s" for row in made)
