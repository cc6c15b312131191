"""Operations on a script's code, versions and deployments, and an occasion to run it.

No postponed annotations here: the framework reads the handlers' annotations.
"""

import asyncio
from typing import Annotated, Any

from fastapi import Path, Query, Response

from functions.api.needs import Call, needs
from functions.api.resources import lists, once, pages, plain, script_check
from functions.api.resources.answers import GONE, etag, problem
from functions.api.resources.automation import SCRIPT_RULES
from functions.api.router import Router
from functions.api.scripts import checking, deploying, differing, documents, running
from shared.model.page import Page
from shared.model.script import CODE, SCRIPT, Script, ScriptCode
from shared.model.script_life import (
    DEPLOYMENT,
    VERSION,
    DeployAsked,
    RunAccepted,
    RunAsked,
    ScriptCheck,
    ScriptChecked,
    ScriptDeployment,
    ScriptRollback,
    ScriptVersion,
    ScriptVersionCode,
    SetCode,
    VersionDifference,
)
from shared.store.change import check_match, retrying
from shared.store.scope import Stored

router = Router("script")
ScriptId = Annotated[str, Path(max_length=200, description="The id of the script")]
Number = Annotated[int, Path(ge=1, le=1_000_000_000, description="The number of the version")]
_REUSED: dict[int | str, dict[str, Any]] = {422: problem("The key was used for another body")}


def _body(example: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


@router.post(
    "/script/{script_id}/setCode",
    operation_id="script_set_code",
    summary="Set the code of a script",
    description="Replaces the draft: the text of main.py, all further files, all packages. What is "
    "deployed runs on until the draft is deployed. Refused if main.py is no Python. With If-"
    "Match, only if nobody was faster.",
    responses=GONE | {412: problem("It was changed meanwhile")},
    openapi_extra=_body({"code": CODE, "files": {}, "requirements": ""}),
)
async def set_code(
    script_id: ScriptId,
    body: SetCode,
    response: Response,
    call: Annotated[Call, needs("script.update")],
    if_match: lists.IfMatch = None,
) -> Script:
    async def attempt() -> Stored[Script]:
        stored = await call.scope.get(SCRIPT, script_id)
        check_match(stored, if_match)
        await script_check.check(body.code, body.files)
        change = call.change()
        if not change.update(stored, body.model_dump(by_alias=True)):
            return stored
        await change.commit()
        return await call.scope.get(SCRIPT, script_id)

    stored = await retrying(attempt)
    etag(response, stored)
    (answer,) = await pages.plain(call, SCRIPT_RULES, [stored])
    return Script.model_validate(answer.model_dump())


@router.post(
    "/script/{script_id}/check",
    operation_id="script_check",
    summary="Check a script",
    description="What is wrong with the draft, or with the code that is sent along, and which functions "
    "of it can be run. Nothing is run, and nothing saved.",
    responses=GONE,
    openapi_extra=_body({"code": CODE}),
)
async def check(
    script_id: ScriptId, body: ScriptCheck, call: Annotated[Call, needs("script.update")]
) -> ScriptChecked:
    stored = await call.scope.get(SCRIPT, script_id)
    if body.code is None:
        return await checking.checked(documents.code_of(stored))
    return await checking.checked(
        ScriptCode(code=body.code, files=body.files, requirements=body.requirements)
    )


@router.post(
    "/script/{script_id}/deploy",
    status_code=202,
    operation_id="script_deploy",
    summary="Deploy a script",
    description="Makes the draft a version, unless it is one already, and begins to deploy it, or a "
    "version that is named. The answer says how to follow it; the version before runs until "
    "the new one does. A deployment of another version that is under way is given up for this"
    " one. With an Idempotency-Key it is asked for once.",
    responses=GONE | _REUSED,
    openapi_extra=_body({"note": "Warn at 8 degrees"}),
)
async def deploy(
    script_id: ScriptId,
    body: DeployAsked,
    call: Annotated[Call, needs("script.deploy")],
    idempotency_key: once.Key = None,
) -> ScriptDeployment:
    stored = await deploying.deploy(call, script_id, body.version, body.note, idempotency_key)
    return stored.model()


@router.post(
    "/script/{script_id}/undeploy",
    status_code=202,
    operation_id="script_undeploy",
    summary="Undeploy a script",
    description="Events reach the script no more, and its function is removed. What then comes to it is "
    "set aside in quarantine, and can be sent again once it is deployed. Its versions stay.",
    responses=GONE | _REUSED | {409: problem("It is not deployed")},
)
async def undeploy(
    script_id: ScriptId,
    call: Annotated[Call, needs("script.deploy")],
    idempotency_key: once.Key = None,
) -> ScriptDeployment:
    return (await deploying.undeploy(call, script_id, idempotency_key)).model()


@router.post(
    "/script/{script_id}/rollback",
    status_code=202,
    operation_id="script_rollback",
    summary="Go back to an older version of a script",
    description="Deploys an older version: the one that ran before the present one, if none is named. The"
    " draft stays as it is.",
    responses=GONE | _REUSED | {409: problem("No other version has run before")},
    openapi_extra=_body({"version": 2}),
)
async def rollback(
    script_id: ScriptId,
    body: ScriptRollback,
    call: Annotated[Call, needs("script.deploy")],
    idempotency_key: once.Key = None,
) -> ScriptDeployment:
    stored = await deploying.rollback(call, script_id, body.version, body.note, idempotency_key)
    return stored.model()


@router.get(
    "/script/{script_id}/versions",
    operation_id="script_versions_list",
    summary="List the versions of a script",
    description="A page of the script's versions, the newest first, without their code.",
    responses=GONE,
)
async def list_versions(
    script_id: ScriptId,
    call: Annotated[Call, needs("script.read")],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[ScriptVersion]:
    await call.scope.get(SCRIPT, script_id)
    query = documents.versions_of(script_id, per_page, cursor)
    return await plain.page(call.scope, VERSION, query, total)


@router.get(
    "/script/{script_id}/versions/{number}",
    operation_id="script_version_get",
    summary="Read a version of a script",
    description="A version with its code.",
    responses=GONE,
)
async def get_version(
    script_id: ScriptId, number: Number, call: Annotated[Call, needs("script.read")]
) -> ScriptVersionCode:
    await call.scope.get(SCRIPT, script_id)
    return (await documents.version(call, script_id, number)).model()


@router.get(
    "/script/{script_id}/versions/{number}/difference",
    operation_id="script_version_difference",
    summary="Compare two versions of a script",
    description="How a version differs from another one, or from the draft, as a unified diff of all files.",
    responses=GONE,
)
async def difference(
    script_id: ScriptId,
    number: Number,
    call: Annotated[Call, needs("script.read")],
    against: Annotated[
        int | None,
        Query(
            ge=0,
            le=1_000_000_000,
            description="The version to compare with; 0: the draft. Else the one before",
        ),
    ] = None,
) -> VersionDifference:
    script = await call.scope.get(SCRIPT, script_id)
    after = documents.code_of(await documents.version(call, script_id, number))
    other = number - 1 if against is None else against
    if other == 0 and against is None:
        before = ScriptCode.model_construct(code="", files={}, requirements="")
    elif other == 0:
        before = documents.code_of(script)
    else:
        before = documents.code_of(await documents.version(call, script_id, other))
    return await asyncio.to_thread(differing.difference, (other, before), (number, after))


@router.get(
    "/script/{script_id}/deployments",
    operation_id="script_deployments_list",
    summary="List the deployments of a script",
    description="A page of the script's deployments, the latest first.",
    responses=GONE,
)
async def list_deployments(
    script_id: ScriptId,
    call: Annotated[Call, needs("script.read")],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[ScriptDeployment]:
    await call.scope.get(SCRIPT, script_id)
    query = documents.deployments_of(script_id, per_page, cursor)
    return await plain.page(call.scope, DEPLOYMENT, query, total)


@router.get(
    "/script/{script_id}/deployments/{deployment_id}",
    operation_id="script_deployment_get",
    summary="Read a deployment of a script",
    description="How far a deployment is. One that nothing has touched for long is started again.",
    responses=GONE,
)
async def get_deployment(
    script_id: ScriptId,
    deployment_id: Annotated[str, Path(max_length=200, description="The id of the deployment")],
    call: Annotated[Call, needs("script.read")],
) -> ScriptDeployment:
    stored = await documents.deployment(call, script_id, deployment_id)
    await deploying.told(call, stored)
    return stored.model()


@router.post(
    "/script/{script_id}/run",
    status_code=202,
    operation_id="script_run",
    summary="Run a script",
    description="Runs the deployed version, for a device whose data the caller may write or for none, as a "
    "timer would. It is safe when this is answered; what came of it stands in the logs a moment later. With "
    "an id or an Idempotency-Key it runs once.",
    responses=GONE | _REUSED | {409: problem("It is not deployed")},
    openapi_extra=_body({"targetFunction": "run", "params": {"limit": 8}}),
)
async def run(
    script_id: ScriptId,
    body: RunAsked,
    call: Annotated[Call, needs("script.run")],
    idempotency_key: once.Key = None,
) -> RunAccepted:
    return await running.run(call, script_id, body, idempotency_key)
