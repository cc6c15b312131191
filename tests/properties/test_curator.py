"""Whatever the history and the rules: the state is the fold of what history is left, before and after.

One example is a whole fleet's history, curated night after night on the emulators; pure examples are many.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from google.cloud import firestore as official
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.core import fold, ids
from shared import clock, history
from shared.messages import DeviceDataEvent, Write
from shared.retention import reading, rules, split
from shared.retention.going_sql import Going
from shared.retention.rules import PathRule, Scope, Store
from tests.support.curator import DAY_MS, Curator, curator_function, curator_stores, folded, rows
from tests.support.history import History, event, rows_of

TODAY = clock.now_ms() // DAY_MS * DAY_MS
PATHS = ("a", "a/b", "a/b/c", "a/d", "e", "f/g", "f")
_paths = st.sampled_from(PATHS)
_days = st.integers(0, 6)
_values = st.one_of(st.integers(0, 3), st.none(), st.just({}), st.just([1]), st.just({"b": 1}), st.text("xy"))
_writes = st.lists(
    st.builds(Write, _paths, _values, op=st.sampled_from(["set", "replace", "delete"])),
    min_size=1,
    max_size=4,
)
_events = st.lists(
    st.tuples(st.integers(0, 8 * DAY_MS), st.sampled_from("pqr"), _writes), min_size=1, max_size=12
)
_rules = st.builds(
    Store, days=st.integers(1, 6), paths=st.lists(st.builds(PathRule, _paths, _days), max_size=3).map(tuple)
)


def curated(scope: Scope, rows: list[history.Row]) -> list[history.Row]:
    """What a night leaves of the rows of one device, without a store."""
    left, registers = [], dict[str, Any]()
    for row in rows:
        at = row["time"] // 1000
        found = history.folded(row)
        assert found is not None
        stamp, settled = found
        goes, stays = split.parts(scope, at, settled)
        fold.fold(registers, [(stamp, goes)])
        if stays.leaves or stays.cleared:
            left.append(split.shortened(row, stays, (), 0))
    return left + list(split.baseline_rows("p", "d", {}, registers, scope, 0, 0))


def state(rows: list[history.Row]) -> fold.Registers:
    """The fold of rows."""
    registers: fold.Registers = {}
    fold.fold(registers, [event for row in rows if (event := history.folded(row)) is not None])
    return registers


@given(_events, st.lists(_rules, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_state_is_the_fold_of_what_is_left_night_after_night(
    events: list[tuple[int, str, list[Write]]], settings: list[Store], order: random.Random
) -> None:
    made = []
    for time, event_id, writes in events:
        one = event("p", time + DAY_MS, writes=writes, id=event_id)
        made += history.data_rows(one, fold.settle(one.data), time, "m")
    before = state(made)
    for night, store in enumerate(settings):
        (scope,) = rules.scopes("history", {"history": store}, {}, (10 + night) * DAY_MS + 10_800_000)
        order.shuffle(made)
        made = curated(scope, made)
        assert fold.derive(state(made)) == fold.derive(before)
        assert state(made) == before
        for row in made:
            found = history.folded(row)
            assert found is not None
            goes, _ = split.parts(scope, row["time"] // 1000, found[1])
            assert goes == fold.Settled({}, ())


def fleet(project: str, dice: random.Random) -> list[DeviceDataEvent]:
    """A random history: blueprints, repeats, historical events, inputs and copies of other devices' data."""
    events = []
    for number in range(140):
        device = dice.randrange(6)
        writes = [
            Write(dice.choice(PATHS), dice.choice([0, 1, "x", None, [1], {}, {"b": 2}]))
            if dice.random() < 0.8
            else Write(dice.choice(PATHS), op="delete")
            for _ in range(dice.randint(1, 3))
        ]
        time = TODAY - dice.randrange(1, 7 * DAY_MS)
        one = event(
            project,
            time,
            writes=writes,
            # Some senders' ids come again; a parent's rows have digests for theirs.
            id=ids.digest("copy", str(number)) if device == 5 else f"e{dice.randrange(90)}",
            hash=str(number),
            device_id=f"d{device}",
            blueprint_id=("cold", "truck", None)[device % 3],
            historical=dice.random() < 0.1,
            kind="input" if dice.random() < 0.1 else "data",
        )
        events += [one] * (2 if dice.random() < 0.1 else 1)
    return events


@pytest.fixture(scope="module")
def stores() -> Iterator[tuple[History, official.Client]]:
    with curator_stores() as made:
        yield made


@pytest.mark.parametrize(("seed", "same"), [(1, True), (2, False)], ids=["same rules", "other rules"])
def test_a_fleet_is_curated_night_after_night(
    stores: tuple[History, official.Client], seed: int, same: bool
) -> None:
    asyncio.run(_nights(stores, random.Random(seed), same))


async def _nights(stores: tuple[History, official.Client], dice: random.Random, same: bool) -> None:
    project = f"p-{ids.new_id().lower()}"
    async with curator_function(*stores) as curator:
        curator.history.write(*fleet(project, dice))
        for night in range(2):
            now = TODAY + night * DAY_MS + 3 * 3_600_000
            if night:
                # Some come late, and are of days that were curated.
                late = [msgspec.structs.replace(one, received_time=now) for one in fleet(project, dice)[:20]]
                made = rows_of(late)
                curator.history.append([{**row, "stored_time": (now - 3 * 3_600_000) * 1000} for row in made])
            before = await folded(project)
            if night and same:
                await _night(curator, project, now, before)
                continue
            own = {"days": dice.choice([0, 3, 5]), "paths": [{"path": "a/b", "days": dice.choice([1, 2])}]}
            curator.project(project, {"history": own})
            days = dice.choice([0, 2, 4])
            curator.blueprint(
                project,
                "cold",
                {"history": {"days": days, "paths": [{"path": "a", "days": 4}, {"path": "f/g", "days": 0}]}},
            )
            await _night(curator, project, now, before)


async def _night(curator: Curator, project: str, now: int, before: dict[str, fold.Registers]) -> None:
    scopes = await reading.history_scopes(project, "history", now)
    going = Going("history", project, scopes, now)
    said = await reading.days(going, 2**40)
    expected = _by_rows(going, await rows(project))
    assert {day.day: (day.rows, day.shortened) for day in said} == expected
    was = len(await rows(project))
    run = ids.new_id()
    assert await curator.store(project, "history", now, run) == 204
    result = curator.tasks(project)[f"{run}-history"]
    done = reading_result(result)
    assert done.get("rows", 0) == sum(day.rows for day in said)
    assert done.get("shortened", 0) == sum(day.shortened for day in said)
    assert done.get("bytes", 0) == sum(day.bytes for day in said)
    left = await rows(project)
    # What was written anew is stored anew, and stays; of all else nothing that was to go is there.
    added = done.get("keepRows", 0) + done.get("shortenRows", 0)
    gone = sum(day.rows + day.shortened for day in said)
    assert len(left) == was - gone + added
    assert await folded(project) == before
    assert _by_rows(going, left) == {}


def reading_result(task: dict[str, Any]) -> dict[str, int]:
    """What a curation says it did."""
    return msgspec.json.decode(task["result"], type=dict[str, int])


def _by_rows(going: Going, found: list[dict[str, Any]]) -> dict[int, tuple[int, int]]:
    """Day → (rows that go, rows that are shortened), row by row, as ``split`` decides."""
    days: dict[int, list[int]] = {}
    for row in found:
        at = int(row["time"]) // 1000
        if int(row["stored_time"]) // 1000 >= going.before:
            continue
        event = history.folded(
            {
                **row,
                "kind": "data",
                "historical": False,
                "time": int(row["time"]),
                "cleared": row["cleared"].split(",") if row["cleared"] else (),
            }
        )
        assert event is not None
        goes, stays = split.parts(going.scope(row["blueprint_id"]), at, event[1])
        if goes.leaves or goes.cleared:
            counts = days.setdefault(at // DAY_MS * DAY_MS, [0, 0])
            counts[bool(stays.leaves or stays.cleared)] += 1
    return {day: (whole, part) for day, (whole, part) in days.items()}
