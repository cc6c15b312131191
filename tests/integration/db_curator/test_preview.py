"""Retention through the API: set, previewed, carried out, and what the preview said is what went."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from functions.api.project_code.sections import SECTIONS
from functions.api.retention.preview import next_curation
from shared import clock
from shared.config import settings
from shared.messages import Write
from shared.retention import curation
from tests.support.api import SIGNING_KEY, Api
from tests.support.curator import DAY_MS, Curator, folded, rows
from tests.support.emulators import Address
from tests.support.history import alarm, event

TODAY = clock.now_ms() // DAY_MS * DAY_MS
RETENTION = {
    "history": {"days": 20, "paths": [{"path": "pos", "days": 5}]},
    "events": {"days": 10},
    "quarantine": {"days": 3},
}


def days_ago(days: float) -> int:
    return TODAY - round(days * DAY_MS)


@pytest.fixture
async def http(
    curator: Curator, project: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("FULCRUM_SIGNING_KEY", SIGNING_KEY)
    settings.cache_clear()
    api = Api(Address("embedded", "", ""), curator.documents, curator.topics)
    api.project(project)
    listed = {section.kind.name for section in SECTIONS.values()}
    token = api.user(
        project,
        *("project.read", "project.update", "blueprint.create", "blueprint.update", "device.readData"),
        *(f"{kind}.list" for kind in listed),
    )
    async with api.client(token) as client:
        yield client
    settings.cache_clear()


async def preview(http: httpx.AsyncClient, project: str, at: int | None = None) -> dict[str, dict[str, Any]]:
    given = {} if at is None else {"at": at}
    answer = await http.get(f"/v1/project/{project}/retention/preview", params=given)
    assert answer.status_code == 200, answer.text
    return {store["store"]: store for store in answer.json()["stores"]}


def sums(store: dict[str, Any]) -> dict[str, int]:
    """A preview without what is 0, as the result of a curation says it."""
    named = {"rows": "rows", "bytes": "bytes", "shortened": "shortened", "snapshotRows": "snapshotRows"}
    return {ours: store[theirs] for ours, theirs in named.items() if store[theirs]}


async def test_what_the_preview_says_is_what_goes(
    curator: Curator, project: str, http: httpx.AsyncClient
) -> None:
    assert (await http.patch(f"/v1/project/{project}", json={"retention": RETENTION})).status_code == 200
    made = await http.post(
        f"/v1/project/{project}/blueprints",
        json={"name": "Truck", "alias": "truck", "retention": {"history": {"days": 2}}},
    )
    assert made.status_code == 201, made.text
    truck = made.json()["id"]
    curator.history.write(
        event(project, days_ago(30.5), {"a": "æøå", "pos/lat": 1}),
        event(project, days_ago(30.5), {"a": "old"}),
        event(project, days_ago(8.5), writes=[Write("pos", {"lat": 2}), Write("b", 1)]),
        event(project, days_ago(3.5), {"c": 1}, device_id="t", blueprint_id=truck),
        event(project, days_ago(1.5), {"c": 2}),
        alarm(project, days_ago(30.5), "r1", data={"x": 1}),
    )
    curator.documents.document(f"projects/{project}/quarantine/q").set(
        {"time": days_ago(9), "expireAt": clock.from_ms(days_ago(-81))}
    )
    before = await folded(project)

    said = await preview(http, project, clock.now_ms())
    assert (said["history"]["rows"], said["history"]["shortened"]) == (3, 1)
    assert [(day["day"], day["rows"]) for day in said["history"]["days"]] == [
        (days_ago(31), 2),
        (days_ago(9), 0),
        (days_ago(4), 1),
    ]
    assert (said["history"]["exact"], said["quarantine"]["exact"]) == (True, False)
    assert (said["events"]["rows"], said["quarantine"]["rows"]) == (1, 1)

    started = await http.post(f"/v1/project/{project}/retention/curate")
    assert started.status_code == 202, started.text
    assert set(await curator.finish()) == {204}

    assert await folded(project) == before
    shown = (await http.get(f"/v1/project/{project}/retention")).json()
    assert shown["retention"]["history"]["paths"] == [{"path": "pos", "days": 5}]
    assert list(shown["blueprints"]) == [truck]
    by_store = {one["store"]: one for one in shown["curations"]}
    assert set(by_store) == set(curation.STORES)
    assert {one["state"] for one in by_store.values()} == {"done"}
    for store in ("history", "events"):
        result = by_store[store]["result"]
        assert {key: count for key, count in result.items() if key in sums(said[store])} == sums(said[store])
    assert by_store["quarantine"]["result"]["documents"] == 1
    assert by_store["history"]["run"] == started.json()["run"]

    after = await preview(http, project, clock.now_ms())
    assert all(store["rows"] == store["shortened"] == 0 for store in after.values())
    assert len([row for row in await rows(project) if row["kind"] != "baseline"]) == 2


async def test_the_preview_is_of_the_next_night(project: str, http: httpx.AsyncClient) -> None:
    answer = (await http.get(f"/v1/project/{project}/retention/preview")).json()
    assert answer["at"] % DAY_MS == 3 * 3_600_000
    assert 0 < answer["at"] - clock.now_ms() <= DAY_MS
    assert next_curation(3 * 3_600_000) == DAY_MS + 3 * 3_600_000
    assert next_curation(3 * 3_600_000 - 1) == 3 * 3_600_000


@pytest.mark.parametrize("at", [0, 1, DAY_MS, 253_402_300_799_999])
async def test_a_preview_may_be_of_any_instant_that_there_is(
    project: str, http: httpx.AsyncClient, at: int
) -> None:
    await http.patch(f"/v1/project/{project}", json={"retention": RETENTION})
    assert {store["store"] for store in (await preview(http, project, at)).values()} >= {"history", "outbox"}


@pytest.mark.parametrize(
    "retention",
    [
        {"history": {"days": -1}},
        {"history": {"days": 40_000}},
        {"history": {"days": "30"}, "unknown": {}},
        {"history": {"paths": [{"path": "a b", "days": 1}]}},
        {"history": {"paths": [{"path": "a", "days": 1}, {"path": "a", "days": 2}]}},
        {"history": {"paths": [{"path": f"p{n}", "days": 1} for n in range(51)]}},
        {"events": {"paths": []}},
        [],
    ],
    ids=str,
)
async def test_settings_that_cannot_be_are_refused(
    project: str, http: httpx.AsyncClient, retention: Any
) -> None:
    answer = await http.patch(f"/v1/project/{project}", json={"retention": retention})
    assert answer.status_code == 400, answer.text
    shown = (await http.get(f"/v1/project/{project}/retention")).json()
    assert shown["retention"] == {}


async def test_a_part_of_the_settings_is_changed_by_its_path(project: str, http: httpx.AsyncClient) -> None:
    await http.patch(f"/v1/project/{project}", json={"retention": RETENTION})
    changed = await http.patch(f"/v1/project/{project}", json={"retention/events/days": 7})
    assert changed.status_code == 200, changed.text
    assert changed.json()["retention"]["events"] == {"enabled": True, "days": 7}
    assert changed.json()["retention"]["history"]["days"] == 20


async def test_retention_is_part_of_the_project_as_code(project: str, http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/v1/project/{project}/export")
    assert answer.status_code == 200, answer.text
    exported = answer.json()
    document = exported["document"]
    document["project"]["retention"] = RETENTION
    document["blueprints"] = [
        {"alias": "truck", "name": "Truck", "retention": {"events": {"days": 9}}, "attributes": []}
    ]
    applied = await http.post(f"/v1/project/{project}/apply", json={"document": document})
    assert applied.status_code == 200, applied.text
    again = (await http.get(f"/v1/project/{project}/export")).json()["document"]
    assert again["project"]["retention"]["events"]["days"] == 10
    assert again["blueprints"][0]["retention"] == {"events": {"enabled": True, "days": 9}}
    for same in (document, again):
        planned = await http.post(f"/v1/project/{project}/plan", json={"document": same})
        assert planned.status_code == 200, planned.text
        assert planned.json()["changes"] == []


async def test_a_preview_answers_503_while_the_history_is_away(
    curator: Curator, project: str, http: httpx.AsyncClient
) -> None:
    await http.patch(f"/v1/project/{project}", json={"retention": RETENTION})
    curator.history.faults({"method": "jobs.insert", "error_rate": 1.0, "code": "RESOURCE_EXHAUSTED"})
    answer = await http.get(f"/v1/project/{project}/retention/preview")
    assert (answer.status_code, answer.json()["error"]) == (503, "history.unavailable")


async def test_a_preview_that_costs_too_much_is_refused(
    project: str, http: httpx.AsyncClient, curator: Curator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await http.patch(f"/v1/project/{project}", json={"retention": RETENTION})
    curator.history.write(event(project, days_ago(30.5), {"a": 1}))
    monkeypatch.setenv("FULCRUM_HISTORY_MAX_BYTES", "1")
    settings.cache_clear()
    answer = await http.get(f"/v1/project/{project}/retention/preview")
    assert (answer.status_code, answer.json()["error"]) == (400, "history.tooExpensive")


async def test_a_curation_that_cannot_be_begun_is_503(
    curator: Curator, project: str, http: httpx.AsyncClient
) -> None:
    curator.topics.down = True
    answer = await http.post(f"/v1/project/{project}/retention/curate")
    curator.topics.down = False
    assert answer.status_code == 503, answer.text
    gone = await http.get("/v1/project/no-such-one/retention/preview")
    assert gone.status_code in (403, 404), gone.text
    assert json.loads(answer.text)["status"] == 503
