"""Curating documents, runs of scripts and snapshots; stores that fail; messages that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fulcrum.core import fold, ids
from functions.api.history import state_at
from functions.db_curator import handle, task
from shared import clock, device_rows, script_runs
from shared.clients import history as history_client
from shared.config import settings
from shared.retention import curation
from tests.support.curator import DAY_MS, Curator, asked, states
from tests.support.history import event

TODAY = clock.now_ms() // DAY_MS * DAY_MS
NOW = TODAY + 3 * 3_600_000


def days_ago(days: float) -> int:
    return TODAY - round(days * DAY_MS)


def ttl(days: float) -> Any:
    """When something expires that began so many days ago and is kept for thirty."""
    return clock.from_ms(days_ago(days) + 30 * DAY_MS)


def put(curator: Curator, project: str, collection: str, documents: dict[str, dict[str, Any]]) -> None:
    for name, fields in documents.items():
        curator.documents.document(f"projects/{project}/{collection}/{name}").set(fields)


def left(curator: Curator, project: str, collection: str) -> dict[str, dict[str, Any]]:
    found = curator.documents.collection(f"projects/{project}/{collection}").stream()
    return {one.id: one.to_dict() or {} for one in found}


@pytest.mark.parametrize(
    ("store", "collection", "time", "stays"),
    [
        ("unknownDevices", "unknownDevices", "lastSeen", {}),
        ("quarantine", "quarantine", "time", {}),
        ("outbox", "outbox", "time", {"state": "waiting"}),
        ("outbound", "outbound", "created", {"state": "queued", "expireTime": NOW + 1}),
    ],
)
async def test_documents_that_are_old_go_unless_they_are_not_over(
    curator: Curator, project: str, store: str, collection: str, time: str, stays: dict[str, Any]
) -> None:
    curator.project(project, {store: {"days": 10}})
    ended = {"state": "sent" if store == "outbox" else "acked"}
    put(
        curator,
        project,
        collection,
        {
            **{f"old{n}": {time: days_ago(12), "expireAt": ttl(12), **ended} for n in range(310)},
            # Nobody acknowledged it in time, or was to.
            "late": {time: days_ago(12), "expireAt": ttl(12), **ended, "expireTime": days_ago(11)}
            | ({"state": "sent"} if store == "outbound" else {}),
            "new": {time: days_ago(9), "expireAt": ttl(9), **ended},
            **({"open": {time: days_ago(12), "expireAt": ttl(12), **stays}} if stays else {}),
        },
    )
    assert await curator.store(project, store, NOW) == 204
    assert set(left(curator, project, collection)) == {"new", *(["open"] if stays else [])}
    assert curator.result(project, store)["documents"] == 311
    # Once more there is nothing to do.
    assert await curator.store(project, store, NOW) == 204
    assert curator.result(project, store)["documents"] == 311


async def test_entries_of_the_quarantine_go_with_their_parts(curator: Curator, project: str) -> None:
    curator.project(project, {"quarantine": {"days": 1}})
    put(curator, project, "quarantine", {"big": {"time": days_ago(5), "expireAt": ttl(5), "parts": 3}})
    put(curator, project, "quarantine/big/parts", {f"{n:04d}": {"data": b"x"} for n in range(3)})
    assert await curator.store(project, "quarantine", NOW) == 204
    assert left(curator, project, "quarantine") == left(curator, project, "quarantine/big/parts") == {}


async def test_what_is_to_be_kept_longer_expires_later(curator: Curator, project: str) -> None:
    curator.project(project, {"unknownDevices": {"days": 90}, "timers": {"days": 60}})
    put(
        curator,
        project,
        "unknownDevices",
        {
            "soon": {"lastSeen": days_ago(29), "expireAt": ttl(29)},
            "later": {"lastSeen": days_ago(5), "expireAt": ttl(5)},
        },
    )
    over = clock.from_ms(days_ago(9) + 10 * DAY_MS)
    put(
        curator,
        project,
        "runningTimers",
        {
            "over": {"state": "finished", "stampTime": 1, "expireAt": over},
            "runs": {"state": "running", "stampTime": 1},
        },
    )
    for _ in range(2):
        for store in ("unknownDevices", "timers"):
            assert await curator.store(project, store, NOW) == 204
        found = left(curator, project, "unknownDevices")
        assert clock.to_ms(found["soon"]["expireAt"]) == days_ago(29) + 90 * DAY_MS
        assert found["later"]["expireAt"] == ttl(5)
        timers = left(curator, project, "runningTimers")
        # A timer's time is that of its end, however often it was put off.
        assert clock.to_ms(timers["over"]["expireAt"]) == days_ago(9) + 60 * DAY_MS
        assert "expireAt" not in timers["runs"]


async def test_versions_of_scripts_go_but_not_those_that_run_or_are_the_last(
    curator: Curator, project: str
) -> None:
    curator.project(project, {"scriptVersions": {"days": 30}})
    put(
        curator,
        project,
        "scriptVersions",
        {
            f"{script}-{number}": {"scriptId": script, "version": number, "created": days_ago(100 - number)}
            for script, count in (("s", 7), ("t", 3))
            for number in range(1, count + 1)
        },
    )
    put(curator, project, "scriptStates", {"s": {"scriptId": "s", "version": 2, "state": "deployed"}})
    for _ in range(2):
        assert await curator.store(project, "scriptVersions", NOW) == 204
        assert set(left(curator, project, "scriptVersions")) == {
            *("s-2", "s-5", "s-6", "s-7"),
            *("t-1", "t-2", "t-3"),
        }


async def test_runs_go_and_logs_go_out_of_runs(curator: Curator, project: str) -> None:
    def run(key: str, days: float, **more: Any) -> dict[str, Any]:
        time = days_ago(days) * 1000
        row = {"project_id": project, "script_id": "s", "started": time, "run_key": key, "stored_time": time}
        return {**row, "version": 1, "entry": "run", "status": "done", "logs": '[{"level": "INFO"}]', **more}

    made = [run("old", 40), run("middle", 20), run("new", 2), run("late", 40, stored_time=NOW * 1000)]
    assert await history_client.append_runs(script_runs.encode(made)) == {}
    curator.project(project, {"runs": {"days": 30}, "logs": {"days": 10}})
    for store in ("runs", "logs"):
        assert await curator.store(project, store, NOW) == 204
    found = await asked(
        "SELECT run_key, logs IS NULL AS bare FROM `history.script_runs` "
        "WHERE project_id = @project AND started > TIMESTAMP '2000-01-01'",
        project,
        ("key", "bare"),
    )
    assert {row["key"]: row["bare"] for row in found} == {"middle": "true", "new": "false", "late": "false"}
    assert (curator.result(project, "runs"), curator.result(project, "logs")) == ({"rows": 1}, {"rows": 1})


def device(curator: Curator, project: str, name: str, registers: fold.Registers) -> None:
    fields = {"name": name, "blueprintId": "b1", "version": 3, "lastModified": days_ago(3)}
    put(curator, project, "devices", {name: {**fields, "registers": fold.encode(registers)}})


async def snapshot_rows(project: str) -> list[dict[str, Any]]:
    return await asked(
        "SELECT UNIX_MILLIS(snapshot_time) AS ms, kind, device_id, data FROM `history.device_snapshots` "
        "WHERE project_id = @project AND snapshot_time > TIMESTAMP '2000-01-01'",
        project,
        ("ms", "kind", "device_id", "data"),
    )


async def test_the_daily_snapshot_has_all_devices_however_many_pushes_it_takes(
    curator: Curator, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    curator.project(project)
    for number in range(120):
        device(curator, project, f"d{number:03d}", {"a": ((days_ago(1), "e"), number)})
    monkeypatch.setattr(handle, "BUDGET", 0.0)
    began = clock.now_ms()
    assert await curator.store(project, "snapshot", NOW) == 204
    found = await snapshot_rows(project)
    assert len({row["device_id"] for row in found if row["kind"] == "state"}) == 120
    assert [row["kind"] for row in found].count("device") == 120
    assert [row["kind"] for row in found].count("complete") == 1
    (instant,) = {int(row["ms"]) for row in found}
    assert began <= instant - device_rows.AHEAD_MS <= clock.now_ms()
    assert curator.result(project, "snapshot")["devices"] == 120


async def test_the_state_at_an_instant_begins_with_the_snapshot(curator: Curator, project: str) -> None:
    curator.project(project)
    device(curator, project, "d1", {"a": ((days_ago(1), "e"), 7), "b": ((days_ago(2), "e"), fold.CLEARED)})
    assert await curator.store(project, "snapshot", NOW) == 204
    instant = curator.result(project, "snapshot")["instant"]
    # No history tells of it: all that is known stands in the snapshot.
    found = await state_at.state_at(project, ["d1"], instant)
    assert (found["d1"].data, found["d1"].last_event_time) == ({"a": 7}, days_ago(1))


async def test_a_snapshot_in_which_a_device_has_written_later_is_begun_anew(
    curator: Curator, project: str
) -> None:
    curator.project(project)
    device(curator, project, "d1", {"a": ((clock.now_ms() + 2 * 3_600_000, "e"), 1)})
    assert await curator.store(project, "snapshot", NOW) == 204
    assert [row["kind"] for row in await snapshot_rows(project)].count("complete") == 1
    assert (await curator.store(curator.project(f"{project}-empty"), "snapshot", NOW)) == 204
    assert await snapshot_rows(f"{project}-empty") == []


async def test_a_night_curates_all_stores_of_all_projects_once(curator: Curator, project: str) -> None:
    projects = [curator.project(f"{project}-{n}", {"history": {"days": 5}}) for n in range(3)]
    for one in projects:
        curator.history.write(event(one, days_ago(9.5), {"a": 1}))
    tick = json.dumps({"type": "curateMsg", "after": project}).encode()
    # Cloud Scheduler may post twice, and Pub/Sub deliver everything twice.
    assert [await curator.tick(tick), await curator.tick(tick)] == [204, 204]
    assert set(await curator.finish()) == {204}
    run = curation.run_of(clock.now_ms())
    for one in projects:
        tasks = curator.tasks(one)
        assert set(tasks) == {f"{run}-{store}" for store in curation.STORES}
        assert {one["state"] for one in tasks.values()} == {"done"}
        assert curator.result(one, "history")["rows"] == 1
        assert await states(one) == {"d1": {"a": 1}}


async def test_only_the_stores_that_are_switched_on_are_curated(
    curator: Curator, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULCRUM_CURATED_STORES", "timers, events")
    settings.cache_clear()
    curator.project(project)
    message = {"type": "curateProjectMsg", "projectId": project, "run": "r", "now": NOW}
    assert await curator.post(json.dumps(message).encode()) == 204
    assert set(await curator.finish()) == {204}
    assert set(curator.tasks(project)) == {"r-events", "r-timers"}

    monkeypatch.setenv("FULCRUM_CURATED_STORES", "everything")
    settings.cache_clear()
    assert await curator.post(json.dumps(message).encode()) == 500
    monkeypatch.undo()
    settings.cache_clear()


async def test_a_store_that_fails_leaves_the_others_alone_and_the_next_night_finishes(
    curator: Curator, project: str
) -> None:
    curator.project(project, {"history": {"days": 5}, "quarantine": {"days": 5}})
    curator.history.write(event(project, days_ago(9.5), {"a": 1}))
    put(curator, project, "quarantine", {"old": {"time": days_ago(9), "expireAt": ttl(9)}})
    curator.history.faults({"method": "jobs.insert", "error_rate": 1.0, "code": "INVALID_ARGUMENT"})
    message = {"type": "curateProjectMsg", "projectId": project, "run": "first", "now": NOW}
    assert await curator.post(json.dumps(message).encode()) == 204
    waiting = curator.topics.take(curation.TOPIC)
    for data in waiting:
        statuses = [await curator.post(data) for _ in range(3)]
        assert statuses in ([204, 204, 204], [500, 500, 204]), data
    states_ = {one["store"]: one["state"] for one in curator.tasks(project).values()}
    assert states_.pop("history") == "failed"
    assert set(states_.values()) == {"done"}
    assert left(curator, project, "quarantine") == {}
    assert "bigquery" in curator.tasks(project)["first-history"]["reason"]

    curator.history.faults()
    assert await curator.store(project, "history", NOW) == 204
    assert curator.result(project, "history")["rows"] == 1


async def test_a_store_that_is_away_is_tried_again_for_as_long_as_it_takes(
    curator: Curator, project: str
) -> None:
    curator.project(project, {"history": {"days": 5}})
    curator.history.write(event(project, days_ago(9.5), {"a": 1}))
    curator.history.faults({"method": "AppendRows", "error_rate": 1.0, "code": "UNAVAILABLE"})
    run = ids.new_id()
    assert [await curator.store(project, "history", NOW, run) for _ in range(4)] == [500] * 4
    curator.history.faults()
    assert await curator.store(project, "history", NOW, run) == 204
    assert await states(project) == {"d1": {"a": 1}}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "message.undecodable"),
        (b"[]", "message.undecodable"),
        (b'{"type": "curateStoreMsg"}', "message.undecodable"),
        (b'{"type": "other"}', "message.undecodable"),
        (b'{"type": "curateProjectMsg", "projectId": "a/b", "run": "r", "now": 1}', "curation.badId"),
        (b'{"type": "curateProjectMsg", "projectId": "a", "run": "..", "now": 1}', "curation.badId"),
        (
            b'{"type": "curateStoreMsg", "projectId": "a", "run": "r", "now": 1, "store": "all"}',
            "curation.unknownStore",
        ),
    ],
)
async def test_messages_that_are_none_are_set_aside(curator: Curator, data: bytes, error: str) -> None:
    assert await curator.post(data, {"projectId": "farm"}) == 204
    ((topic, kept, attributes),) = curator.topics.messages
    assert (topic, kept) == ("quarantine", data)
    assert (attributes["errorType"], attributes["service"], attributes["topic"]) == (
        error,
        "db_curator",
        "curation",
    )
    curator.topics.messages.clear()


async def test_what_is_no_push_is_set_aside_and_comes_again_where_that_fails(curator: Curator) -> None:
    curator.topics.down = True
    assert await curator.tick(b"no push") == 500
    curator.topics.down = False
    assert await curator.tick(b"no push") == 204
    assert curator.topics.take("quarantine") == [b"no push"]


@pytest.mark.parametrize("retention", [{"history": {"days": "many"}}, {"history": 5}, [1]])
async def test_settings_that_are_none_fail_their_stores_with_a_reason(
    curator: Curator, project: str, retention: Any
) -> None:
    curator.project(project, retention)
    run = ids.new_id()
    assert [await curator.store(project, "history", NOW, run) for _ in range(4)] == [500, 500, 204, 204]
    found = curator.tasks(project)[f"{run}-history"]
    assert found["state"] == "failed"
    assert found["reason"].startswith("retention.undecodable")


async def test_a_project_that_is_gone_is_not_curated(curator: Curator, project: str) -> None:
    assert await curator.store(project, "history", NOW) == 204
    assert curator.tasks(project) == {}


async def test_two_deliveries_at_once_do_one_curation(curator: Curator, project: str) -> None:
    curator.project(project, {"quarantine": {"days": 1}})
    put(curator, project, "quarantine", {"old": {"time": days_ago(9), "expireAt": ttl(9)}})
    first = await task.open_task(
        curation.CurateStore(project_id=project, run="r", now=NOW, store="quarantine")
    )
    assert first is not None
    assert await curator.store(project, "quarantine", NOW, "r") == 204
    with pytest.raises(task.Elsewhere):
        await first.save("done")
