"""Searches through the function's entry: filters by either store, pages, permissions, the past, exports."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from shared import clock, device_rows
from shared.config import settings
from shared.messages import Write
from tests.support.warehouse import data_row
from tests.unit.api.search.conftest import Fleet


async def ask(fleet: Fleet, body: Any, token: str = "", path: str = "", **query: Any) -> Any:
    token = token or fleet.api.user(fleet.project, "device.read", "device.readData")
    async with fleet.api.client(token) as client:
        return await client.post(
            f"/v1/{path or f'project/{fleet.project}'}/devices.search", json=body, params=query
        )


async def found(fleet: Fleet, body: Any, source: str, **more: Any) -> list[str]:
    answer = await ask(fleet, body, **more)
    assert answer.status_code == 200, answer.text
    assert answer.json()["source"] == source, body
    return [item["id"] for item in answer.json()["items"]]


def equals(field: str, value: Any) -> dict[str, Any]:
    return {"type": "equals", "field": field, "value": value}


@pytest.mark.parametrize(
    ("filter_", "source", "ids_"),
    [
        ({}, "firestore", ["d1", "d2", "d3", "d4"]),
        (equals("systemId", "s2"), "firestore", ["d2"]),
        (equals("data/state", "on"), "firestore", ["d2"]),
        (equals("data/t", 5.0), "firestore", ["d1"]),
        ([equals("blueprintId", "b1"), equals("tags", "north")], "firestore", ["d1", "d2"]),
        ({"type": "enum", "field": "data/t", "values": [5, 25, "x"]}, "firestore", ["d1", "d3"]),
        ({"type": "comparison", "field": "data/t", "operator": ">", "value": 5}, "firestore", ["d2", "d3"]),
        (
            {"type": "comparison", "field": "data/t", "operator": "between", "value": [0, 15]},
            "firestore",
            ["d1", "d2"],
        ),
        ({"type": "parent", "value": "d1"}, "firestore", ["d3"]),
        ({"type": "parent", "value": "d1", "attributeId": "a1"}, "firestore", ["d3"]),
        (equals("metadata/floor", 2), "firestore", ["d4"]),
        (equals("id", "d3"), "firestore", ["d3"]),
        ([equals("id", "d3"), {"type": "exists", "field": "data/zzz"}], "firestore", []),
        ({"type": "startsWith", "field": "name", "value": "Ga"}, "firestore", ["d3"]),
        ({"type": "exists", "field": "data/state"}, "bigquery", ["d2", "d3"]),
        ({"type": "notExists", "field": "data/t"}, "bigquery", ["d4"]),
        ({"type": "not", "condition": equals("data/state", "on")}, "bigquery", ["d1", "d3", "d4"]),
        (
            {
                "type": "comparison",
                "field": "data/t",
                "operator": "<",
                "value": 10,
                "includeEmpty": True,
            },
            "bigquery",
            ["d1", "d4"],
        ),
        ({"type": "contains", "field": "name", "value": "ET", "ignoreCase": True}, "bigquery", ["d2"]),
        ({"type": "text", "value": "ALPHA"}, "bigquery", ["d1"]),
        (
            {"type": "geo", "field": "data/position", "lat": 52, "lon": 13.01, "distance": 1, "unit": "km"},
            "bigquery",
            ["d1"],
        ),
        (
            {
                "type": "logical",
                "operator": "or",
                "conditions": [equals("data/t", 5), equals("name", "delta")],
            },
            "bigquery",
            ["d1", "d4"],
        ),
    ],
)
async def test_each_filter_is_answered_by_its_store(
    cold: Fleet, filter_: Any, source: str, ids_: list[str]
) -> None:
    assert sorted(await found(cold, {"filter": filter_}, source)) == ids_


async def test_sorts_pages_and_totals_of_both_stores(cold: Fleet) -> None:
    for sort, source, wanted in (
        ([{"field": "name"}], "firestore", ["d1", "d3", "d2", "d4"]),
        ([{"field": "id", "order": "desc"}], "bigquery", ["d4", "d3", "d2", "d1"]),
        ([{"field": "data/t", "order": "desc", "missing": "_first"}], "bigquery", ["d4", "d3", "d2", "d1"]),
        ([{"field": "systemId"}, {"field": "data/t"}], "bigquery", ["d1", "d3", "d4", "d2"]),
    ):
        token = cold.api.user(cold.project, "device.read", "device.readData")
        pages, cursor = [], None
        for _ in range(3):
            body = {"sort": sort, "perPage": 2, "total": True} | ({"cursor": cursor} if cursor else {})
            answer = (await ask(cold, body, token)).json()
            assert (answer["source"], answer["total"]) == (source, 4)
            pages += [item["id"] for item in answer["items"]]
            cursor = answer.get("next")
            if cursor is None:
                break
        assert pages == wanted


async def test_devices_that_are_named_come_by_pages_too(cold: Fleet) -> None:
    body = {"filter": {"type": "enum", "field": "id", "values": ["d4", "d1", "nope", "d3", "a/b"]}}
    first = (await ask(cold, body | {"perPage": 2, "total": True, "sort": ["name"]})).json()
    assert ([item["id"] for item in first["items"]], first["total"]) == (["d1", "d3"], 3)
    rest = await found(cold, body | {"perPage": 2, "sort": ["name"], "cursor": first["next"]}, "firestore")
    assert rest == ["d4"]
    wrong = await ask(cold, body | {"cursor": "i.x"})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "cursor.invalid")


async def test_a_live_answer_is_current_though_bigquery_found_it(cold: Fleet) -> None:
    body = {"filter": {"type": "exists", "field": "data/state"}}
    cold.change("d2", name="renamed")
    cold.api.documents.document(f"projects/{cold.project}/devices/d3").update({"data": {"t": 1}})
    answer = (await ask(cold, body)).json()
    assert [(item["id"], item["name"]) for item in answer["items"]] == [("d2", "renamed")]


async def test_the_fleet_at_an_instant(cold: Fleet) -> None:
    later = cold.before + 60_000
    renamed = {"name": "New", "blueprintId": "b1", "systemId": "s1", "version": 2}
    cold.store.add_events(
        [
            device_rows.device_row(cold.project, "d1", renamed, later),
            data_row(cold.project, "d1", (later, "f"), [Write("t", 99), Write("position", op="delete")]),
            device_rows.device_row(cold.project, "d2", {"name": "beta", "version": 2}, later, deleted=True),
        ]
    )
    body = {"filter": {"type": "exists", "field": "data/t"}, "total": True}
    then = (await ask(cold, body | {"at": later - 1})).json()
    assert [item["id"] for item in then["items"]] == ["d1", "d2", "d3"]
    assert (then["source"], then["total"], then["at"]) == ("bigquery", 3, later - 1)
    first = then["items"][0]
    assert (first["name"], first["data"]["t"], first["tags"]) == ("Alpha", 5, ["north"])
    now = (await ask(cold, body | {"at": later})).json()
    assert [(item["id"], item["name"], item["data"]) for item in now["items"]] == [
        ("d1", "New", {"t": 99}),
        ("d3", "Gamma", {"t": 25, "state": "off"}),
    ]
    none = (await ask(cold, body | {"at": cold.before - 1})).json()
    assert (none["items"], none["total"]) == ([], 0)


async def test_lists_at_an_instant(cold: Fleet) -> None:
    later = cold.before + 60_000
    gone = {"name": "beta", "systemId": "s2", "version": 2}
    cold.store.add_events([device_rows.device_row(cold.project, "d2", gone, later, deleted=True)])
    reader = cold.api.user(cold.project, "device.list", "device.readData", on=("system", "s2"))
    async with cold.api.client(cold.api.user(cold.project, "device.list", "device.readData")) as http:

        async def listed(path: str, **query: Any) -> Any:
            answer = await http.get(f"/v1/{path}/devices", params=query)
            assert answer.status_code == 200, answer.text
            return answer.json()

        path = f"project/{cold.project}"
        names = [item["name"] for item in (await listed(path, at=later - 1, sort="-name"))["items"]]
        assert names == ["delta", "beta", "Gamma", "Alpha"]
        first = await listed(path, at=later - 1, perPage=2, total=True)
        assert (first["total"], [item["id"] for item in first["items"]]) == (4, ["d1", "d2"])
        assert first["items"][1]["data"] == {"t": 15, "state": "on"}
        second = await listed(path, at=later - 1, perPage=2, cursor=first["next"])
        assert [item["id"] for item in second["items"]] == ["d3", "d4"]
        assert [d["id"] for d in (await listed(path, at=later))["items"]] == ["d1", "d3", "d4"]
        assert [d["id"] for d in (await listed("system/s2", at=str(later - 1)))["items"]] == ["d2"]
        assert [d["id"] for d in (await listed(path, at=later, tag="north", name="Al"))["items"]] == ["d1"]
        wrong = await http.get(f"/v1/{path}/devices", params={"at": "then"})
        assert (wrong.status_code, wrong.json()["error"]) == (400, "search.invalid")
    async with cold.api.client(reader) as http:
        seen = await http.get(f"/v1/project/{cold.project}/devices", params={"at": later - 1})
        assert [item["id"] for item in seen.json()["items"]] == ["d2"]


@pytest.mark.parametrize("body", [{}, {"filter": {"type": "exists", "field": "name"}}, {"at": 5}])
async def test_a_store_that_does_not_answer_is_a_503(cold: Fleet, body: Any) -> None:
    token = cold.api.user(cold.project, "device.read", "device.readData")
    address = cold.store.address if body else cold.api.address
    method = "jobs.insert" if body else "RunQuery"
    async with httpx.AsyncClient() as control:
        rules = [{"method": method, "error_rate": 1.0, "code": "UNAVAILABLE"}]
        await control.post(f"{address.http}/faults", json={"rules": rules})
        try:
            answer = await ask(cold, body, token)
        finally:
            await control.request("DELETE", f"{address.http}/faults")
    assert answer.status_code == 503, answer.text
    assert (await ask(cold, body, token)).status_code == 200


async def test_a_search_that_would_read_too_much_is_refused(
    cold: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULCRUM_HISTORY_MAX_BYTES", "1000")
    settings.cache_clear()
    try:
        answer = await ask(cold, {"filter": {"type": "exists", "field": "name"}})
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert (answer.status_code, answer.json()["error"]) == (400, "search.tooExpensive")


async def test_aggregations_over_all_that_match(cold: Fleet) -> None:
    body = {
        "filter": equals("blueprintId", "b1"),
        "perPage": 0,
        "aggregations": {
            "tags": {"terms": {"field": "tags"}, "aggregations": {"heat": {"stats": {"field": "data/t"}}}},
            "heat": {"histogram": {"field": "data/t", "interval": 10}},
        },
    }
    answer = (await ask(cold, body)).json()
    assert answer["items"] == []
    tags = answer["aggregations"]["tags"]["buckets"]
    assert [(bucket["key"], bucket["doc_count"], bucket["heat"]["avg"]) for bucket in tags] == [
        ("north", 2, 10.0),
        ("old", 1, 15.0),
    ]
    heat = answer["aggregations"]["heat"]["buckets"]
    assert [(bucket["key"], bucket["doc_count"]) for bucket in heat] == [(0, 1), (10, 1), (20, 1)]


async def test_only_what_the_caller_may_read(cold: Fleet) -> None:
    system = cold.api.user(cold.project, "device.read", "device.readData", on=("system", "s2"))
    device = cold.api.user(cold.project, "device.read", "device.readData", on=("device", "d1"))
    nothing = cold.api.user(cold.project, "blueprint.read")
    live = {"filter": {"type": "exists", "field": "name"}}
    for body in ({}, live, live | {"at": clock.now_ms()}):
        for token, wanted in ((system, ["d2"]), (device, ["d1", "d3"])):
            answer = await ask(cold, body, token)
            assert [item["id"] for item in answer.json()["items"]] == wanted, answer.text
        assert (await ask(cold, body, nothing)).status_code == 403
    stats = {"perPage": 0, "aggs": {"n": {"terms": {"field": "systemId"}}}}
    answer = (await ask(cold, stats, device)).json()
    assert [b["doc_count"] for b in answer["aggregations"]["n"]["buckets"]] == [2]
    within = await ask(cold, {}, system, path="system/s2")
    assert [item["id"] for item in within.json()["items"]] == ["d2"]
    assert (await ask(cold, {}, system, path="system/s1")).json()["items"] == []


async def test_two_projects_never_mix(cold: Fleet) -> None:
    other = Fleet(cold.api, cold.store)
    other.add("d1", {"t": 7, "state": "on"}, name="other")
    other.add("d9", {"t": 8, "state": "on"}, name="other")
    exists = {"filter": {"type": "exists", "field": "data/state"}}
    for body in ({}, exists, exists | {"at": clock.now_ms()}):
        mine, theirs = (await ask(cold, body)).json(), (await ask(other, body)).json()
        assert {item["name"] for item in theirs["items"]} == {"other"}
        assert "other" not in json.dumps(mine)
    # A cursor leads into the results of its own project and search alone.
    first = (await ask(other, exists | {"perPage": 1})).json()
    for project, body in ((cold, exists), (other, {"filter": {"type": "exists", "field": "data/t"}})):
        answer = await ask(project, body | {"perPage": 1, "cursor": first["next"]})
        assert (answer.status_code, answer.json()["error"]) == (400, "cursor.expired")
    assert (await ask(other, exists | {"perPage": 1, "cursor": first["next"]})).json()["count"] == 1
    token = cold.api.user(cold.project, "device.read", "device.readData")
    assert (await ask(other, {}, token)).status_code == 403


async def test_fields_that_are_answered(cold: Fleet) -> None:
    body = {"filter": equals("id", "d1"), "fields": ["name", "data/position/lat", "metadata/x"]}
    (item,) = (await ask(cold, body)).json()["items"]
    assert item == {"id": "d1", "name": "Alpha", "data": {"position": {"lat": 52.0}}}


@pytest.mark.parametrize("filter_", [{}, {"type": "exists", "field": "name"}])
async def test_exports(cold: Fleet, filter_: Any) -> None:
    body = {"filter": filter_, "fields": ["name", "data/t", "tags"]}
    answer = await ask(cold, body, format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = answer.text.split("\r\n")
    assert lines[:3] == [
        "id,name,data/t,tags",
        'd1,Alpha,5,"[""north""]"',
        'd2,beta,15,"[""north"",""old""]"',
    ]
    assert len(lines) == 6
    answer = await ask(cold, body, format="jsonl")
    assert [json.loads(line)["id"] for line in answer.text.splitlines()] == ["d1", "d2", "d3", "d4"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"filter": {"type": "equals", "field": "x", "value": 1}}, "filter.field"),
        ({"filter": [equals("name", {})]}, "filter[0].value"),
        ({"sort": [{"field": "data/a", "order": "up"}]}, "sort[0].order"),
        ({"aggs": {"a": {"terms": {}}}}, "aggs.a.terms.field"),
        ({"at": "yesterday"}, "at"),
        ({"perPage": 201}, "perPage"),
        ([], "body"),
    ],
)
async def test_a_mistake_is_a_400_with_its_place(cold: Fleet, body: Any, place: str) -> None:
    answer = await ask(cold, body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "search.invalid"
    assert answer.json()["message"].startswith(place + ": ")


@pytest.mark.parametrize("cursor", ["x", "b.x", "b.W10", "b." + "A" * 100])
async def test_a_cursor_that_is_none(cold: Fleet, cursor: str) -> None:
    for filter_ in ({}, {"type": "exists", "field": "name"}):
        answer = await ask(cold, {"filter": filter_, "cursor": cursor})
        assert (answer.status_code, answer.json()["error"]) == (400, "cursor.invalid")


async def test_a_text_looks_into_the_projects_attributes(cold: Fleet) -> None:
    body = {"filter": {"type": "text", "value": "of"}}
    assert await found(cold, body, "bigquery") == []
    where = cold.api.documents.document(f"projects/{cold.project}/attributes/{ids.new_id()}")
    where.set({"blueprintId": "b1", "path": "state", "type": "string"})
    assert await found(cold, body, "bigquery") == ["d3"]
