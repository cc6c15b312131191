"""The history of definitions: each change of a device's definition is a row of kind ``device`` in BigQuery.

A row is appended before the change is committed, so that no search misses what is there. Where the commit is
refused after all, and no later one of the same request succeeds, a further row says what is true: of all rows
of a device the greatest (version, time) counts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from shared import clock, device_rows, history
from shared.clients import history as client
from shared.errors import ApiError, FulcrumError
from shared.log import log
from shared.model.device import DEVICE
from shared.store.change import Change, Lost
from shared.store.scope import Scope


class Definition(NamedTuple):
    """A device as a change leaves it. ``fields`` hold the new ``version``."""

    device_id: str
    fields: Mapping[str, Any]
    deleted: bool = False


class _Stray(NamedTuple):
    """A row whose commit was refused."""

    scope: Scope
    definition: Definition
    time: int


_strays: ContextVar[list[_Stray] | None] = ContextVar("strays", default=None)


@asynccontextmanager
async def settled() -> AsyncIterator[None]:
    """Around all attempts of one request: rows that came to nothing are corrected at its end."""
    strays: list[_Stray] = []
    token = _strays.set(strays)
    try:
        yield
    finally:
        _strays.reset(token)
        if strays:
            await _correct({stray.definition.device_id: stray for stray in strays})


async def commit(change: Change, *definitions: Definition) -> None:
    """Append the rows of a change's devices, then commit the change; as :meth:`Change.commit` beside that."""
    await _append(change.scope.project_id, definitions, change.now)
    strays = _strays.get()
    try:
        await change.commit()
    except (ApiError, Lost):
        if strays is not None:
            strays += [_Stray(change.scope, one, change.now) for one in definitions]
        raise
    if strays is not None:
        # What was just appended is of a greater version, or later, than all that came before it.
        told = {one.device_id for one in definitions}
        strays[:] = [stray for stray in strays if stray.definition.device_id not in told]


async def _append(project_id: str, definitions: Iterable[Definition], now: int) -> None:
    rows = [
        device_rows.device_row(project_id, one.device_id, one.fields, now, one.deleted) for one in definitions
    ]
    refused = await client.append(history.encode_all(rows)) if rows else {}
    if refused:
        raise ApiError(
            400,
            "device.definition",
            f"the history does not take this definition: {next(iter(refused.values()))}",
            "make its metadata smaller",
        )


async def _correct(strays: Mapping[str, _Stray]) -> None:
    """Say of devices what is true now, in rows that count for more than those that came to nothing."""
    scope = next(iter(strays.values())).scope
    # Before the look: who commits after it appends a row of his own.
    now = max(clock.now_ms(), *(stray.time + 1 for stray in strays.values()))
    try:
        found = await scope.find_many(DEVICE, strays)
        rows = []
        for device_id, stray in strays.items():
            refused = stray.definition.fields
            if (stored := found.get(device_id)) is None:
                rows.append(Definition(device_id, refused, deleted=True))
            else:
                version = max(stored.version, int(refused["version"]))
                rows.append(Definition(device_id, {**stored.fields, "version": version}))
        await _append(scope.project_id, rows, now)
    except FulcrumError as error:
        # Searches read what they find again in Firestore; only a look at the past would show it.
        log("WARNING", "a refused definition stays in the history", error=str(error), devices=len(strays))
