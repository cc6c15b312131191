"""Logs and metrics of a script, from the rows that its runs leave in the history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from fulcrum.core import ids
from shared.config import settings
from shared.script_runs import TABLE
from tests.support.history import DAY, History, embedded_history, history_environment
from tests.unit.api.scripts.conftest import Life

HOUR = 3_600_000


@pytest.fixture(scope="module")
def module_history() -> Iterator[History]:
    with embedded_history() as made:
        yield made


@pytest.fixture
def history(life: Life, module_history: History) -> Iterator[History]:
    with history_environment(module_history.address):
        yield module_history
        module_history.faults()


def row(life: Life, at: int, **more: Any) -> dict[str, Any]:
    """A run that began ``at`` ms after the day's beginning."""
    time = datetime.fromtimestamp((DAY + at) / 1000, UTC).isoformat()
    fields = {
        "project_id": life.project,
        "script_id": life.script,
        "started": time,
        "run_key": ids.new_id(),
        "stored_time": time,
        "version": 1,
        "entry": "run",
        "device_id": "d1",
        "event_id": f"e{at}",
        "event_time": time,
        "status": "done",
        "result": "unchanged",
        "effect_count": 0,
        "cpu_us": 100,
        "wall_us": 200,
    } | more
    return {
        key: msgspec.json.encode(value).decode() if key in ("logs", "effects") else value
        for key, value in fields.items()
    }


def store(history: History, *rows: dict[str, Any]) -> None:
    client = bigquery.Client(
        project="fulcrum-local",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": history.address.http},
    )
    assert client.insert_rows_json(f"fulcrum-local.history.{TABLE}", rows) == []
    client.close()


def failed(kind: str = "exception", **more: Any) -> dict[str, Any]:
    return {
        "status": "failed",
        "failure_kind": kind,
        "failure_type": "ValueError",
        "failure_message": "no",
        "traceback": "Traceback\n  line 3",
    } | more


async def keys(life: Life, **params: Any) -> list[str]:
    answer = await life.get("logs", **{"since": DAY, "until": DAY + 24 * HOUR} | params)
    assert answer.status_code == 200, answer.text
    return [one["eventId"] for one in answer.json()["items"]]


async def test_logs_say_what_was_logged_and_what_failed(life: Life, history: History) -> None:
    line = {"text": "8.4 degrees"}
    store(
        history,
        row(life, 1000, logs=[line, {"level": "error", "text": "no sensor"}], result="replaced"),
        row(life, 2000, **failed(version=2, device_id=None)),
    )
    found = (await life.get("logs", since=DAY, until=DAY + HOUR)).json()
    later, earlier = found["items"]
    assert found["count"] == 2
    assert earlier["lines"] == [{"level": "info"} | line, {"level": "error", "text": "no sensor"}]
    assert (earlier["time"], earlier["result"], earlier["version"]) == (DAY + 1000, "replaced", 1)
    assert (earlier["cpuUs"], earlier["wallUs"], earlier["deviceId"]) == (100, 200, "d1")
    assert later["failure"] == {
        "kind": "exception",
        "type": "ValueError",
        "message": "no",
        "traceback": "Traceback\n  line 3",
    }
    assert "deviceId" not in later


async def test_logs_are_filtered_and_paged(life: Life, history: History) -> None:
    store(
        history,
        row(life, 1),
        row(life, 2, logs=[{"text": "a"}], device_id="d2"),
        row(life, 3, logs=[{"level": "error", "text": "b"}], version=2),
        row(life, 4, **failed(entry="other")),
        row(life, 5, status="unmet"),
        row(life, 6, script_id="another"),
        row(life, 7, project_id="another"),
    )
    assert await keys(life) == ["e5", "e4", "e3", "e2", "e1"]
    assert await keys(life, level="info") == ["e4", "e3", "e2"]
    assert await keys(life, level="error") == ["e4", "e3"]
    assert await keys(life, version=2) == ["e3"]
    assert await keys(life, device="d2") == ["e2"]
    assert await keys(life, event="e1") == ["e1"]
    assert await keys(life, entry="other") == await keys(life, status="failed") == ["e4"]
    assert await keys(life, since=DAY + 2, until=DAY + 4) == ["e3", "e2"]
    assert await keys(life, device="' OR 1 = 1 --") == []
    window = {"since": DAY, "until": DAY + HOUR, "perPage": 2}
    pages, cursor = [], None
    while True:
        page = (await life.get("logs", **window | ({"cursor": cursor} if cursor else {}))).json()
        pages.append([one["eventId"] for one in page["items"]])
        cursor = page.get("next")
        if cursor is None:
            break
    assert pages == [["e5", "e4"], ["e3", "e2"], ["e1"]]
    first = (await life.get("logs", **window)).json()
    elsewhere = await life.get("logs", **window | {"cursor": first["next"], "version": 1})
    assert elsewhere.json()["error"] == "cursor.expired"
    assert (await life.get("logs", **window | {"cursor": "x"})).json()["error"] == "cursor.invalid"


async def test_of_a_run_that_is_stored_twice_the_latest_counts(life: Life, history: History) -> None:
    early = row(life, 1000, **failed())
    late = row(life, 1000, run_key=early["run_key"], repeated=True)
    late["stored_time"] = datetime.fromtimestamp((DAY + 9000) / 1000, UTC).isoformat()
    store(history, late, early)
    (found,) = (await life.get("logs", since=DAY, until=DAY + HOUR)).json()["items"]
    assert (found["status"], found["repeated"]) == ("done", True)
    assert await keys(life, status="failed") == []
    total = (await life.get("metrics", since=DAY, until=DAY + HOUR)).json()["total"]
    assert (total["runs"], total["failed"]) == (1, 0)


async def test_what_failed_and_was_sent_again_to_the_next_version_counts_in_both(
    life: Life, history: History
) -> None:
    early = row(life, 1000, **failed())
    mended = row(life, 9000, run_key=early["run_key"], version=2, event_id=early["event_id"])
    store(history, early, mended)
    window = {"since": DAY, "until": DAY + HOUR}
    items = (await life.get("logs", **window)).json()["items"]
    assert [(one["version"], one["status"]) for one in items] == [(2, "done"), (1, "failed")]
    assert len((await life.get("logs", **window, version=1, status="failed")).json()["items"]) == 1
    found = (await life.get("metrics", **window, by="version")).json()
    assert (found["total"]["runs"], found["total"]["failed"]) == (2, 1)
    assert {one["version"]: one["failed"] for one in found["groups"]} == {1: 1, 2: 0}


async def test_metrics_count_runs_failures_times_and_effects(life: Life, history: History) -> None:
    sms, write = {"type": "sendSms", "id": "1"}, {"type": "setDeviceData", "data": [{"type": "sendEmail"}]}
    store(
        history,
        *(row(life, 1000 + n, cpu_us=100 + n, wall_us=1000 + n) for n in range(100)),
        row(life, HOUR + 1, **failed("timeout"), version=2, device_id="d2"),
        row(life, HOUR + 2, **failed(), version=2, device_id=None),
        row(life, HOUR + 3, status="unmet", version=2, cpu_us=None, wall_us=None),
        row(life, HOUR + 4, effects=[sms, write, sms], effect_count=3, version=2),
        row(life, HOUR + 5, effects=[write], effect_count=1),
    )
    window = {"since": DAY, "until": DAY + 24 * HOUR}
    found = (await life.get("metrics", **window)).json()
    total = found["total"]
    assert (found["groups"], found["buckets"]) == ([], [])
    assert (total["runs"], total["done"], total["unmet"], total["failed"]) == (105, 102, 1, 2)
    assert total["failures"] == {"exception": 1, "timeout": 1}
    assert total["effects"] == {"sendSms": 2, "setDeviceData": 2}
    assert total["cpuUsSum"] == sum(range(100, 200)) + 400
    first = (await life.get("metrics", **window | {"until": DAY + HOUR})).json()["total"]
    assert first["cpuUs"] == {"p50": 149, "p95": 194} or first["cpuUs"] == {"p50": 150, "p95": 195}
    by = (await life.get("metrics", **window, by="version", interval=HOUR)).json()
    assert [(one["version"], one["runs"]) for one in by["groups"]] == [(1, 101), (2, 4)]
    assert by["groups"][1]["effects"] == {"sendSms": 2, "setDeviceData": 1}
    assert [(one["start"] - DAY, one["version"], one["runs"]) for one in by["buckets"]] == [
        (0, 1, 100),
        (HOUR, 2, 4),
        (HOUR, 1, 1),
    ]
    assert by["total"] == total
    devices = (await life.get("metrics", **window, by="device")).json()["groups"]
    assert [(one.get("deviceId"), one["runs"]) for one in devices] == [("d1", 103), (None, 1), ("d2", 1)]
    one = (await life.get("metrics", **window, device="d2", version=2)).json()["total"]
    assert (one["runs"], one["failed"]) == (1, 1)


async def test_a_script_that_never_ran_has_no_figures(life: Life, history: History) -> None:
    found = (await life.get("metrics")).json()
    assert found["total"] == {
        "runs": 0, "done": 0, "unmet": 0, "failed": 0, "failures": {}, "effects": {}, "cpuUsSum": 0,
    }  # fmt: skip
    assert (await life.get("logs")).json()["items"] == []


@pytest.mark.parametrize(
    ("verb", "params"),
    [
        ("logs", {"since": "yesterday"}),
        ("logs", {"since": DAY, "until": DAY}),
        ("logs", {"level": "loud"}),
        ("metrics", {"interval": 60_000, "since": 0}),
        ("metrics", {"interval": 5}),
        ("metrics", {"by": "weather"}),
    ],
    ids=ascii,
)
async def test_what_cannot_be_asked_is_refused(life: Life, verb: str, params: dict[str, Any]) -> None:
    answer = await life.get(verb, **params)
    assert answer.status_code == 400, answer.text


async def test_a_history_that_is_away_or_too_large_is_said_so(
    life: Life, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(history, row(life, 1000))
    history.faults({"method": "jobs.insert", "error_rate": 1, "code": "UNAVAILABLE"})
    for verb in ("logs", "metrics"):
        answer = await life.get(verb, since=DAY)
        assert (answer.status_code, answer.json()["error"]) == (503, "history.unavailable"), verb
    history.faults()
    monkeypatch.setenv("FULCRUM_HISTORY_MAX_BYTES", "1")
    settings.cache_clear()
    for verb in ("logs", "metrics"):
        answer = await life.get(verb, since=DAY)
        assert (answer.status_code, answer.json()["error"]) == (400, "history.tooExpensive"), verb


async def test_logs_need_a_permission_of_their_own(life: Life, history: History) -> None:
    for permissions, status in (
        (["script.read", "script.list", "device.readHistory"], 403),
        (["script.readLogs"], 403),
        (["script.readLogs", "device.readHistory"], 200),
    ):
        token = life.api.user(life.project, *permissions)
        async with life.api.client(token) as http:
            for verb in ("logs", "metrics"):
                answer = await http.get(
                    f"/v1/script/{life.script}/{verb}", params={"projectId": life.project}
                )
                assert answer.status_code == status, answer.text


@pytest.mark.parametrize("on", [("device", "d1"), ("system", "north")])
async def test_who_may_read_some_devices_is_told_what_ran_for_those(
    life: Life, history: History, on: tuple[str, str]
) -> None:
    for device_id, system_id in (("d1", "north"), ("d2", "south")):
        life.document("devices", device_id).set({"name": device_id, "systemId": system_id})
    store(
        history,
        row(life, 1000, logs=[{"level": "info", "text": "mine"}]),
        row(life, 2000, device_id="d2", logs=[{"level": "info", "text": "theirs"}]),
        row(life, 3000, device_id=None, status="failed", failure_kind="exception", traceback="of all"),
        row(life, 4000, device_id="gone", logs=[{"level": "info", "text": "gone"}]),
    )
    token = life.api.user(life.project, "script.readLogs")
    (held,) = (each.to_dict() for each in life.document("userRoles", "x").parent.get())
    life.document("roles", "reader").set({"name": "reader", "permissions": ["device.readHistory"]})
    kind, resource_id = on
    grant = {"roleId": "reader", "resourceKind": kind, "resourceId": resource_id}
    life.document("userRoles", "y").set({**held, **grant})
    window: dict[str, str | int] = {"projectId": life.project, "since": DAY, "until": DAY + HOUR}
    async with life.api.client(token) as http:
        logs = await http.get(f"/v1/script/{life.script}/logs", params=window)
        of_other = await http.get(f"/v1/script/{life.script}/logs", params=window | {"device": "d2"})
        metrics = await http.get(f"/v1/script/{life.script}/metrics", params=window | {"by": "device"})
    assert logs.status_code == metrics.status_code == 200, (logs.text, metrics.text)
    assert [one["deviceId"] for one in logs.json()["items"]] == ["d1"]
    assert of_other.json()["items"] == []
    assert (metrics.json()["total"]["runs"], metrics.json()["total"]["failed"]) == (1, 0)
    assert [one["deviceId"] for one in metrics.json()["groups"]] == ["d1"]
