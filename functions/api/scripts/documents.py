"""What is read of a script: itself, its state, its versions and deployments."""

from __future__ import annotations

import asyncio
from typing import Any

from functions.api.needs import Call
from shared.errors import ApiError
from shared.model.script import SCRIPT, STATE, Script, ScriptCode, StoredState
from shared.model.script_life import DEPLOYMENT, VERSION, VERSION_CODE, ScriptDeployment, ScriptVersionCode
from shared.script_documents import version_id
from shared.store.query import Query, Where
from shared.store.scope import Stored


async def script_and_state(call: Call, script_id: str) -> tuple[Stored[Script], Stored[StoredState] | None]:
    """A script, and its state if it was ever deployed. ApiError 404 or 410 if there is no such script."""
    script, state = await asyncio.gather(call.scope.get(SCRIPT, script_id), call.scope.find(STATE, script_id))
    return script, state


def code_of(stored: Stored[Script] | Stored[ScriptVersionCode]) -> ScriptCode:
    """The code of a draft or a version, as it was accepted when it was saved."""
    wanted = ("code", "files", "requirements")
    kept = {name: stored.fields[name] for name in wanted if stored.fields.get(name) is not None}
    return ScriptCode.model_construct(**{"code": "", "files": {}, "requirements": ""} | kept)


async def version(call: Call, script_id: str, number: int) -> Stored[ScriptVersionCode]:
    """A version with its code; ApiError 404 if there is none of that number."""
    found = await call.scope.find(VERSION_CODE, version_id(script_id, number))
    if found is None:
        raise ApiError(
            404,
            "scriptVersion.notFound",
            f"the script {script_id!r} has no version {number}",
            "list its versions to see which it has",
        )
    return found


async def newest(call: Call, script_id: str) -> Stored[Any] | None:
    """The newest version, without its code; None for a script without any."""
    page = await call.scope.page(VERSION, versions_of(script_id, 1, None))
    return page.items[0] if page.items else None


def versions_of(script_id: str, limit: int, after: str | None) -> Query:
    """The query of a script's versions, the newest first."""
    return _of(script_id, "version", limit, after)


def deployments_of(script_id: str, limit: int, after: str | None) -> Query:
    """The query of a script's deployments, the latest first."""
    return _of(script_id, "created", limit, after)


async def deployment(call: Call, script_id: str, deployment_id: str) -> Stored[ScriptDeployment]:
    """A deployment of a script; ApiError 404 if it has none such."""
    found = await call.scope.find(DEPLOYMENT, deployment_id)
    if found is None or found.fields.get("scriptId") != script_id:
        raise ApiError(
            404,
            "scriptDeployment.notFound",
            f"the script {script_id!r} has no deployment {deployment_id[:128]!r}",
            "list its deployments to see which it has",
        )
    return found


def _of(script_id: str, order: str, limit: int, after: str | None) -> Query:
    where = (Where("scriptId", "==", script_id),)
    return Query(where, order=order, descending=True, limit=limit, after=after)
