"""Curating documents: those that are older than their store is kept go, those that are to live longer do."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from functions.db_curator.task import Task
from shared import clock, names, script_documents, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.clients.firestore_pb import messages
from shared.errors import Transient
from shared.retention import documents, rules
from shared.retention.documents import STORES, Documents

__all__ = ["STORES", "step"]

_AT_ONCE = 300
# However old they are, so many of a script's last versions stay: to go back to.
_KEPT_VERSIONS = 3
# Firestore's answer to a document that is gone already.
_GONE = frozenset({5, 9})


async def step(task: Task, deadline: float) -> bool:
    """Go on until the time is up; whether all is done."""
    store = STORES[task.store]
    days = await days_of(task.project_id, task.store)
    if not days:
        return True
    days = max(days, store.at_least)
    phase = task.progress.setdefault("phase", "extend" if store.expires else "delete")
    if phase == "extend":
        if not await _extend(task, store, days, deadline):
            return False
        task.progress = {"phase": "delete"}
    return await _delete(task, store, days, deadline)


async def days_of(project_id: str, store: str) -> int:
    """For how many days a store is kept by the project's own will; 0 where it says nothing, or for ever."""
    name = names.project(project_id)
    found = (await firestore.batch_get([name], ["retention"])).get(name)
    fields = values.from_fields(found.fields) if found else {}
    own = rules.read(fields.get("retention"), f"project {project_id}").get(store)
    return (own.days or 0) if own is not None and own.enabled else 0


async def _extend(task: Task, store: Documents, days: int, deadline: float) -> bool:
    while True:
        found = await documents.some_expiring(
            task.project_id, store, task.now, _AT_ONCE, _after(task, as_time=True)
        )
        writes = []
        for document in found:
            fields = values.from_fields(document.fields)
            if changed := documents.extended(store, fields, days):
                writes.append(_merge(document, changed))
        await _write(writes)
        task.add(extended=len(writes))
        if len(found) < _AT_ONCE:
            return True
        expires = values.from_fields(found[-1].fields)["expireAt"]
        task.progress["after"] = [clock.to_ms(expires), found[-1].id]
        if time.monotonic() >= deadline:
            return False


async def _delete(task: Task, store: Documents, days: int, deadline: float) -> bool:
    cutoff = rules.cutoff(days, task.now)
    while True:
        found = await documents.some_old(
            task.project_id, store, cutoff, _AT_ONCE, _after(task, as_time=not store.time)
        )
        going = [one for one in found if documents.is_over(store, values.from_fields(one.fields), task.now)]
        if task.store == "scriptVersions":
            going = await _unused(task.project_id, going)
        await _write(documents.deletes(task.project_id, store, going))
        task.add(documents=len(going))
        if len(found) < _AT_ONCE:
            return True
        last = values.from_fields(found[-1].fields)
        at = last[store.time] if store.time else clock.to_ms(last["expireAt"])
        task.progress["after"] = [at, found[-1].id]
        if time.monotonic() >= deadline:
            return False


def _after(task: Task, *, as_time: bool) -> Any:
    after = task.progress.get("after")
    if after is None or not as_time:
        return after
    return [clock.from_ms(after[0]), after[1]]


async def _unused(project_id: str, found: Sequence[Document]) -> list[Document]:
    """Versions of scripts that do not run, and that have enough later ones to go back to."""
    numbers: dict[str, tuple[str, int]] = {}
    for document in found:
        fields = values.from_fields(document.fields)
        numbers[document.name] = (str(fields.get("scriptId")), int(fields["version"]))
    scripts = {script_id for script_id, _ in numbers.values()}
    states = await firestore.batch_get(
        [script_documents.state(project_id, script_id) for script_id in scripts], ["scriptId", "version"]
    )
    running = {
        (fields.get("scriptId"), fields.get("version"))
        for fields in (values.from_fields(state.fields) for state in states.values())
    }
    later = {
        name: [
            script_documents.version(project_id, script_id, number + more)
            for more in range(1, _KEPT_VERSIONS + 1)
        ]
        for name, (script_id, number) in numbers.items()
    }
    there = await firestore.batch_get([one for some in later.values() for one in some], ["version"])
    return [
        document
        for document in found
        if numbers[document.name] not in running and all(one in there for one in later[document.name])
    ]


def _merge(document: Document, fields: Mapping[str, Any]) -> Any:
    pb = messages()
    write = pb.Write(update=pb.Document(name=document.name))
    write.update_mask.field_paths.extend(sorted(fields))
    values.to_fields(write.update.fields, dict(fields))
    # As it was read: what somebody has changed meanwhile has an expiry of its own.
    write.current_document.update_time.CopyFrom(document.update_time)
    return write


async def _write(writes: Sequence[Any]) -> None:
    codes = await firestore.batch_write(writes) if writes else []
    failed = sorted({code for code in codes if code and code not in _GONE})
    if failed:
        raise Transient(f"documents were not changed: status codes {failed}")
