"""The daily snapshot of a project's devices: search and the state at an instant begin with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from fulcrum.core import fold
from functions.db_curator.task import Task
from shared import clock, device_rows, names, snapshot_writing, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.errors import Rejected
from shared.log import log
from shared.store.query import Query, conditions

# A device's registers may have a megabyte.
_AT_ONCE = 50
_FIELDS = (*device_rows.DEFINITION, "lastModified", "registers")
# How far after the reading the instant lies: what searches take for the newest snapshot, no more.
_AHEAD_MS = device_rows.AHEAD_MS
# Of a fleet that took longer to be read than that.
_FURTHER_MS = 12 * 3_600_000


async def step(task: Task, deadline: float) -> bool:
    """Write on until the time is up; whether the snapshot is complete."""
    progress = task.progress
    if "instant" not in progress:
        progress |= {"instant": clock.now_ms() + _AHEAD_MS, "after": ""}
        return False
    while True:
        found = await _devices(task.project_id, progress["after"])
        try:
            written = await snapshot_writing.write_some(task.project_id, progress["instant"], _rows(found))
        except Rejected as error:
            if error.error_type != "snapshot.time":
                raise
            # It took so long that a device has written since: a later instant, from the beginning.
            log("WARNING", "snapshot begun anew", projectId=task.project_id, error=str(error))
            task.progress = {"instant": clock.now_ms() + _FURTHER_MS, "after": ""}
            task.result = {}
            return False
        task.add(devices=len(found), snapshotRows=written)
        if len(found) < _AT_ONCE:
            break
        progress["after"] = found[-1].id
        if time.monotonic() >= deadline:
            return False
    if task.result["devices"]:
        await snapshot_writing.complete(task.project_id, progress["instant"])
        task.result["instant"] = progress["instant"]
    return True


def _rows(found: list[Document]) -> Iterator[tuple[str, dict[str, Any], fold.Registers]]:
    for document in found:
        fields = values.from_fields(document.fields)
        yield document.id, fields, fold.decode(fields.pop("registers", b""))


async def _devices(project_id: str, after: str) -> list[Document]:
    built = conditions("devices", Query())
    for name in _FIELDS:
        built.select.fields.add(field_path=name)
    built.order_by.add(direction=1).field.field_path = "__name__"
    if after:
        built.start_at.values.add().reference_value = names.device(project_id, after)
    built.limit.value = _AT_ONCE
    return await firestore.run_query(names.project(project_id), built)
