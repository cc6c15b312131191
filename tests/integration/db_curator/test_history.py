"""Curating the history on the emulators: what goes, what stays, and what the state is afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fulcrum.core import ids
from functions.api.history import state_at
from functions.db_curator import handle, keeping
from shared import clock, device_rows, history, snapshot_writing
from shared.clients import bigquery
from shared.messages import DeviceEventAck, Write
from shared.retention import horizon, insert_sql, reading
from shared.retention.going_sql import Going
from tests.support.curator import DAY_MS, Curator, asked, rows, states
from tests.support.history import alarm, event, rows_of

TODAY = clock.now_ms() // DAY_MS * DAY_MS
NOW = TODAY + 3 * 3_600_000


def days_ago(days: float) -> int:
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


async def test_paths_go_by_their_own_rules_and_rows_are_shortened(curator: Curator, project: str) -> None:
    curator.project(
        project, {"history": {"days": 20, "paths": [{"path": "pos", "days": 5}, {"path": "keep", "days": 0}]}}
    )
    curator.blueprint(project, "b2", {"history": {"days": 3, "paths": [{"path": "pos/lat", "days": 0}]}})
    one = [Write("pos", {"lat": 1, "lon": 2}), Write("keep", 1), Write("x", 1)]
    curator.history.write(
        event(project, days_ago(8.5), writes=one, device_id="d1"),
        event(project, days_ago(8.5), writes=one, device_id="d2", blueprint_id="b2"),
        event(project, days_ago(8.5), writes=one, device_id="d3", blueprint_id=None, kind="input"),
        event(project, days_ago(8.5), {"pos/lat": 4}, device_id="d4"),
        event(project, days_ago(4.5), writes=one, device_id="d1"),
    )
    # A definition has people's own words as keys.
    aliases = {"version": 1, "networkAliases": {"the-net": {"serial": "1"}}}
    curator.history.append([device_rows.device_row(project, "d1", aliases, days_ago(8.4))])
    before = await states(project)
    (day,) = await counted(project)
    assert (day.rows, day.shortened) == (1, 3)
    assert await curator.store(project, "history", NOW) == 204
    assert await states(project) == before
    left = {row["device_id"]: row for row in await rows(project) if row["time"] == str(days_ago(8.5) * 1000)}
    assert {device: (row["kind"], json.loads(row["data"])) for device, row in left.items()} == {
        "d1": ("data", {"keep": 1, "x": 1}),
        "d2": ("data", {"keep": 1, "pos": {"lat": 1}}),
        "d3": ("input", {"keep": 1, "x": 1}),
    }
    # The order in which the event wrote what is left of it is left, too.
    assert left["d1"]["written"] == "keep,x"
    assert curator.result(project, "history")["shortened"] == 3
    # The next night looks at what has grown too old since, and where something was stored since.
    tomorrow = NOW + DAY_MS
    scopes = await reading.history_scopes(project, "history", tomorrow)
    looked = await horizon.unsettled(project, "history", scopes, tomorrow, 2**40)
    assert looked is not None
    assert (days_ago(20), days_ago(19)) in looked
    assert all(until - since <= 2 * DAY_MS for since, until in looked)


async def test_only_whole_partitions_of_nobody_else_go_as_such(curator: Curator, project: str) -> None:
    other = curator.project(f"{project}-b")
    curator.project(project, {"history": {"days": 5}})
    curator.history.write(
        *(event(project, days_ago(day), {"a": day}) for day in (40.5, 41.5)),
        event(other, days_ago(40.5), {"a": 1}),
    )
    # What came lately stays until the next night, whatever day it is of.
    young = event(project, days_ago(41.5), {"b": 1})
    (row,) = rows_of([young])
    curator.history.append([{**row, "stored_time": (NOW - 3_600_000) * 1000}])
    assert [(day.day, day.rows) for day in await counted(project)] == [(days_ago(42), 1), (days_ago(41), 1)]
    assert await curator.store(project, "history", NOW) == 204
    assert await states(other) == {"d1": {"a": 1}}
    assert await states(project) == {"d1": {"a": 40.5, "b": 1}}
    assert [r["event_id"] for r in await rows(project) if r["kind"] == "data"] == [young.id]


async def test_definitions_begin_where_history_does_and_those_of_deleted_devices_go(
    curator: Curator, project: str
) -> None:
    curator.project(project, {"history": {"days": 5}})

    def defined(device: str, version: int, time: int, deleted: bool = False) -> history.Row:
        if deleted:
            curator.deletion(project, device, time)
        fields = {"name": f"{device} {version}", "blueprintId": "b1", "version": version}
        return device_rows.device_row(project, device, fields, time, deleted)

    curator.history.append(
        [
            defined("d1", 1, days_ago(30.5)),
            defined("d1", 2, days_ago(30.4)),
            defined("gone", 1, days_ago(30.5)),
            defined("gone", 2, days_ago(10.5), deleted=True),
            defined("late", 1, days_ago(10.5)),
            defined("late", 2, days_ago(1.5), deleted=True),
        ]
    )
    curator.history.write(
        *(event(project, days_ago(20.5), {"a": 1}, device_id=device) for device in ("d1", "gone", "late"))
    )
    assert await curator.store(project, "history", NOW) == 204
    left = {(row["device_id"], row["kind"], int(row["time"]) // 1000) for row in await rows(project)}
    assert left == {
        ("d1", "device", days_ago(5)),
        ("d1", "baseline", days_ago(5)),
        ("late", "device", days_ago(5)),
        ("late", "device", days_ago(1.5)),
        ("late", "baseline", days_ago(5)),
    }
    names = [
        json.loads(row["data"])["name"]
        for row in await rows(project)
        if row["device_id"] == "d1" and row["kind"] == "device"
    ]
    assert names == ["d1 2"]


async def test_a_device_that_is_deleted_is_kept_as_long_as_history_knows_it(
    curator: Curator, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = {"history": {"days": 100, "paths": [{"path": "pos", "days": 10}]}}
    curator.project(project, rules)
    curator.deletion(project, "d1", days_ago(30))
    definition = {"name": "one", "blueprintId": "b1"}
    curator.history.append(
        [
            device_rows.device_row(project, "d1", {**definition, "version": 1}, days_ago(200)),
            device_rows.device_row(project, "d1", {**definition, "version": 2}, days_ago(30), True),
        ]
    )
    curator.history.write(
        event(project, days_ago(150), {"a": 1, "pos": 1}), event(project, days_ago(60), {"b": 1})
    )
    assert await curator.store(project, "history", NOW) == 204
    # Positions are kept for ten days, and then it was no more.
    found = await state_at.state_at(project, ["d1"], days_ago(50))
    assert found["d1"].data == {"a": 1, "b": 1}
    assert {(row["kind"], int(row["time"]) // 1000) for row in await rows(project)} == {
        ("device", days_ago(100)),
        ("baseline", days_ago(100)),
        ("data", days_ago(60)),
        ("device", days_ago(30)),
    }
    # All of it goes when its end does, however often the curator is interrupted.
    monkeypatch.setattr(handle, "BUDGET", 0.0)
    assert await curator.store(project, "history", NOW + 71 * DAY_MS) == 204
    assert await rows(project) == []


async def test_no_more_is_read_for_what_goes_than_the_days_that_go(
    curator: Curator, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    curator.project(project, {"history": {"days": 10}})
    curator.history.write(
        event(project, days_ago(12.5), {"a": 1}), event(project, days_ago(3.5), {"text": "x" * 100_000})
    )
    start, read = bigquery.start, list[int]()

    async def watched(sql: str, given: Any, *rest: Any) -> bigquery.Job:
        if not sql.startswith("BEGIN"):
            read.append(await bigquery.estimate(sql, given))
        return await start(sql, given, *rest)

    monkeypatch.setattr(bigquery, "start", watched)
    assert await curator.store(project, "history", NOW) == 204
    assert len(read) >= 3
    assert max(read) < 100_000


async def test_events_go_by_their_own_rule(curator: Curator, project: str) -> None:
    curator.project(project, {"events": {"days": 5}})
    ack = DeviceEventAck(
        id="r1",
        time=days_ago(30.2),
        received_time=days_ago(30.2),
        project_id=project,
        device_id="d1",
        event_type="alarm",
    )
    curator.history.write(
        alarm(project, days_ago(30.5), "r1", data={"x": 1}),
        ack,
        alarm(project, days_ago(30.5), "r2", kind="input"),
        alarm(project, days_ago(2.5), "r3"),
        event(project, days_ago(30.5), {"a": 1}),
    )
    assert sum(day.rows for day in await counted(project, "events")) == 3
    assert await counted(project) == []
    for store in ("history", "events"):
        assert await curator.store(project, store, NOW) == 204
    assert sorted(row["kind"] for row in await rows(project)) == ["data", "event"]
    assert curator.result(project, "events") == {
        "rows": 3,
        "bytes": curator.result(project, "events")["bytes"],
        "shortened": 0,
        "days": 1,
    }


@pytest.mark.parametrize(
    "retention", [None, {"history": {"days": 0}}, {"history": {"days": 5, "enabled": False}}]
)
async def test_nothing_goes_where_nothing_says_so(
    curator: Curator, project: str, retention: dict[str, Any] | None
) -> None:
    curator.project(project, retention)
    curator.history.write(event(project, days_ago(300), {"a": 1}))
    for store in ("history", "events"):
        assert await curator.store(project, store, NOW) == 204
    assert len(await rows(project)) == 1


async def test_snapshots_that_hold_what_goes_go_with_it(curator: Curator, project: str) -> None:
    curator.project(project, {"history": {"days": 100, "paths": [{"path": "pos", "days": 5}]}})
    for day in (8, 2):
        await snapshot_writing.write(
            project, days_ago(day), [("d1", {"name": "one"}, {"pos": ((days_ago(9), "e"), 1)})]
        )
    scopes = await reading.history_scopes(project, "history", NOW)
    assert await reading.old_snapshots(project, scopes, 2**40) == (3, 1)
    assert await curator.store(project, "history", NOW) == 204
    assert curator.result(project, "history")["snapshotRows"] == 3
    left = await asked(
        "SELECT UNIX_MILLIS(snapshot_time) AS ms FROM `history.device_snapshots` "
        "WHERE project_id = @project AND snapshot_time > TIMESTAMP '2000-01-01'",
        project,
        ("ms",),
    )
    assert {int(row["ms"]) for row in left} == {days_ago(2)}


async def test_the_state_at_an_instant_is_right_from_where_history_begins(
    curator: Curator, project: str
) -> None:
    curator.project(project, {"history": {"days": 10}})
    curator.history.write(
        event(project, days_ago(30.5), {"a": 1, "b": 1}),
        event(project, days_ago(5.5), {"b": 2}),
    )
    assert await curator.store(project, "history", NOW) == 204
    for at, data in ((days_ago(9), {"a": 1, "b": 1}), (days_ago(5), {"a": 1, "b": 2})):
        found = await state_at.state_at(project, ["d1"], at)
        assert found["d1"].data == data
        assert found["d1"].last_event_time == (days_ago(30.5) if at == days_ago(9) else days_ago(5.5))


async def test_rules_that_change_meanwhile_begin_anew(
    curator: Curator, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    curator.project(project, {"history": {"days": 10}})
    curator.history.write(*(event(project, days_ago(day), {"a": day}) for day in (15.5, 12.5, 7.5)))
    before = await states(project)
    real = keeping.keep

    async def keep(going: Going, day: int, *rest: Any) -> keeping.Done:
        done = await real(going, day, *rest)
        curator.project(project, {"history": {"days": 5}})
        return done

    monkeypatch.setattr(keeping, "keep", keep)
    monkeypatch.setattr(handle, "BUDGET", 0.0)
    assert await curator.store(project, "history", NOW) == 204
    assert await states(project) == before
    assert await counted(project) == []
    assert {int(row["time"]) // 1000 for row in await rows(project)} >= {days_ago(5)}


async def test_rows_that_are_too_old_to_be_streamed_are_shortened_all_the_same(
    curator: Curator, project: str
) -> None:
    curator.project(project, {"history": {"days": 0, "paths": [{"path": "pos", "days": 30}]}})
    writes = [Write("pos", {"lat": 1}), Write("x", {"y": "it's"}), Write("z", op="delete")]
    made = rows_of([event(project, days_ago(2_000.5 + number), writes=writes) for number in range(2)])
    sql, given = insert_sql.insert("history", made)
    assert await bigquery.change(sql, given, f"t_{ids.new_id()}", 30) == 2
    before = await states(project)
    assert before == {"d1": {"pos": {"lat": 1}, "x": {"y": "it's"}}}
    assert sum(day.shortened for day in await counted(project)) == 2
    assert await curator.store(project, "history", NOW) == 204
    assert await states(project) == before
    left = [row for row in await rows(project) if row["kind"] == "data"]
    assert [(json.loads(row["data"]), row["cleared"]) for row in left] == [({"x": {"y": "it's"}}, "z")] * 2
    assert {int(row["time"]) // 1000 for row in left} == {days_ago(2_000.5), days_ago(2_001.5)}
