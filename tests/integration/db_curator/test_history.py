"""Curating the history on the emulators: what goes, what stays, and what the state is afterwards."""

from __future__ import annotations

from shared import clock
from shared.messages import Write
from shared.retention import reading
from shared.retention.going_sql import Going
from tests.support.curator import DAY_MS, Curator, rows, states
from tests.support.history import alarm, event

TODAY = clock.now_ms() // DAY_MS * DAY_MS
NOW = TODAY + 3 * 3_600_000 if clock.now_ms() < TODAY + 3 * 3_600_000 else clock.now_ms()


def days_ago(days: float, **more: int) -> int:
    """An instant so many days before today's first, epoch ms."""
    return TODAY - round(days * DAY_MS)


async def counted(project: str, store: str = "history", now: int = NOW) -> list[reading.Day]:
    """What the dry run says."""
    scopes = await reading.history_scopes(project, store, now)
    return await reading.days(Going(store, project, scopes, now), 2**40)


async def test_what_is_older_goes_and_the_state_stays(curator: Curator, project: str) -> None:
    curator.project(project, {"history": {"days": 10}})
    curator.history.write(
        event(project, days_ago(30.5), {"a/b": 1, "c": "old"}),
        event(project, days_ago(30.2), {"c": "new"}),
        event(project, days_ago(20.5), writes=[Write("a", {"z": 1}, op="replace")]),
        event(project, days_ago(20.5), {"a/b": 7}, historical=True),
        event(project, days_ago(12.5), {"d": 1}, kind="input"),
        event(project, days_ago(2.5), {"e": 5}),
        alarm(project, days_ago(20.5), "r1"),
    )
    before = await states(project)
    assert before == {"d1": {"a": {"z": 1}, "c": "new", "e": 5}}
    assert [(day.day, day.rows, day.shortened) for day in await counted(project)] == [
        (days_ago(31), 2, 0),
        (days_ago(21), 2, 0),
        (days_ago(13), 1, 0),
    ]

    assert await curator.store(project, "history", NOW) == 204

    assert await states(project) == before
    left = await rows(project)
    assert sorted(row["kind"] for row in left) == [*["baseline"] * 4, "data", "event"]
    result = curator.result(project, "history")
    assert (result["rows"], result["days"], result["keepRows"]) == (5, 3, 4)
    assert await counted(project) == []
    # Those that keep the state stand where history begins, with the stamps of the writes.
    kept = [row for row in left if row["kind"] == "baseline"]
    assert {int(row["time"]) // 1000 for row in kept} == {days_ago(10)}
    assert {int(row["original_time"]) for row in kept} == {days_ago(30.5), days_ago(30.2), days_ago(20.5)}
