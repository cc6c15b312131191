"""The client of queries: jobs by their own id, pages, limits, failures and how long they are borne."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.core import ids
from shared.clients import bigquery, bigquery_rest
from shared.config import settings
from shared.errors import Rejected, Transient
from tests.support.history import History

NUMBERS = "SELECT n FROM UNNEST(GENERATE_ARRAY(1, @last)) AS n ORDER BY n"
LAST = [("last", "INT64", 25)]


def new_id() -> str:
    return f"test_{ids.new_id()}"


async def test_pages_follow_each_other(history: History) -> None:
    job = await bigquery.start(NUMBERS, LAST, new_id(), 2**40, 30)
    sizes = [len(page.rows) async for page in bigquery.pages(job, 10, 30)]
    assert sizes == [10, 10, 5]
    third = await bigquery.page(job, 3, 30, first=20)
    assert (third.rows, third.total) == ([["21"], ["22"], ["23"]], 25)


async def test_one_id_is_one_job_even_if_its_answer_was_lost(history: History) -> None:
    job_id = new_id()
    history.faults({"method": "jobs.insert", "drop_answer_rate": 1.0, "code": "UNAVAILABLE"})
    history.forget_calls()
    job = await bigquery.start(NUMBERS, LAST, job_id, 2**40, 30)
    assert history.calls() == {"jobs.insert": 2, "jobs.get": 1}
    history.faults()
    # It runs already: what is sent again with its id starts nothing, whatever it says.
    again = await bigquery.start("SELECT 1 AS n", [], job_id, 2**40, 30)
    assert job.job_id == again.job_id == job_id
    assert (await bigquery.page(again, 100, 30)).total == 25


async def test_a_store_that_stays_away_is_transient(history: History) -> None:
    history.faults({"method": "jobs.insert", "error_rate": 1.0, "code": "UNAVAILABLE"})
    history.forget_calls()
    with pytest.raises(Transient):
        await bigquery.start(NUMBERS, LAST, new_id(), 2**40, 30)
    assert history.calls()["jobs.insert"] == 4


async def test_nobody_at_the_address_is_transient(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(Transient):
        await bigquery.estimate(NUMBERS, LAST)


async def test_a_quota_is_not_asked_again_at_once(history: History) -> None:
    history.faults({"method": "jobs.insert", "error_rate": 1.0, "code": "RESOURCE_EXHAUSTED"})
    history.forget_calls()
    with pytest.raises(Transient):
        await bigquery.start(NUMBERS, LAST, new_id(), 2**40, 30)
    assert history.calls()["jobs.insert"] == 1


@pytest.mark.parametrize(
    ("sql", "error_type"),
    [
        ("SELECT nothing", "bigquery.invalidQuery"),
        ("SELECT 1/0 AS x", "bigquery.invalidQuery"),
        ("SELECT x FROM `history.nowhere`", "bigquery.notFound"),
    ],
)
async def test_what_can_never_run_is_rejected(sql: str, error_type: str, history: History) -> None:
    with pytest.raises(Rejected) as caught:
        await bigquery.start(sql, [], new_id(), 2**40, 30)
    assert caught.value.error_type == error_type


async def test_a_job_that_is_not_done_in_time_is_cancelled(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    async def never_done(method: str, path: str, *args: Any, **more: Any) -> bytes:
        asked.append((method, path))
        return b'{"jobComplete": false}'

    monkeypatch.setattr(bigquery_rest, "call", never_done)
    with pytest.raises(bigquery.TooSlow):
        await bigquery.page(bigquery.Job("j1", "EU"), 10, 0.05)
    assert asked[0] == ("GET", "/queries/j1")
    assert asked[-1] == ("POST", "/jobs/j1/cancel")


async def test_a_job_that_bigquery_ended_was_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*args: Any) -> bytes:
        content = b'{"error": {"message": "Job timed out", "errors": [{"reason": "stopped"}]}}'
        raise bigquery_rest.failed_with(400, content)

    monkeypatch.setattr(bigquery_rest, "_request", ended)
    with pytest.raises(bigquery.TooSlow):
        await bigquery.page(bigquery.Job("j1", "EU"), 10, 5)


async def test_a_job_elsewhere_is_found_where_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def elsewhere(method: str, path: str, given: Any, *rest: Any) -> bytes:
        asked.append((method, path, given))
        if method == "POST":
            content = (
                b'{"error": {"message": "Already Exists: Job p-1:europe-west1.j1", '
                b'"errors": [{"reason": "duplicate"}]}}'
            )
            raise bigquery_rest.failed_with(409, content)
        return b'{"jobReference": {"jobId": "j1", "location": "europe-west1"}}'

    monkeypatch.setattr(bigquery_rest, "_request", elsewhere)
    job = await bigquery.start(NUMBERS, LAST, "j1", 2**40, 30)
    assert job == bigquery.Job("j1", "europe-west1")
    assert asked[-1] == ("GET", "/jobs/j1", {"location": "europe-west1"})


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (502, b"<html>bad gateway</html>", Transient),
        (500, b'{"error": {"message": "?", "errors": [{"reason": "strange"}]}}', Transient),
        (403, b'{"error": {"message": "no", "errors": [{"reason": "accessDenied"}]}}', Transient),
        (403, b'{"error": {"message": "slow down", "errors": [{"reason": "quotaExceeded"}]}}', Transient),
        (400, b"", Rejected),
        (404, b'{"error": {"message": "gone", "errors": []}}', Rejected),
    ],
)
async def test_what_an_answer_means(
    status: int, content: bytes, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: Any) -> bytes:
        raise bigquery_rest.failed_with(status, content)

    monkeypatch.setattr(bigquery_rest, "_request", failing)
    monkeypatch.setattr(bigquery_rest, "_PAUSES", (0.0, 0.0))
    with pytest.raises(expected):
        await bigquery.estimate(NUMBERS, LAST)


async def test_a_dry_run_has_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def dry(*args: Any) -> bytes:
        return b'{"jobReference": {"projectId": "p"}, "statistics": {"totalBytesProcessed": "5"}}'

    monkeypatch.setattr(bigquery_rest, "_request", dry)
    assert await bigquery.estimate(NUMBERS, LAST) == 5


async def test_every_kind_of_parameter_comes_as_it_is(history: History) -> None:
    given: list[bigquery.Parameter] = [
        ("s", "STRING", 'it\'s "x" ; -- é'),
        ("i", "INT64", -(2**63)),
        ("f", "FLOAT64", 1e-7),
        ("b", "BOOL", False),
        ("t", "TIMESTAMP", 253_402_300_799_999),
        ("a", "ARRAY<STRING>", ["x", "y"]),
        ("e", "ARRAY<FLOAT64>", []),
    ]
    sql = (
        "SELECT @s AS s, @i AS i, @f AS f, @b AS b, UNIX_MILLIS(@t) AS t, ARRAY_TO_STRING(@a, '+') AS a, "
        "ARRAY_LENGTH(@e) AS e"
    )
    job = await bigquery.start(sql, given, new_id(), 2**40, 30)
    (row,) = (await bigquery.page(job, 1, 30)).rows
    assert row[0] == 'it\'s "x" ; -- é'
    assert int(row[1] or 0) == -(2**63)
    assert float(row[2] or 0) == 1e-7
    assert row[3:] == ["false", "253402300799999", "x+y", "0"]
