"""Deployments on Google's own client and a stand-in of Cloud Functions: what serves, what changes nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from functions.deployer import run
from shared.config import settings
from shared.script_package import function_id
from tests.support.deploying import Deployer
from tests.support.emulators import Address
from tests.support.functions_api import PARENT
from tests.support.scripts import PROJECT, ask_deployment, put_version, read_deployment, read_state

GOOD = "def run(message, context):\n    return {text!r}\n"
BROKEN = "import nothing_of_that_name\n"


def says(state: dict[str, Any]) -> Any:
    """What the code says that serves a script."""
    answer = httpx.post(state["url"], json={}, timeout=30)
    return answer.json()["said"] if answer.status_code == 200 else answer.status_code


async def deploy(deployer: Deployer, documents: Any, script: str, version: int) -> dict[str, Any]:
    """Deploy a version; the deployment as it stands afterwards."""
    message = ask_deployment(documents, script, version)
    await deployer.finish(message)
    return read_deployment(documents, message.deployment_id)


async def test_version_is_deployed_and_said_so(deployer: Deployer, documents: Any) -> None:
    put_version(documents, "first", 1, GOOD.format(text="one") + "def onTimer(message, context): ...\n")
    done = await deploy(deployer, documents, "first", 1)
    assert (done["state"], done["progress"], done["log"]) == ("serving", 100, "")
    assert done["message"] == (
        "version 1 serves: onTimer, run; isolated by limits; NOT isolated by landlock: this kernel has none"
    )
    state = read_state(documents, "first")
    assert (state["state"], state["version"]) == ("deployed", 1)
    assert [entry["name"] for entry in json.loads(state["entries"])] == ["run", "onTimer"]
    assert says(state) == "one"
    function = deployer.api.get(function_id(PROJECT, "first"))
    assert state["function"] == function.name
    service = function.service_config
    assert service.service_account_email == "scripts@fulcrum-local.iam.gserviceaccount.com"
    assert service.ingress_settings.name == "ALLOW_INTERNAL_ONLY"
    assert dict(service.environment_variables) == {}
    assert function.labels["fulcrum-version"] == "1"


async def test_right_to_call_goes_to_reason_and_deployer_alone(deployer: Deployer, documents: Any) -> None:
    put_version(documents, "right", 1, GOOD.format(text="one"))
    await deploy(deployer, documents, "right", 1)
    policy = deployer.api.run.get_iam_policy(
        request={"resource": f"{PARENT}/services/{function_id(PROJECT, 'right')}"}
    )
    domain = "fulcrum-local.iam.gserviceaccount.com"
    assert [(binding.role, list(binding.members)) for binding in policy.bindings] == [
        ("roles/run.invoker", [f"serviceAccount:deployer@{domain}", f"serviceAccount:reason@{domain}"])
    ]


async def test_connector_takes_all_traffic(
    deployer: Deployer, documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = "projects/p/locations/europe-west1/connectors/none"
    monkeypatch.setenv("FULCRUM_SCRIPT_VPC_CONNECTOR", connector)
    settings.cache_clear()
    put_version(documents, "egress", 1, GOOD.format(text="one"))
    await deploy(deployer, documents, "egress", 1)
    service = deployer.api.get(function_id(PROJECT, "egress")).service_config
    assert (service.vpc_connector, service.vpc_connector_egress_settings.name) == (connector, "ALL_TRAFFIC")


async def test_broken_build_leaves_the_old_version_serving(deployer: Deployer, documents: Any) -> None:
    put_version(documents, "breaks", 1, GOOD.format(text="one"))
    put_version(documents, "breaks", 2, BROKEN)
    put_version(documents, "breaks", 3, GOOD.format(text="three"), requirements="fulcrum-has-none-such==1\n")
    await deploy(deployer, documents, "breaks", 1)
    before = read_state(documents, "breaks")
    for version, words in ((2, "No module named 'nothing_of_that_name'"), (3, "No matching distribution")):
        failed = await deploy(deployer, documents, "breaks", version)
        assert failed["state"] == "failed"
        assert failed["message"].startswith(f"version {version} could not be deployed: ")
        assert words in failed["log"]
        after = read_state(documents, "breaks")
        assert after | {"deployment": ""} == before | {"deployment": ""}
        assert says(after) == "one"


async def test_rollback_is_a_deployment_of_an_older_version(deployer: Deployer, documents: Any) -> None:
    for version, text in ((1, "one"), (2, "two")):
        put_version(documents, "rolls", version, GOOD.format(text=text))
        await deploy(deployer, documents, "rolls", version)
        assert says(read_state(documents, "rolls")) == text
    documents.document(f"projects/{PROJECT}/scriptStates/rolls").update({"breaker": '{"state": "open"}'})
    assert (await deploy(deployer, documents, "rolls", 1))["state"] == "serving"
    state = read_state(documents, "rolls")
    assert (state["version"], says(state)) == (1, "one")
    assert "breaker" not in state, "what the version before did is not held against this one"


async def test_undeployed_script_has_no_function(deployer: Deployer, documents: Any) -> None:
    put_version(documents, "goes", 1, GOOD.format(text="one"))
    await deploy(deployer, documents, "goes", 1)
    url = read_state(documents, "goes")["url"]
    message = ask_deployment(documents, "goes", action="undeploy")
    await deployer.finish(message)
    assert read_deployment(documents, message.deployment_id)["state"] == "done"
    state = read_state(documents, "goes")
    assert (state["state"], state.get("url"), state.get("version")) == ("undeployed", None, None)
    assert deployer.api.status(url) == 404
    await deployer.finish(ask_deployment(documents, "goes", action="undeploy"))
    assert (await deploy(deployer, documents, "goes", 1))["state"] == "serving"
    assert says(read_state(documents, "goes")) == "one"


async def test_function_of_a_deleted_script_goes(deployer: Deployer, documents: Any) -> None:
    put_version(documents, "deleted", 1, GOOD.format(text="one"))
    await deploy(deployer, documents, "deleted", 1)
    url = read_state(documents, "deleted")["url"]
    message = json.dumps({"type": "scriptDeployMsg", "projectId": PROJECT, "scriptId": "deleted"}).encode()
    assert await deployer.post(message) == 204
    assert deployer.api.status(url) == 404
    assert await deployer.post(message) == 204, "the same again"


# Several


async def test_later_deployment_wins_over_one_under_way(deployer: Deployer, documents: Any) -> None:
    put_version(documents, "race", 1, "import time\ntime.sleep(1)\n" + GOOD.format(text="one"))
    put_version(documents, "race", 2, GOOD.format(text="two"))
    first = ask_deployment(documents, "race", 1)
    working = asyncio.create_task(deployer.finish(first))
    while not read_deployment(documents, first.deployment_id).get("operation"):  # noqa: ASYNC110 a document
        await asyncio.sleep(0.02)
    second = ask_deployment(documents, "race", 2)
    await deployer.finish(second)
    await working
    assert read_deployment(documents, second.deployment_id)["state"] == "serving"
    old = read_deployment(documents, first.deployment_id)
    assert (old["state"], "later deployment" in old["message"]) == ("failed", True)
    state = read_state(documents, "race")
    assert (state["version"], says(state)) == (2, "two")


async def test_two_on_one_deployment_build_once(deployer: Deployer, documents: Any) -> None:
    put_version(documents, "twice", 1, GOOD.format(text="one"))
    message = ask_deployment(documents, "twice", 1)
    deployer.api.calls()
    await asyncio.gather(*(deployer.finish(message) for _ in range(3)))
    assert read_deployment(documents, message.deployment_id)["state"] == "serving"
    assert says(read_state(documents, "twice")) == "one"
    # All asked, one was let.
    assert deployer.api.calls()["CreateFunction"] <= 3


async def test_redelivery_of_a_finished_deployment_changes_nothing(
    deployer: Deployer, documents: Any
) -> None:
    put_version(documents, "again", 1, GOOD.format(text="one"))
    message = ask_deployment(documents, "again", 1)
    await deployer.finish(message)
    before = (read_deployment(documents, message.deployment_id), read_state(documents, "again"))
    deployer.api.calls()
    await deployer.finish(message)
    assert (read_deployment(documents, message.deployment_id), read_state(documents, "again")) == before
    assert deployer.api.calls() == {}


# Cut off


METHODS = ["GenerateUploadUrl", "Upload", "CreateFunction", "GetOperation", "GetFunction", "GetIamPolicy"]


@pytest.mark.parametrize("method", [*METHODS, "SetIamPolicy"])
@pytest.mark.parametrize("kind", ["error_rate", "drop_answer_rate"])
async def test_deployment_goes_on_after_a_call_that_failed(
    deployer: Deployer, documents: Any, method: str, kind: str
) -> None:
    script = f"fault-{method}-{kind}"
    put_version(documents, script, 1, GOOD.format(text=script))
    message = ask_deployment(documents, script, 1)
    deployer.api.faults({"method": method, kind: 1, "code": "UNAVAILABLE"})
    assert await deployer.deliver(message) == 500
    deployer.api.faults()
    await deployer.finish(message)
    assert read_deployment(documents, message.deployment_id)["state"] == "serving"
    assert says(read_state(documents, script)) == script


async def test_update_whose_answer_was_lost_is_found_again(deployer: Deployer, documents: Any) -> None:
    for version in (1, 2):
        put_version(documents, "lost", version, GOOD.format(text=str(version)))
    await deploy(deployer, documents, "lost", 1)
    message = ask_deployment(documents, "lost", 2)
    deployer.api.faults({"method": "UpdateFunction", "drop_answer_rate": 1})
    assert await deployer.deliver(message) == 500
    deployer.api.faults()
    deployer.api.calls()
    await deployer.finish(message)
    assert says(read_state(documents, "lost")) == "2"
    assert "UpdateFunction" not in deployer.api.calls(), "it is built once"


async def test_work_is_left_to_a_message_when_the_time_is_up(
    deployer: Deployer, documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.go_on, "__defaults__", (0.05,))
    put_version(documents, "slowly", 1, "import time\ntime.sleep(0.5)\n" + GOOD.format(text="one"))
    message = ask_deployment(documents, "slowly", 1)
    assert await deployer.deliver(message) == 204
    told = read_deployment(documents, message.deployment_id)
    assert told["state"] == "building"
    waiting = deployer.topics.take("deploy")
    assert len(waiting) == 1
    while waiting:
        assert await deployer.post(waiting.pop()) == 204
        waiting = deployer.topics.take("deploy")
    assert read_deployment(documents, message.deployment_id)["state"] == "serving"


async def test_operation_that_the_cloud_forgot_is_no_end(deployer: Deployer, documents: Any) -> None:
    put_version(documents, "forgot", 1, GOOD.format(text="one"))
    message = ask_deployment(documents, "forgot", 1)
    name = f"projects/{PROJECT}/scriptDeployments/{message.deployment_id}"
    documents.document(name).update({"operation": f"{PARENT}/operations/none", "state": "building"})
    await deployer.finish(message)
    assert read_deployment(documents, message.deployment_id)["state"] == "serving"


# Bad input


async def test_refusals_fail_the_deployment_in_plain_words(deployer: Deployer, documents: Any) -> None:
    missing = await deploy(deployer, documents, "none", 7)
    assert (missing["state"], missing["message"]) == ("failed", "there is no version 7 of the script")
    put_version(documents, "outside", 1, GOOD.format(text="x"), files={"../up.py": "x = 1\n"})
    outside = await deploy(deployer, documents, "outside", 1)
    assert (outside["state"], "cannot be packed" in outside["message"]) == ("failed", True)
    put_version(documents, "denied", 1, GOOD.format(text="x"))
    deployer.api.faults({"method": "CreateFunction", "error_rate": 1, "code": "PERMISSION_DENIED"})
    denied = await deploy(deployer, documents, "denied", 1)
    assert (denied["state"], "PERMISSION_DENIED" in denied["message"]) == ("failed", True)
    assert read_state(documents, "denied").get("state") is None


async def test_deployment_that_takes_for_ever_fails(deployer: Deployer, documents: Any) -> None:
    put_version(documents, "old", 1, GOOD.format(text="x"))
    message = ask_deployment(documents, "old", 1)
    name = f"projects/{PROJECT}/scriptDeployments/{message.deployment_id}"
    documents.document(name).update({"created": 1})
    await deployer.finish(message)
    assert "took longer than 45 minutes" in read_deployment(documents, message.deployment_id)["message"]


async def test_code_that_never_answers_fails(deployer: Deployer, documents: Any) -> None:
    put_version(documents, "mute", 1, GOOD.format(text="x"))
    message = ask_deployment(documents, "mute", 1)
    name = f"projects/{PROJECT}/scriptDeployments/{message.deployment_id}"
    documents.document(name).update({"built": 1})
    deployer.api.faults({"method": "Call", "error_rate": 1})
    await deployer.finish(message)
    told = read_deployment(documents, message.deployment_id)
    assert (told["state"], "was built and does not answer" in told["message"]) == ("failed", True)


@pytest.mark.parametrize(
    "data",
    [
        b"no JSON",
        b"{}",
        b'{"type": "scriptDeployMsg", "projectId": "workshop"}',
        b'{"type": "scriptDeployMsg", "projectId": "a/b", "deploymentId": "x"}',
        b'{"type": "scriptDeployMsg", "projectId": "workshop", "scriptId": "a/b"}',
    ],
)
async def test_what_is_no_deployment_is_set_aside(deployer: Deployer, data: bytes) -> None:
    assert await deployer.post(data) == 204
    assert deployer.topics.take("quarantine") == [data]


async def test_unknown_deployment_and_bad_push_are_answered(deployer: Deployer) -> None:
    message = b'{"type": "scriptDeployMsg", "projectId": "workshop", "deploymentId": "nothing"}'
    assert await deployer.post(message) == 204
    assert (await deployer.client.post("/", content=b"x")).status_code == 400


@pytest.mark.parametrize(
    "rules",
    [
        [{"method": "Commit", "drop_answer_rate": 0.5}],
        [{"method": "Commit", "error_rate": 0.5, "code": "ABORTED"}],
        [{"method": "BatchGetDocuments", "error_rate": 0.7}],
    ],
    ids=["answers lost", "commits aborted", "reads failed"],
)
async def test_store_that_fails_changes_nothing_of_the_outcome(
    deployer: Deployer, documents: Any, store: Address, rules: list[dict[str, Any]]
) -> None:
    script = f"store-{rules[0]['method']}-{len(rules[0])}"
    put_version(documents, script, 1, GOOD.format(text=script))
    message = ask_deployment(documents, script, 1)
    async with httpx.AsyncClient() as control:
        await control.post(f"{store.http}/faults", json={"rules": rules, "seed": 3})
        statuses = [await deployer.deliver(message) for _ in range(12)]
        await control.delete(f"{store.http}/faults")
    assert set(statuses) <= {204, 500}
    assert 500 in statuses, "nothing failed"
    await deployer.finish(message)
    assert read_deployment(documents, message.deployment_id)["state"] == "serving"
    state = read_state(documents, script)
    assert (state["state"], says(state)) == ("deployed", script)


async def test_topic_that_fails_has_the_message_come_again(
    deployer: Deployer, documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.go_on, "__defaults__", (0.05,))
    put_version(documents, "topic", 1, "import time\ntime.sleep(0.5)\n" + GOOD.format(text="one"))
    message = ask_deployment(documents, "topic", 1)
    deployer.topics.down = True
    assert await deployer.deliver(message) == 500
    deployer.topics.down = False
    await deployer.finish(message)
    assert read_deployment(documents, message.deployment_id)["state"] == "serving"
