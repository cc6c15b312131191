"""Searches at their edges: last pages, crafted cursors, odd instants, the past of one device."""

from __future__ import annotations

from typing import Any

import pytest

from shared import clock, device_rows
from shared.clients import bigquery
from shared.clients.bigquery import TooSlow
from shared.errors import Rejected, Transient
from shared.messages import Write
from tests.support.warehouse import data_row
from tests.unit.api.search.conftest import Fleet
from tests.unit.api.search.test_search import ask

NAMES = {"terms": {"field": "name"}}


@pytest.mark.parametrize("key", ["floor", "a.b", "c-d", "e:f", "g.h.i"])
async def test_pages_by_any_key_of_metadata_come_to_an_end(fleet: Fleet, key: str) -> None:
    for number in range(5):
        fleet.add(f"d{number}", metadata={key: number})
    body = {"filter": {"type": "comparison", "field": f"metadata/{key}", "operator": ">=", "value": 0}}
    seen: list[str] = []
    following: dict[str, str] = {}
    for _ in range(3):
        answer = (await ask(fleet, body | following | {"perPage": 2})).json()
        assert answer["source"] == "firestore"
        seen += [item["id"] for item in answer["items"]]
        following = {"cursor": answer.get("next", "")}
    assert (seen, following) == ([f"d{number}" for number in range(5)], {"cursor": ""})


async def test_a_cursor_to_a_place_that_bigquery_refuses(
    cold: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"filter": {"type": "exists", "field": "name"}, "perPage": 1}
    cursor = (await ask(cold, body)).json()["next"]
    for raised, status, error in (
        (Rejected("bigquery.invalid", "secret words of BigQuery"), 400, "cursor.invalid"),
        (TooSlow("slow"), 504, "history.timeout"),
        (Transient("away"), 503, "history.unavailable"),
    ):

        async def fail(*_: Any, raised: Exception = raised, **__: Any) -> Any:
            raise raised

        with monkeypatch.context() as patched:
            patched.setattr(bigquery, "page", fail)
            answer = await ask(cold, body | {"cursor": cursor})
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert "secret" not in answer.text


@pytest.mark.parametrize("which", ["page", "pages"])
async def test_a_job_that_says_late_what_it_would_read(
    cold: Fleet, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    def late(*_: Any, **__: Any) -> Any:
        raise Rejected("bigquery.bytesBilledLimitExceeded", "words of BigQuery")

    monkeypatch.setattr(bigquery, which, late)
    token = cold.api.user(cold.project, "device.read", "device.readData", "device.readHistory")
    async with cold.api.client(token) as http:
        past = await http.get("/v1/device/d1/getHistorical", params={"at": clock.now_ms()})
    found = await ask(cold, {"filter": {"type": "exists", "field": "name"}, "aggs": {"n": NAMES}}, token)
    wanted = [(found, "search.tooExpensive")] + ([(past, "history.tooExpensive")] if which == "pages" else [])
    for answer, error in wanted:
        assert (answer.status_code, answer.json()["error"]) == (400, error)
        assert "words" not in answer.text


@pytest.mark.parametrize("at", ["9" * 5000, "1" * 16, "0001-01-01T00:00:00+14:00", "\u0665"])
async def test_an_instant_that_is_none(cold: Fleet, at: str) -> None:
    answer = await ask(cold, {"at": at})
    assert (answer.status_code, answer.json()["error"]) == (400, "search.invalid")
    assert len(answer.content) < 1_000


async def test_intervals_too_small_for_any_number_hold_no_device(cold: Fleet) -> None:
    tiny = {"histogram": {"field": "data/t", "interval": 5e-324}}
    answer = await ask(cold, {"perPage": 0, "aggs": {"h": tiny}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["aggregations"]["h"]["buckets"] == []


async def test_one_device_at_a_past_instant(cold: Fleet) -> None:
    then, now = cold.before + 10, clock.now_ms()
    later = {"name": "Later", "blueprintId": "b1", "systemId": "s1", "version": 2}
    gone = {"name": "beta", "blueprintId": "b1", "systemId": "s2", "version": 2}
    cold.store.add_events(
        [
            device_rows.device_row(cold.project, "d1", later, now - 60_000),
            data_row(cold.project, "d1", (now - 60_000, "f"), [Write("t", 6)]),
            device_rows.device_row(cold.project, "d2", gone, now - 60_000, deleted=True),
        ]
    )
    cold.api.documents.document(f"projects/{cold.project}/devices/d2").delete()
    everybody = cold.api.user(cold.project, "device.read", "device.readData")
    system = cold.api.user(cold.project, "device.read", "device.readData", on=("system", "s2"))

    async def read(device_id: str, at: int | str, token: str = everybody, **more: str) -> Any:
        async with cold.api.client(token) as http:
            return await http.get(f"/v1/device/{device_id}", params={"at": at, **more})

    first, second = (await read("d1", then)), (await read("d1", str(now)))
    assert (first.json()["name"], first.json()["data"]["t"]) == ("Alpha", 5)
    assert (second.json()["name"], second.json()["data"]["t"]) == ("Later", 6)
    assert [one.json()["lastModified"] for one in (first, second)] == [cold.before, now - 60_000]
    assert "etag" not in first.headers
    assert (await read("d1", then, paths="position/lat")).json()["data"] == {"position": {"lat": 52.0}}
    # Deleted since: it is told as it was, and to whom it would have been told.
    assert (await read("d2", then, system)).json()["data"] == {"t": 15, "state": "on"}
    for device_id, at, token in (
        ("d2", now, everybody),
        ("d1", cold.before - 1, everybody),
        ("d1", then, system),
        ("nobody", then, everybody),
    ):
        answer = await read(device_id, at, token)
        assert (answer.status_code, answer.json()["error"]) == (404, "device.notThen"), device_id
    assert (await read("d1", "then")).status_code == 400


async def test_a_system_that_never_was_is_no_empty_one(cold: Fleet) -> None:
    for body in ({}, {"at": clock.now_ms()}):
        answer = await ask(cold, body, path="system/nowhere")
        assert (answer.status_code, answer.json()["error"]) == (404, "system.notFound")
    async with cold.api.client(cold.api.user(cold.project, "device.list", "device.readData")) as http:
        answer = await http.get("/v1/system/nowhere/devices", params={"at": clock.now_ms()})
    assert answer.status_code == 404
