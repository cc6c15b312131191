"""A script's life: code, versions, deployments; also of requests that come twice, at once, or in vain."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared import clock
from tests.unit.api.resources.test_faults import set_faults
from tests.unit.api.scripts.conftest import CODE, Life

OTHER = "from lib.limits import WARM\n\n\nasync def run(message, context):\n    return False\n"
FILES = {"lib/limits.py": "WARM = 8\n", "table.csv": "a,b\n"}


async def test_a_script_is_not_running_until_it_is_deployed(life: Life) -> None:
    assert (await life.get()).json()["state"] == {
        "state": "undeployed",
        "entries": [],
        "breaker": {"state": "closed", "failures": 0},
    }
    made = await life.deploy(note="first")
    assert made["state"] == "queued"
    assert (made["version"], made["action"], made["note"]) == (1, "deploy", "first")
    state = (await life.get()).json()["state"]
    assert state == {
        "state": "deployed",
        "version": 1,
        "deployment": made["id"],
        "entries": [{"name": "run", "needs": {"deviceData": ["air/temperature"]}}],
        "breaker": {"state": "closed", "failures": 0},
    }
    listed = await life.http.get(f"/v1/project/{life.project}/scripts")
    assert listed.json()["items"][0]["state"] == state


async def test_an_open_breaker_is_shown_with_its_reason(life: Life) -> None:
    await life.deploy()
    breaker = (
        '{"state": "open", "reason": "KeyError: air", "failures": 20, "openedAt": 5, "until": 65, "x": 1}'
    )
    life.document("scriptStates", life.script).update({"breaker": breaker})
    assert (await life.get()).json()["state"]["breaker"] == {
        "state": "open",
        "reason": "KeyError: air",
        "failures": 20,
        "openedAt": 5,
        "until": 65,
    }


async def test_code_is_set_with_files_and_requirements_and_read_back(life: Life) -> None:
    body = {"code": OTHER, "files": FILES, "requirements": "geographiclib==2.1\n"}
    answer = await life.post("setCode", body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"2"'
    read = (await life.get()).json()
    assert read == answer.json()
    assert {key: read[key] for key in body} == body
    # What is left out is gone: it is the whole draft.
    assert (await life.post("setCode", {"code": CODE})).json()["files"] == {}
    stale = await life.post("setCode", {"code": OTHER}, If_Match='"1"')
    assert (stale.status_code, stale.json()["error"]) == (412, "script.changed")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": "def run(:\n"},
        {"code": "x = 1\n"},
        {"code": CODE, "files": {"../x": ""}},
        {"code": CODE, "files": {"a.py": 3}},
        {"code": CODE, "files": {"a.py": "def ("}},
        {"code": CODE, "requirements": "numpy"},
        {"code": CODE, "version": 3},
        {"code": "#" * 600_000},
    ],
    ids=lambda body: ascii(body)[:30],
)
async def test_bad_code_is_refused_and_nothing_is_changed(life: Life, body: dict[str, Any]) -> None:
    answer = await life.post("setCode", body)
    assert answer.status_code == 400, answer.text
    assert (await life.get()).json()["version"] == 1


async def test_a_check_says_what_is_wrong_by_file_and_line(life: Life) -> None:
    assert (await life.post("check")).json() == {
        "ok": True,
        "entries": [{"name": "run", "needs": {}}],
        "problems": [],
        "warnings": [],
    }
    needy = "from fulcrum.script import needs\n\n\n@needs('cache', params=['limit'])\n"
    needy += "def run(message, context):\n"
    needy += "    import numpy\n    return context.device_data\n"
    found = (await life.post("check", {"code": needy})).json()
    assert found["ok"] is True
    assert found["entries"] == [{"name": "run", "needs": {"cache": True, "params": ["limit"]}}]
    told = [(one["line"], one["message"].split()[0]) for one in found["warnings"]]
    assert told == [(7, "context.device_data"), (6, "numpy")]
    required = {"code": needy, "requirements": "numpy==2.1.3\n"}
    assert len((await life.post("check", required)).json()["warnings"]) == 1
    # A file of comments names no package.
    remarked = {"code": needy, "requirements": "# name==version\n"}
    assert len((await life.post("check", remarked)).json()["warnings"]) == 2
    found = (await life.post("check", {"code": OTHER, "files": {"lib/limits.py": "WARM = = 8\n"}})).json()
    assert found["ok"] is False
    (problem,) = found["problems"]
    assert (problem["file"], problem["line"]) == ("lib/limits.py", 1)
    assert (await life.get()).json()["code"] == CODE


async def test_what_cannot_be_run_is_not_deployed(life: Life) -> None:
    refused = await life.post("setCode", {"code": CODE, "files": {"lib.py": "def ("}})
    assert (refused.status_code, refused.json()["error"]) == (400, "script.code")
    # As one that was saved before this was checked.
    life.document("scripts", life.script).update({"files": '{"lib.py": "def ("}'})
    answer = await life.post("deploy")
    assert (answer.status_code, answer.json()["error"]) == (400, "script.code")
    assert "lib.py, line 1" in answer.json()["message"]
    assert life.asked() == []
    assert (await life.get("versions")).json()["items"] == []


async def test_an_unchanged_draft_is_the_version_that_it_was(life: Life) -> None:
    assert (await life.deploy())["version"] == 1
    assert (await life.deploy())["version"] == 1
    await life.post("setCode", {"code": OTHER, "files": FILES})
    assert (await life.deploy(note="second"))["version"] == 2
    versions = (await life.get("versions", total=True)).json()
    assert [one["version"] for one in versions["items"]] == [2, 1]
    assert versions["total"] == 2
    assert "code" not in versions["items"][0]
    assert versions["items"][0]["note"] == "second"
    assert versions["items"][0]["createdBy"]["kind"] == "user"
    read = (await life.get("versions/2")).json()
    assert (read["code"], read["files"], read["requirements"]) == (OTHER, FILES, "")
    # A version never changes, whatever becomes of the draft.
    await life.post("setCode", {"code": CODE + "\n"})
    assert (await life.get("versions/2")).json() == read
    page = (await life.get("versions", perPage=1)).json()
    assert (await life.get("versions", perPage=1, cursor=page["next"])).json()["items"][0]["version"] == 1


async def test_versions_are_compared(life: Life) -> None:
    await life.deploy()
    await life.post("setCode", {"code": CODE + "# more", "files": FILES, "requirements": "a==1\n"})
    await life.deploy()
    found = (await life.get("versions/2/difference")).json()
    assert (found["before"], found["after"], found["same"]) == (1, 2, False)
    assert "--- 1/main.py\n+++ 2/main.py\n" in found["text"]
    assert "+# more\n\\ No newline at end of file\n" in found["text"]
    assert "--- /dev/null\n+++ 2/requirements.txt\n@@ -0,0 +1 @@\n+a==1\n" in found["text"]
    assert (await life.get("versions/2/difference", against=0)).json()["same"] is True
    assert "+++ 1/main.py" in (await life.get("versions/1/difference")).json()["text"]
    assert (await life.get("versions/3/difference")).status_code == 404
    assert (await life.get("versions/9")).json()["error"] == "scriptVersion.notFound"


async def test_a_rollback_deploys_what_ran_before(life: Life) -> None:
    assert (await life.post("rollback")).json()["error"] == "script.noVersionBefore"
    await life.deploy()
    assert (await life.post("rollback")).json()["error"] == "script.noVersionBefore"
    await life.post("setCode", {"code": OTHER, "files": FILES})
    await life.deploy()
    # One that failed never ran.
    await life.post("setCode", {"code": OTHER})
    failed = (await life.post("deploy")).json()
    life.document("scriptDeployments", failed["id"]).update({"state": "failed", "message": "no"})
    back = (await life.post("rollback")).json()
    assert (back["version"], back["action"]) == (1, "deploy")
    life.deployed(back)
    assert (await life.get()).json()["state"]["version"] == 1
    assert (await life.post("rollback", {"version": 3})).json()["version"] == 3
    assert (await life.post("rollback", {"version": 4})).status_code == 404


async def test_the_same_request_again_is_one_deployment(life: Life) -> None:
    first = (await life.post("deploy", {}, Idempotency_Key="k")).json()
    again = (await life.post("deploy", {}, Idempotency_Key="k")).json()
    without = (await life.post("deploy")).json()
    assert first["id"] == again["id"] == without["id"]
    # It is told again as long as nobody has begun with it: the message may have been lost.
    assert [one.deployment_id for one in life.asked()] == [first["id"]] * 3
    reused = await life.post("deploy", {"version": 1}, Idempotency_Key="k")
    assert (reused.status_code, reused.json()["error"]) == (422, "idempotency.reused")
    assert len((await life.get("deployments")).json()["items"]) == 1


async def test_of_two_at_once_there_is_one_version_and_one_deployment(life: Life) -> None:
    answers = await asyncio.gather(*(life.post("deploy") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {202}, [a.text for a in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await life.get("versions")).json()["items"]) == 1


async def test_a_later_deployment_takes_the_place_of_one_under_way(life: Life) -> None:
    first = (await life.post("deploy")).json()
    await life.post("setCode", {"code": OTHER})
    second = (await life.post("deploy")).json()
    assert second["id"] != first["id"]
    assert (await life.get()).json()["state"]["deployment"] == second["id"]
    assert [one["id"] for one in (await life.get("deployments")).json()["items"]] == [
        second["id"],
        first["id"],
    ]


async def test_undeploying_keeps_the_versions(life: Life) -> None:
    refused = await life.post("undeploy")
    assert (refused.status_code, refused.json()["error"]) == (409, "script.notDeployed")
    await life.deploy()
    made = (await life.post("undeploy")).json()
    assert (made["action"], made["version"]) == ("undeploy", 1)
    assert (await life.post("undeploy")).json()["id"] == made["id"]
    life.deployed(made)
    assert (await life.get()).json()["state"]["state"] == "undeployed"
    assert (await life.post("undeploy")).status_code == 409
    assert (await life.deploy())["version"] == 1


async def test_a_deployment_whose_message_is_lost_is_told_again(life: Life) -> None:
    life.api.topics.down = True
    try:
        answer = await life.post("deploy")
        assert (answer.status_code, answer.json()["error"]) == (503, "script.deployNotStarted")
    finally:
        life.api.topics.down = False
    again = await life.post("deploy")
    assert again.status_code == 202
    path = f"deployments/{again.json()['id']}"
    life.asked()
    assert (await life.get(path)).json()["state"] == "queued"
    assert life.asked() == []
    life.document("scriptDeployments", again.json()["id"]).update({"lastModified": clock.now_ms() - 61_000})
    await life.get(path)
    assert [one.deployment_id for one in life.asked()] == [again.json()["id"]]


async def test_the_audit_says_who_deployed_what(life: Life) -> None:
    await life.deploy(note="why")
    listed = await life.http.get(f"/v1/project/{life.project}/audit", params={"resourceId": life.script})
    (entry,) = [one for one in listed.json()["items"] if one["verb"] == "deployed"]
    assert {"path": "deployedVersion", "after": 1} in entry["changes"]
    assert {"path": "note", "after": "why"} in entry["changes"]


async def test_another_projects_script_is_not_found(life: Life) -> None:
    other = life.api.project("other" + life.project)
    made = await life.deploy()
    everything = {"projectId": other}
    for method, verb in (
        *(("POST", verb) for verb in ("check", "deploy", "undeploy", "rollback", "run")),
        *(("GET", verb) for verb in ("versions", "versions/1", "deployments", "logs", "metrics")),
        ("GET", f"deployments/{made['id']}"),
    ):
        path = f"/v1/script/{life.script}/{verb}"
        answer = await life.http.request(
            method, path, params=everything, json={} if method == "POST" else None
        )
        assert answer.status_code == 404, (verb, answer.text)


async def test_a_store_that_fails_loses_no_deployment(life: Life) -> None:
    faults = [
        {"method": "Commit", "error_rate": 0.4, "drop_answer_rate": 0.5},
        {"method": "BatchGetDocuments", "error_rate": 0.3},
        {"method": "RunQuery", "error_rate": 0.3},
    ]
    set_faults(life.api, *faults, seed=3)
    try:
        for _ in range(60):
            answer = await life.post("deploy", {}, Idempotency_Key="k")
            if answer.status_code != 503:
                break
    finally:
        set_faults(life.api)
    assert answer.status_code == 202, answer.text
    assert len((await life.get("deployments")).json()["items"]) == 1
    assert len((await life.get("versions")).json()["items"]) == 1
    assert {one.deployment_id for one in life.asked()} == {answer.json()["id"]}
