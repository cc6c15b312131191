"""Carrying on with a deployment: each step can be done again, from wherever the last one was cut off.

What is known of a deployment is in its document and in the cloud, nowhere else: whoever comes next reads
both. Two that work on one deployment both see the same operation; the second one's commit does not hold, and
it reads again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from fulcrum.script.limits import Limits
from functions.deployer import cloud, documents, host, wanted
from functions.deployer.documents import MAX_LOG, MAX_MESSAGE, Changed, Deployment
from shared import clock, script_documents, script_package, values
from shared.errors import Rejected, Transient
from shared.script_documents import Message

# So long a delivery is worked on before the rest is left to the next message, in seconds.
BUDGET = 25.0
# A deployment that takes longer has failed: in the cloud a build takes minutes.
MAX_AGE_MS = 45 * 60_000
# So long a function that was built may take until it answers as it should.
MAX_SILENCE_MS = 5 * 60_000
# So often a build is begun for one deployment, should answers be lost.
MAX_TRIES = 5
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.03, 3.0, 1.3

# "again": read at once and go on; "wait": the same after a pause; else: what became of it.
Step = Literal["again", "wait", "serving", "failed", "done", "unknown"]


async def go_on(message: Message, budget: float = BUDGET) -> str:
    """Work on a deployment; returns what became of it, for the log.

    Transient: the message must come again. Rejected: it is none of ours.
    """
    deadline, pause = time.monotonic() + budget, _FIRST_PAUSE
    step: Step = "again"
    while step in ("again", "wait"):
        step = await _step(message)
        if step == "wait":
            if time.monotonic() + pause >= deadline:
                return await _later(message)
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * _GROWTH)
    return step


async def _later(message: Message) -> str:
    if not message.deployment_id:
        raise Transient("the function is busy: it goes when it no longer is")
    await script_documents.publish(message)
    return "published"


async def _step(message: Message) -> Step:
    if not message.deployment_id:
        return await _remove(message)
    found = await documents.read(message.project_id, message.deployment_id)
    if found is None:
        return "unknown"
    state = found.fields.get("state")
    if state in documents.FINISHED:
        return "done" if state == "done" else "failed" if state == "failed" else "serving"
    try:
        if found.superseded:
            return await _fail(found, "a later deployment of the script has taken its place")
        if found.age_ms > MAX_AGE_MS:
            return await _fail(found, f"it took longer than {MAX_AGE_MS // 60_000} minutes")
        return await (_undeploy(found) if found.fields["action"] == "undeploy" else _deploy(found))
    except Changed:
        return "again"
    except Rejected as error:
        return await _refused(found, error)


async def _refused(found: Deployment, error: Rejected) -> Step:
    try:
        return await _fail(found, error.message, f"{error.error_type}: {error.message}")
    except Changed:
        return "again"


async def _fail(found: Deployment, message: str, log: str = "") -> Step:
    fields = {"state": "failed", "message": message[:MAX_MESSAGE], "log": log[-MAX_LOG:]}
    await documents.save(found, fields)
    return "failed"


# Deploying


async def _deploy(found: Deployment) -> Step:
    if not found.operation:
        return await _begin(found)
    operation = await cloud.operation(found.operation)
    if operation is None:
        # The cloud has forgotten it: the function itself says how far it is.
        await documents.save(found, {"operation": None})
        return "again"
    if not operation.done:
        await _tell(found, *wanted.progress(found.version, cloud.stages(operation)))
        return "wait"
    if operation.HasField("error"):
        return await _fail(found, *wanted.failure(found.version, operation.error.message))
    return await _serve(found)


async def _tell(found: Deployment, progress: int, message: str) -> None:
    if found.fields.get("message") != message:
        await documents.save(found, {"progress": progress, "message": message})


async def _begin(found: Deployment) -> Step:
    place = cloud.place()
    name = place.function(found.project_id, found.script_id)
    function = await cloud.function(name)
    if function is not None and cloud.is_busy(function):
        await _tell(found, 5, "waits for what is under way with the script's function")
        return "wait"
    if function is not None and wanted.is_of(function, found.id) and await _is_ours(found, function):
        # Done, but nobody has noted it: the answer was lost, or whoever waited for it.
        return await _serve(found)
    tries = int(found.fields.get("tries") or 0) + 1
    if tries > MAX_TRIES:
        return await _fail(found, f"it was begun {MAX_TRIES} times, and never came to an end")
    archive = await _package(found)
    if archive is None:
        return await _fail(found, f"there is no version {found.version} of the script")
    source = await cloud.upload(place.parent, archive)
    made = wanted.function(place, found.project_id, found.script_id, found.version, found.id, source)
    begun = await cloud.begin(made, place.parent, function is not None)
    if begun in ("there", "gone"):
        return "again"
    if begun == "busy":
        return "wait"
    fields = {"state": "building", "progress": 10, "message": wanted.progress(found.version, [])[1]}
    try:
        await documents.save(found, {**fields, "operation": begun, "tries": tries})
    except Changed:
        if await documents.read(found.project_id, found.id) is None:
            # The script was deleted meanwhile, and perhaps its function before this one was begun.
            await script_documents.publish(Message(project_id=found.project_id, script_id=found.script_id))
        raise
    await cloud.prepare()
    return "wait"


async def _is_ours(found: Deployment, function: Any) -> bool:
    """Whether the code that serves is that of the deployment: a function may be labelled and have failed."""
    if function.state.name != "ACTIVE":
        return False
    await cloud.allow(function.service_config.service, cloud.place().invokers)
    try:
        description = await cloud.describe(function.service_config.uri)
    except Transient:
        return False
    return description.script_version == found.version


async def _package(found: Deployment) -> bytes | None:
    document = await documents.read_version(found)
    if document is None:
        return None
    fields = values.from_fields(document.fields)
    source = script_package.Source(
        found.project_id,
        found.script_id,
        found.version,
        str(fields.get("code") or ""),
        _files(fields),
        str(fields.get("requirements") or ""),
        msgspec.to_builtins(Limits()),
    )
    return await asyncio.to_thread(script_package.build, source, host.files(), host.requirements())


def _files(fields: Mapping[str, Any]) -> dict[str, str]:
    try:
        return msgspec.json.decode(fields.get("files") or "{}", type=dict[str, str])
    except msgspec.DecodeError as error:
        raise Rejected("script.badFile", f"the files of the version cannot be read: {error}") from error


async def _serve(found: Deployment) -> Step:
    """The function is there: let reason call it, ask it what it offers, and say that it serves."""
    place = cloud.place()
    function = await cloud.function(place.function(found.project_id, found.script_id))
    if function is None or cloud.is_busy(function):
        await documents.save(found, {"operation": None})
        return "again"
    await cloud.allow(function.service_config.service, place.invokers)
    url = function.service_config.uri
    try:
        description = await cloud.describe(url)
    except Transient as error:
        return await _unanswered(found, f"does not answer: {error}")
    if description.script_version != found.version:
        return await _unanswered(found, f"version {description.script_version} answers in its place")
    entries = json.dumps(msgspec.to_builtins(description.entries))
    await documents.save(
        found,
        {
            "state": "serving",
            "progress": 100,
            "message": wanted.serving(found.version, description)[:MAX_MESSAGE],
            "log": "",
        },
        {
            "state": "deployed",
            "version": found.version,
            "url": url,
            "function": function.name,
            "entries": entries,
            # What the code before it has done wrong is not held against this one.
            "breaker": None,
        },
    )
    return "serving"


async def _unanswered(found: Deployment, why: str) -> Step:
    """Rights and traffic take a while to arrive everywhere; not for ever."""
    now, built = clock.now_ms(), int(found.fields.get("built") or 0)
    if built and now - built > MAX_SILENCE_MS:
        return await _fail(found, f"version {found.version} was built and {why}")
    if not built:
        message = f"version {found.version} is built and does not answer yet"
        await documents.save(found, {"progress": 80, "message": message, "built": now})
    return "wait"


# Undeploying


async def _undeploy(found: Deployment) -> Step:
    if found.state.get("state") != "undeployed" or found.fields.get("state") == "queued":
        # First of all nobody calls it any more.
        gone = {"state": "undeployed", "version": None, "url": None, "function": None, "entries": None}
        said = {
            "state": "building",
            "progress": 30,
            "message": "events no longer reach it; its function goes",
        }
        await documents.save(found, said, gone)
        return "again"
    left = await _delete(cloud.place().function(found.project_id, found.script_id))
    if left:
        return "wait"
    await documents.save(found, {"state": "done", "progress": 100, "message": "undeployed"})
    return "done"


async def _remove(message: Message) -> Step:
    """Delete the function of a script that is no more, with all its documents."""
    if len(message.script_id) > 200 or "/" in message.script_id:
        raise Rejected("deploy.badId", f"{message.script_id[:200]!r} is no id")
    left = await _delete(cloud.place().function(message.project_id, message.script_id))
    return "wait" if left else "done"


async def _delete(name: str) -> bool:
    """Begin to delete a function, unless that is under way; whether there is anything of it left."""
    function = await cloud.function(name)
    if function is None:
        return False
    if not cloud.is_busy(function):
        await cloud.delete(name)
    return True
