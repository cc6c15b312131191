"""A curation in its parts: all projects, a page at a time; a project's stores, each by itself; a store."""

from __future__ import annotations

import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from functions.db_curator import documents, history, snapshot, tables
from functions.db_curator.task import Elsewhere, Task, open_task
from shared import clock, names
from shared.clients import firestore
from shared.config import settings
from shared.errors import Transient
from shared.log import log
from shared.retention import curation
from shared.retention.curation import CurateAll, CurateProject, CurateStore
from shared.store.query import Query, conditions

SERVICE = "db_curator"
# So long a push is worked on before the rest is left to the next one, in seconds.
BUDGET = 45.0
# So often a store may refuse before it is given up until the next night.
MAX_TRIES = 3
_PROJECTS = 100

Step = Callable[[Task, float], Awaitable[bool]]
_STEPS: Mapping[str, Step] = {
    "snapshot": snapshot.step,
    "history": history.step,
    "events": history.step,
    "runs": tables.step,
    "logs": tables.step,
    **dict.fromkeys(documents.STORES, documents.step),
}


class _Kind(msgspec.Struct):
    type: str = ""


def is_tick(body: bytes) -> bool:
    """Whether a request is Cloud Scheduler's own message rather than a push."""
    try:
        return msgspec.json.decode(body, type=_Kind).type == "curateMsg"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def switched_on() -> tuple[str, ...]:
    """The stores that this deployment curates: the setting CURATED_STORES, all where it is empty."""
    wanted = {name.strip() for name in settings().text("CURATED_STORES", "").split(",") if name.strip()}
    if unknown := wanted - set(curation.STORES):
        raise ValueError(f"FULCRUM_CURATED_STORES names {sorted(unknown)}: see functions/services.yaml")
    return tuple(store for store in curation.STORES if not wanted or store in wanted)


async def handle(message: curation.Message) -> dict[str, Any]:
    """Do what a message is for; fields for the log. Transient: it is to come again."""
    if isinstance(message, CurateAll):
        return await _all(message)
    if isinstance(message, CurateProject):
        stores = switched_on()
        await curation.publish(
            *(
                CurateStore(project_id=message.project_id, run=message.run, now=message.now, store=store)
                for store in stores
            )
        )
        return {"projectId": message.project_id, "run": message.run, "stores": len(stores)}
    outcome = await _go_on(message)
    named = {"projectId": message.project_id, "run": message.run, "store": message.store}
    return named | {"outcome": outcome}


async def _all(message: CurateAll) -> dict[str, Any]:
    """Begin with a page of the projects, and leave the others to the next message."""
    now = message.now or clock.now_ms()
    run = message.run or curation.run_of(now)
    built = conditions("projects", Query())
    root = f"{names.database()}/documents"
    built.select.fields.add(field_path="__name__")
    built.order_by.add(direction=1).field.field_path = "__name__"
    if message.after:
        built.start_at.values.add().reference_value = names.project(message.after)
    built.limit.value = _PROJECTS
    found = [document.id for document in await firestore.run_query(root, built)]
    more = [CurateAll(run=run, now=now, after=found[-1])] if len(found) == _PROJECTS else []
    await curation.publish(*(CurateProject(project_id=one, run=run, now=now) for one in found), *more)
    return {"run": run, "projects": len(found)}


async def _go_on(message: CurateStore) -> str:
    """Work on a store until it is done or the time is up; what became of it."""
    deadline = time.monotonic() + BUDGET
    task = await open_task(message)
    if task is None or task.state != "running":
        return "unknown" if task is None else task.state
    try:
        while not await _STEPS[task.store](task, deadline):
            await task.save()
            if time.monotonic() >= deadline:
                await curation.publish(message)
                return "published"
        await task.save("done")
    except Elsewhere:
        return "elsewhere"
    except Transient:
        raise
    except Exception as error:
        return await _refused(task, error)
    return "done"


async def _refused(task: Task, error: Exception) -> str:
    """Refused for good, or our own mistake: after some tries the store says so, and the others go on."""
    task.tries += 1
    task.reason = f"{getattr(error, 'error_type', type(error).__name__)}: {error}"[:900]
    stack = traceback.format_exc()[-2000:]
    named = {"projectId": task.project_id, "run": task.run, "store": task.store}
    log("ERROR", "store refused", **named, tries=task.tries, error=task.reason, stack=stack)
    if task.tries >= MAX_TRIES:
        await task.save("failed")
        return "failed"
    await task.save()
    raise Transient(task.reason)
