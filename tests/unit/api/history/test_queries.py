"""Queries through the API: pages and cursors, exports, costs, and what a failing store is answered as."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import pytest

from functions.api.history import cursors
from shared.clients import bigquery
from shared.config import settings
from tests.support.history import DAY, History, at, event
from tests.unit.api.history.conftest import Farm

READ = "device.readHistory"
WINDOW = {"start": DAY, "end": DAY + 86_400_000}
PATH = "/v1/device/d1/history"


@pytest.fixture
def rows(history: History, farm: Farm) -> int:
    history.write(*(event(farm.project, at("10:00:00.0") + i, {"v": i}, id=f"e{i:02}") for i in range(25)))
    return 25


async def pages(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """All pages of a query."""
    found = []
    cursor: dict[str, Any] = {}
    while True:
        answer = await http.post(path, json={**body, **cursor})
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        if "next" not in found[-1]:
            return found
        cursor = {"cursor": found[-1]["next"]}


async def test_the_same_by_get_by_post_and_by_get_with_a_body(rows: int, farm: Farm) -> None:
    async with farm.api.client(farm.token(READ)) as http:
        posted = await http.post(PATH, json={**WINDOW, "paths": ["v"], "where": [["v", "<", 3]]})
        given: dict[str, str | int] = {**WINDOW, "paths": "v", "where": '[["v", "<", 3]]'}
        got = await http.get(PATH, params=given)
        body = {**WINDOW, "paths": ["v"], "where": ["v", "<", 3]}
        with_body = await http.request("GET", PATH, json=body)
    assert posted.json() == {"count": 3, "perPage": 50, "items": [{"v": 0}, {"v": 1}, {"v": 2}]}
    assert got.json() == with_body.json() == posted.json()


async def test_pages_follow_each_other_and_say_how_many_there_are(rows: int, farm: Farm) -> None:
    async with farm.api.client(farm.token(READ)) as http:
        found = await pages(http, PATH, {**WINDOW, "perPage": 10, "total": True})
        rest = await http.post(PATH, json={**WINDOW, "startIndex": 20, "paths": ["$id"]})
    assert [page["count"] for page in found] == [10, 10, 5]
    assert {page["total"] for page in found} == {25}
    assert [item["id"] for page in found for item in page["items"]] == [f"e{i:02}" for i in range(25)]
    assert [item["id"] for item in rest.json()["items"]] == [f"e{i:02}" for i in range(20, 25)]


async def test_a_next_page_asks_nothing_anew(rows: int, farm: Farm, history: History) -> None:
    async with farm.api.client(farm.token(READ)) as http:
        first = (await http.post(PATH, json={"start": DAY, "perPage": 10})).json()
        history.forget_calls()
        second = await http.post(PATH, json={"start": DAY, "perPage": 5, "cursor": first["next"]})
    assert [item["id"] for item in second.json()["items"]] == [f"e{i:02}" for i in range(10, 15)]
    assert history.calls() == {"jobs.getQueryResults": 1}


async def test_a_cursor_leads_through_its_own_query_alone(rows: int, farm: Farm) -> None:
    stranger = farm.api.project(f"x{farm.project}")
    async with farm.api.client(farm.token(READ)) as http:
        body = {**WINDOW, "perPage": 10}
        cursor = (await http.post(PATH, json=body)).json()["next"]
        for other in (
            {"paths": ["v"]},
            {"where": ["v", ">", 1]},
            {"order": [["time", "DESC"]]},
            {"start": DAY + 1},
            {"end": DAY + 5},
        ):
            answer = await http.post(PATH, json={**body, **other, "cursor": cursor})
            assert answer.status_code == 400, other
            assert answer.json()["error"] in ("cursor.invalid", "cursor.expired")
        elsewhere = await http.post(
            "/v1/project/" + farm.project + "/history", json={**body, "cursor": cursor}
        )
        assert elsewhere.json()["error"] == "cursor.expired"
        for broken in ("x", "!!!", cursor[:-4], "e30", cursor * 50):
            answer = await http.post(PATH, json={**body, "cursor": broken})
            assert answer.status_code == 400
            assert answer.json()["error"].startswith("cursor.")
    async with farm.api.client(farm.api.user(stranger, READ)) as http:
        answer = await http.post(f"/v1/project/{stranger}/history", json={**body, "cursor": cursor})
    assert answer.status_code == 400


@pytest.mark.parametrize("end", [-1, 0, DAY, 10**20, -(10**20), 2**63])
@pytest.mark.parametrize("more", [{}, {"dryRun": True}, {"format": "csv"}])
async def test_a_cursor_with_an_end_that_no_query_has_is_refused(
    rows: int, farm: Farm, end: int, more: dict[str, Any]
) -> None:
    crafted = cursors.encode(cursors.Cursor(cursors.new_nonce(), DAY, end, ""))
    async with farm.api.client(farm.token(READ)) as http:
        answer = await http.post(PATH, json={"start": DAY, "cursor": crafted, **more})
    assert (answer.status_code, answer.json()["error"]) == (400, "cursor.invalid")


async def test_the_last_of_several_at_one_instant_is_the_one_that_the_state_has(
    history: History, farm: Farm
) -> None:
    time = at("10:00:00.0")
    ids_ = ["e3", "e9", "e1", "e7", "e5"]
    history.write(*(event(farm.project, time, {"v": one}, id=one) for one in ids_))
    paths = [["v", name.lower(), {"function": name}] for name in ("FIRST", "LAST")]
    async with farm.api.client(farm.token(READ)) as http:
        answer = await http.post(PATH, json={**WINDOW, "paths": paths})
        state = await http.get("/v1/device/d1/getHistorical", params={"at": time})
    assert answer.json()["items"] == [{"first": "e1", "last": "e9"}], answer.text
    assert state.json()["data"] == {"v": "e9"}


async def test_csv_quotes_what_must_be_and_calls_no_formula(history: History, farm: Farm) -> None:
    time = at("10:00:00.0")
    values: list[Any] = [
        "=1+1",
        "+x",
        "-x",
        "@x",
        "\tx",
        "\n=x",
        "\uff1dx",
        'a "b", c',
        "two\nlines",
        -5,
        1.5,
        True,
        None,
        [1],
        "",
    ]
    history.write(*(event(farm.project, time + i, {"v": v}, id=f"{i:02}") for i, v in enumerate(values)))
    body = {**WINDOW, "paths": ["$id", ["v", "=v"]], "perPage": 1}
    async with farm.api.client(farm.token(READ)) as http:
        answer = await http.post(PATH, json=body, headers={"Accept": "text/csv;q=0.9, */*;q=0.1"})
        same = await http.post(PATH, json={**body, "format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="history.csv"'
    assert answer.content == same.content
    assert answer.content.count(b"\r\n") == len(values) + 1
    read = [row[1] for row in csv.reader(io.StringIO(answer.content.decode(), newline=""))]
    assert read[0] == "'=v"
    assert read[1:8] == ["'=1+1", "'+x", "'-x", "'@x", "'\tx", "'\n=x", "'\uff1dx"]
    assert read[8:] == ['a "b", c', "two\nlines", "-5", "1.5", "true", "", "[1]", ""]


async def test_json_lines_hold_every_row_whole(rows: int, farm: Farm) -> None:
    async with farm.api.client(farm.token(READ)) as http:
        answer = await http.get(PATH, params=WINDOW, headers={"Accept": "application/x-ndjson"})
        whole = await http.get(PATH, params={**WINDOW, "perPage": 10_000})
        empty = await http.get(PATH, params={"start": 0, "end": 1, "format": "csv"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.text.splitlines()] == whole.json()["items"]
    assert empty.text == "id,time,deviceId,systemId,blueprintId,data,userId\r\n"


async def test_a_dry_run_costs_nothing_and_says_what_the_query_would(
    rows: int, farm: Farm, history: History
) -> None:
    async with farm.api.client(farm.token(READ)) as http:
        history.forget_calls()
        answer = await http.get(PATH, params={**WINDOW, "dryRun": "true"})
        narrow = await http.get(PATH, params={**WINDOW, "dryRun": "true", "paths": "$time"})
        pruned = await http.get(PATH, params={"start": 0, "end": 1, "dryRun": "true"})
    assert answer.json() == {"bytes": answer.json()["bytes"], "maxBytes": 10 * 2**30, "allowed": True}
    assert answer.json()["bytes"] > narrow.json()["bytes"] > pruned.json()["bytes"] == 0
    assert history.calls() == {"jobs.insert": 3}


async def test_a_query_reads_no_more_than_it_may(
    rows: int, farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with farm.api.client(farm.token(READ)) as http:
        lowered = await http.get(PATH, params={**WINDOW, "maxBytes": "1"})
        exported = await http.get(PATH, params={**WINDOW, "maxBytes": "1", "format": "csv"})
        dry = await http.get(PATH, params={**WINDOW, "maxBytes": "1", "dryRun": "true"})
        monkeypatch.setenv("FULCRUM_HISTORY_MAX_BYTES", "1000")
        settings.cache_clear()
        raised = await http.get(PATH, params={**WINDOW, "maxBytes": "1000000000"})
    for answer in (lowered, exported, raised):
        assert answer.status_code == 400
        assert answer.json()["error"] == "history.tooExpensive"
    assert f"{dry.json()['bytes']} bytes, and may read 1" in lowered.json()["message"]
    assert "dryRun" in lowered.json()["description"]
    assert dry.json()["allowed"] is False
    settings.cache_clear()


@pytest.mark.parametrize("more", [{}, {"format": "csv"}, {"dryRun": "true"}])
async def test_a_store_that_fails_is_said_to_be_away(
    more: dict[str, str], rows: int, farm: Farm, history: History
) -> None:
    history.faults({"method": "jobs.insert", "error_rate": 1.0, "code": "UNAVAILABLE"})
    async with farm.api.client(farm.token(READ)) as http:
        answer = await http.get(PATH, params={**WINDOW, **more})
    assert answer.status_code == 503
    assert answer.json()["error"] == "history.unavailable"
    assert "again" in answer.json()["description"]
    assert answer.headers["retry-after"] == "5"


async def test_what_passes_within_a_second_is_not_noticed(rows: int, farm: Farm, history: History) -> None:
    history.faults(
        {"method": "jobs.insert", "drop_answer_rate": 0.5, "code": "UNAVAILABLE"},
        {"method": "jobs.getQueryResults", "error_rate": 0.3, "code": "UNAVAILABLE"},
    )
    async with farm.api.client(farm.token(READ)) as http:
        answers = [await http.get(PATH, params={**WINDOW, "paths": "v"}) for _ in range(4)]
    good = [answer for answer in answers if answer.status_code == 200]
    assert good
    assert {answer.json()["count"] for answer in good} == {25}
    assert {answer.status_code for answer in answers} <= {200, 503}


async def test_a_query_that_takes_too_long_is_ended(
    rows: int, farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*args: Any, **more: Any) -> bigquery.Page:
        raise bigquery.TooSlow("a query took longer than 60 s")

    monkeypatch.setattr(bigquery, "page", slow)
    async with farm.api.client(farm.token(READ)) as http:
        answer = await http.get(PATH, params=WINDOW)
    assert answer.status_code == 504
    assert answer.json()["error"] == "history.timeout"


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ([("start", "5"), ("start", "6")], "start"),
        ([("fetch", "5")], "body"),
        ([], "start"),
        ([("start", "5"), ("perPage", "x")], "perPage"),
        ([("start", "5"), ("where", "[[")], "where"),
    ],
)
async def test_bad_parameters_are_named(
    given: list[tuple[str, str | int | float | bool | None]], place: str, farm: Farm, history: History
) -> None:
    async with farm.api.client(farm.token(READ)) as http:
        answer = await http.get(PATH, params=given)
    assert answer.status_code == 400
    assert answer.json()["error"] == "query.invalid"
    assert answer.json()["message"].startswith(f"{place}: ")


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b'"x"', b"[" * 5_000, b'{"start": 5, "start": "x"}'])
async def test_bad_bodies_are_named(body: bytes, farm: Farm, history: History) -> None:
    async with farm.api.client(farm.token(READ)) as http:
        answer = await http.post(PATH, content=body)
        both = await http.post(PATH, params={"start": "5"}, json={"start": 6})
    assert answer.status_code == 400
    assert answer.json()["error"] == "query.invalid"
    assert both.json()["message"] == "start: it is given twice"
