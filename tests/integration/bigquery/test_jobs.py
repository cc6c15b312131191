"""Query jobs while they run and long after: asked for twice, and not kept for ever."""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import Any

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from emulators.bigquery.jobs import KEPT_CELLS, Job, Jobs, Result
from tests.integration.bigquery.conftest import PROJECT
from tests.support.emulators import Address

# About a second of work.
_SLOW = (
    "SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 6000)) AS a, UNNEST(GENERATE_ARRAY(1, 20000)) AS b "
    "WHERE MOD(a * b, 7) = 3"
)


def _post(emulator: Address, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(  # noqa: S310 loopback
        f"{emulator.http}/bigquery/v2/projects/{PROJECT}/{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 loopback
        return json.loads(answer.read())


def test_a_request_that_comes_again_while_it_runs_takes_effect_once(
    client: bigquery.Client, emulator: Address
) -> None:
    client.create_dataset("d")
    client.create_table(bigquery.Table(f"{PROJECT}.d.t", schema=[bigquery.SchemaField("n", "INT64")]))
    body = {"query": f"INSERT INTO d.t (n) {_SLOW}", "useLegacySql": False, "requestId": "once"}
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(_post(emulator, "queries", body))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["numDmlAffectedRows"] for answer in answers] == ["1"] * 3
    assert next(iter(client.query_and_wait("SELECT COUNT(*) AS n FROM d.t"))).n == 1


def test_a_job_is_seen_running_and_then_done(client: bigquery.Client, emulator: Address) -> None:
    body = {
        "jobReference": {"projectId": PROJECT, "jobId": "slow"},
        "configuration": {"query": {"query": _SLOW, "useLegacySql": False}},
    }
    thread = threading.Thread(target=lambda: _post(emulator, "jobs", body))
    thread.start()
    states = []
    while thread.is_alive():
        try:
            states.append(client.get_job("slow").state)
        except NotFound:
            continue  # not there yet
    thread.join()
    assert "RUNNING" in states
    job = client.get_job("slow")
    assert job.state == "DONE"
    assert len(list(job.result())) == 1


def _job(number: int, rows: int) -> Job:
    row = {"f": [{"v": "1"}]}
    return Job("p", str(number), {}, 1, 2, Result("SELECT", [{"name": "a"}], [row] * rows))


def test_rows_of_old_results_make_room_for_new_ones() -> None:
    jobs = Jobs()
    for number in range(5):
        job = _job(number, KEPT_CELLS // 2)
        jobs.add(job)
        jobs.finished(job)
    kept = [job for job in jobs.of("p") if job.result is not None and job.result.rows]
    assert [job.id for job in kept] == ["4", "3"]
    assert [job.forgotten for job in jobs.of("p")] == [False, False, True, True, True]
    large = _job(9, KEPT_CELLS + 1)
    jobs.add(large)
    jobs.finished(large)
    assert not large.forgotten


def test_the_last_result_is_paged_and_a_forgotten_one_is_said_to_be_gone(
    client: bigquery.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.query("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 600000)) AS x")
    assert next(iter(first.result(page_size=2))).x is not None
    client.query("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 600000)) AS x").result(page_size=2)
    with pytest.raises(NotFound, match="newer results"):
        list(first.result(page_size=2))
