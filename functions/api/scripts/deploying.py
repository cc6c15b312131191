"""Deployments: asked for in one commit, carried out by the deployer, which their message reaches."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.api.needs import Call
from functions.api.resources import once
from functions.api.scripts import checking, documents
from shared import clock, script_documents
from shared.errors import ApiError, FulcrumError
from shared.log import log
from shared.model.script import SCRIPT, Script, ScriptCode, StoredState
from shared.model.script_life import DEPLOYMENT, ScriptDeployment
from shared.store.change import Change, retrying
from shared.store.scope import Stored

# What nothing has touched for so long may have lost its message; a build takes minutes.
_IDLE_MS = {"queued": 60_000, "building": 900_000}
# So many of the latest are looked through for the version that ran before.
_LOOKED_THROUGH = 100
_canonical = msgspec.json.Encoder(order="deterministic").encode
_json = msgspec.json.Encoder().encode


def digest(code: ScriptCode) -> str:
    """What tells the code of two versions apart: 32 hexadecimal characters."""
    return hashlib.sha256(_canonical([code.code, code.files, code.requirements])).hexdigest()[:32]


async def deploy(
    call: Call, script_id: str, number: int | None, note: str | None, key: str | None, verb: str = "deployed"
) -> Stored[ScriptDeployment]:
    """Ask for a deployment of a version, or of the draft; it is told, and its message is published.

    The same one, while it is under way, is answered again; another one is given up for this one.
    """

    async def attempt() -> str:
        change = call.change()
        script, state = await documents.script_and_state(call, script_id)
        asked = {"script": script_id, "version": number, "note": note}
        known = await once.known_id(call, change, key, "script_deploy", asked)
        if known is not None:
            return known
        made = await _version(call, change, script, number, note)
        under_way = await _under_way(call, state)
        if under_way is not None and _is_same(under_way, "deploy", made):
            return under_way.id
        return await _begin(call, change, script, state, "deploy", made, note, verb)

    return await _started(call, await retrying(attempt))


async def undeploy(call: Call, script_id: str, key: str | None) -> Stored[ScriptDeployment]:
    """Ask for the function of a script to be removed; ApiError 409 ``script.notDeployed`` if it has none."""

    async def attempt() -> str:
        change = call.change()
        script, state = await documents.script_and_state(call, script_id)
        known = await once.known_id(call, change, key, "script_undeploy", {"script": script_id})
        if known is not None:
            return known
        under_way = await _under_way(call, state)
        number = state.fields.get("version") if state else None
        if under_way is not None and under_way.fields.get("action") == "undeploy":
            return under_way.id
        if under_way is None and (state is None or state.fields.get("state") != "deployed"):
            raise not_deployed(script)
        return await _begin(call, change, script, state, "undeploy", number or 0, None, "undeployed")

    return await _started(call, await retrying(attempt))


async def rollback(
    call: Call, script_id: str, number: int | None, note: str | None, key: str | None
) -> Stored[ScriptDeployment]:
    """:func:`deploy` an older version: the one that ran before the present one, if none is named."""
    if number is None:
        number = await _before(call, script_id)
    return await deploy(call, script_id, number, note, key, "rolledBack")


async def told(call: Call, stored: Stored[ScriptDeployment]) -> None:
    """Have a deployment carried out that nothing has touched for long: its message may be lost."""
    idle = _IDLE_MS.get(str(stored.fields.get("state")))
    if idle is None or clock.now_ms() - int(stored.fields.get("lastModified") or 0) < idle:
        return
    try:
        await _publish(call, stored.id)
    except FulcrumError as error:
        # The answer is right all the same, and whoever waits for it asks again.
        log("WARNING", "deployment not published", requestId=call.request_id, error=str(error))


def not_deployed(script: Stored[Script]) -> ApiError:
    """409 for what needs a script to be running."""
    return ApiError(
        409,
        "script.notDeployed",
        f"the script {script.id!r} ({script.fields.get('name')}) is not deployed",
        "deploy it first",
    )


async def _version(
    call: Call, change: Change, script: Stored[Script], number: int | None, note: str | None
) -> int:
    """The number of the version to deploy; one of the draft is made within the change if it is new."""
    if number is not None:
        return int((await documents.version(call, script.id, number)).fields["version"])
    code = documents.code_of(script)
    newest = await documents.newest(call, script.id)
    own = digest(code)
    if newest is not None and newest.fields.get("digest") == own:
        return int(newest.fields["version"])
    found = await checking.deployable(code)
    made = int(newest.fields["version"]) + 1 if newest is not None else 1
    fields: dict[str, Any] = {
        "scriptId": script.id,
        "version": made,
        "code": code.code,
        "files": _json(code.files).decode(),
        "requirements": code.requirements,
        "digest": own,
        "entries": _json([entry.wire() for entry in found.entries]).decode(),
        "created": change.now,
        "createdBy": change.actor.fields(),
    }
    if note:
        fields["note"] = note
    change.put(script_documents.version(call.scope.project_id, script.id, made), fields, exists=False)
    return made


async def _under_way(call: Call, state: Stored[StoredState] | None) -> Stored[ScriptDeployment] | None:
    current = state.fields.get("deployment") if state else None
    found = await call.scope.find(DEPLOYMENT, current) if isinstance(current, str) else None
    return found if found and found.fields.get("state") in script_documents.OPEN else None


def _is_same(under_way: Stored[ScriptDeployment], action: str, number: int) -> bool:
    fields = under_way.fields
    return (fields.get("action"), fields.get("version")) == (action, number)


async def _begin(
    call: Call,
    change: Change,
    script: Stored[Script],
    state: Stored[StoredState] | None,
    action: str,
    number: int,
    note: str | None,
    verb: str,
) -> str:
    deployment_id = change.planned_id or ids.new_id()
    project_id = call.scope.project_id
    fields: dict[str, Any] = {
        "scriptId": script.id,
        "version": number,
        "action": action,
        "state": "queued",
        "progress": 0,
        "created": change.now,
        "lastModified": change.now,
        "createdBy": change.actor.fields(),
    }
    if note:
        fields["note"] = note
    change.put(script_documents.deployment(project_id, deployment_id), fields, exists=False)
    # Of two at the same time one loses here, and finds the other's under way.
    if state is None:
        new = {"scriptId": script.id, "state": "undeployed", "deployment": deployment_id}
        change.put(script_documents.state(project_id, script.id), new, exists=False)
    else:
        change.keep(state, {"deployment": deployment_id})
    named = {"name": script.fields.get("name")}
    said = {"deployedVersion": number} | ({"note": note} if note else {})
    change.note(verb, SCRIPT, script.id, named, named | said)
    await change.commit()
    return deployment_id


async def _started(call: Call, deployment_id: str) -> Stored[ScriptDeployment]:
    stored = await call.scope.get(DEPLOYMENT, deployment_id)
    if stored.fields.get("state") == "queued":
        try:
            await _publish(call, deployment_id)
        except FulcrumError as error:
            log("WARNING", "deployment not published", requestId=call.request_id, error=str(error))
            raise ApiError(
                503,
                "script.deployNotStarted",
                f"the deployment {deployment_id!r} could not be started",
                "send the same request again",
                2,
            ) from None
    return stored


async def _publish(call: Call, deployment_id: str) -> None:
    await script_documents.publish(script_documents.Message(call.scope.project_id, deployment_id))


async def _before(call: Call, script_id: str) -> int:
    script, state = await documents.script_and_state(call, script_id)
    present = state.fields.get("version") if state else None
    page = await call.scope.page(DEPLOYMENT, documents.deployments_of(script_id, _LOOKED_THROUGH, None))
    for stored in page.items:
        fields = stored.fields
        if (fields.get("action"), fields.get("state")) != ("deploy", "serving"):
            continue
        if fields.get("version") != present:
            return int(fields["version"])
    raise ApiError(
        409,
        "script.noVersionBefore",
        f"no other version of the script {script.id!r} has run before",
        "name the version to go back to",
    )
