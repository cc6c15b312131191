"""Deletions and their jobs through the API: what a caller sees, and what a broken start leaves to do."""

from __future__ import annotations

import json

from fulcrum.core import ids
from shared import clock
from shared.cascade import job
from tests.support.api import Api
from tests.support.jobs import jobs_function, references

BLUEPRINT = {"name": "Cold store", "alias": "coldStore"}


async def test_a_deletion_names_its_job_which_says_how_far_it_is(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http, jobs_function(api.topics) as jobs:
        made = (await http.post(f"/v1/project/{project}/blueprints", json=BLUEPRINT)).json()
        deleted = (await http.delete(f"/v1/blueprint/{made['id']}", params=query)).json()
        waiting = await http.get(f"/v1/job/{deleted['jobId']}", params=query)
        assert waiting.status_code == 200, waiting.text
        assert waiting.json()["state"] == "waiting"
        await jobs.finish()
        done = (await http.get(f"/v1/job/{deleted['jobId']}", params=query)).json()
        assert (done["state"], done["kind"], done["resourceId"]) == ("done", "blueprint", made["id"])
        listed = (await http.get(f"/v1/project/{project}/jobs", params={"total": True})).json()
        assert [item["id"] for item in listed["items"]] == [deleted["jobId"]]
        assert listed["total"] == 1
        again = await http.delete(f"/v1/blueprint/{made['id']}", params=query)
        assert again.status_code == 410
        assert await references(made["id"]) == []


async def test_a_job_that_could_not_be_started_is_started_by_the_next_delete(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http, jobs_function(api.topics) as jobs:
        made = (await http.post(f"/v1/project/{project}/blueprints", json=BLUEPRINT)).json()
        path = f"/v1/blueprint/{made['id']}"
        api.topics.down = True
        try:
            failed = await http.delete(path, params=query)
        finally:
            api.topics.down = False
        assert failed.status_code == 503
        assert failed.json()["error"] == "job.notStarted"
        assert failed.headers["retry-after"]
        assert (await http.get(path, params=query)).status_code == 410
        again = await http.delete(path, params=query)
        assert again.status_code == 200, again.text
        assert json.loads(api.topics.messages[-1][1])["jobId"] == again.json()["jobId"]
        await jobs.finish()
        assert (await http.delete(path, params=query)).status_code == 410


async def test_a_job_that_nothing_touches_is_started_by_whoever_asks_for_it(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        made = (await http.post(f"/v1/project/{project}/blueprints", json=BLUEPRINT)).json()
        job_id = (await http.delete(f"/v1/blueprint/{made['id']}", params=query)).json()["jobId"]
        api.topics.take(job.TOPIC)
        await http.get(f"/v1/job/{job_id}", params=query)
        assert api.topics.take(job.TOPIC) == []
        document = api.documents.document(f"projects/{project}/jobs/{job_id}")
        document.update({"lastModified": clock.now_ms() - job.IDLE_MS})
        assert (await http.get(f"/v1/job/{job_id}", params=query)).json()["state"] == "waiting"
        (message,) = api.topics.take(job.TOPIC)
        assert json.loads(message) == {"projectId": project, "jobId": job_id}


async def test_jobs_are_their_projects(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        made = (await http.post(f"/v1/project/{project}/blueprints", json=BLUEPRINT)).json()
        query = {"projectId": project}
        job_id = (await http.delete(f"/v1/blueprint/{made['id']}", params=query)).json()["jobId"]
        assert (await http.get(f"/v1/job/{job_id}", params={"projectId": other})).status_code == 404
        assert (await http.get(f"/v1/project/{other}/jobs")).json()["items"] == []
    async with api.client(api.user(project, "blueprint.read")) as http:
        assert (await http.get(f"/v1/job/{job_id}")).status_code == 403
        assert (await http.get(f"/v1/project/{project}/jobs")).status_code == 403
