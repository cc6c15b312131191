"""Every kind while the store fails, or loses its answers: a caller who sends again gets there, and once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from tests.support.api import Api
from tests.unit.api.resources.kinds import ROWS, Row

ALL = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
TRIES = 60


def set_faults(api: Api, *rules: dict[str, Any], seed: int = 0) -> None:
    httpx.post(f"{api.address.http}/faults", json={"rules": rules, "seed": seed}).raise_for_status()


async def insist(http: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response:
    """Send a request again as long as the answer asks for that."""
    for _ in range(TRIES):
        answer = await http.request(method, path, **more)
        if answer.status_code != 503:
            return answer
        assert answer.json()["error"] in ("service.unavailable", "job.notStarted"), answer.text
        assert answer.headers["retry-after"]
    raise AssertionError(f"{method} {path} was never answered")


@ALL
async def test_who_sends_again_gets_there_once(api: Api, row: Row) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        path, body = await row.made(http, project)
        before = sum(1 for _ in api.documents.collection(f"projects/{project}/audit").stream())
        set_faults(
            api,
            {"method": "Commit", "error_rate": 0.4, "drop_answer_rate": 0.5},
            {"method": "BatchGetDocuments", "error_rate": 0.3},
            {"method": "RunQuery", "error_rate": 0.3, "code": "DEADLINE_EXCEEDED"},
            seed=len(row.name),
        )
        try:
            key = {"Idempotency-Key": "k"}
            created = await insist(http, "POST", path, json=body, params=query, headers=key)
            assert created.status_code == 201, created.text
            item = f"/v1/{row.name}/{created.json()['id']}"
            again = await insist(http, "POST", path, json=body, params=query, headers=key)
            assert again.json() == created.json()
            changed = await insist(http, "PATCH", item, json=row.patch, params=query)
            assert changed.status_code == 200, changed.text
            # A first answer may have been lost: what was done is not done again.
            assert changed.json()["version"] == 2
            deleted = await insist(http, "DELETE", item, params=query)
            assert deleted.status_code in (200, 410), deleted.text
        finally:
            set_faults(api)
        assert (await http.get(item, params=query)).status_code == 410
    entries = [d.to_dict() for d in api.documents.collection(f"projects/{project}/audit").stream()]
    verbs = sorted(entry["verb"] for entry in entries if entry["resourceId"] == created.json()["id"])
    assert (verbs, len(entries) - before) == (["created", "deleted", "updated"], 3)


@ALL
async def test_a_store_that_is_down_is_said_so_and_nothing_is_written(api: Api, row: Row) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        path, body = await row.made(http, project)
        made = (await http.post(path, json=body, params=query)).json()
        item = f"/v1/{row.name}/{made['id']}"
        for method in ("Commit", "BatchGetDocuments"):
            set_faults(api, {"method": method, "error_rate": 1})
            try:
                for verb, where, sent in (
                    ("POST", path, body | {"name": "Other"}),
                    ("GET", path, None),
                    ("GET", item, None),
                    ("PATCH", item, row.patch),
                    ("DELETE", item, None),
                ):
                    answer = await http.request(verb, where, json=sent, params=query)
                    assert answer.status_code in (200, 409, 503), answer.text
                    if answer.status_code == 200:
                        assert verb == "GET", (method, where)
            finally:
                set_faults(api)
        set_faults(api, {"method": "RunQuery", "error_rate": 1})
        try:
            assert (await http.get(path, params=query)).status_code == 503
        finally:
            set_faults(api)
        assert (await http.get(item, params=query)).json() == made


async def test_a_deletion_whose_job_could_not_start_is_started_by_sending_it_again(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        made = (await http.post(f"/v1/project/{project}/systems", json={"name": "S"})).json()
        item = f"/v1/system/{made['id']}"
        api.topics.down = True
        try:
            failed = await http.delete(item, params=query)
        finally:
            api.topics.down = False
        assert (failed.status_code, failed.json()["error"]) == (503, "job.notStarted")
        assert (await http.get(item, params=query)).status_code == 410
        again = await http.delete(item, params=query)
        assert again.status_code == 200
        assert any(again.json()["jobId"].encode() in data for data in api.topics.take("jobs"))
