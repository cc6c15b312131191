"""The history of definitions: each change of a device's definition is a row of kind ``device`` in BigQuery.

A row is appended before the change is committed, so that no search misses what is there. Where the commit is
refused after all, a later row says what is true again: of all rows the greatest (version, time) counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared import clock, device_rows, history
from shared.clients import history as client
from shared.errors import ApiError, FulcrumError
from shared.log import log
from shared.store.change import Change


class Definition(NamedTuple):
    """A device as a change leaves it. ``fields`` hold the new ``version``."""

    device_id: str
    fields: Mapping[str, Any]
    deleted: bool = False


async def commit(change: Change, *definitions: Definition) -> None:
    """Append the rows of a change's devices, then commit the change; as :meth:`Change.commit` beside that."""
    project_id = change.scope.project_id
    await _append(project_id, definitions, change.now)
    try:
        await change.commit()
    except ApiError:
        await _take_back(project_id, [one for one in definitions if one.fields.get("version") == 1])
        raise


async def _append(project_id: str, definitions: tuple[Definition, ...] | list[Definition], now: int) -> None:
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


async def _take_back(project_id: str, created: list[Definition]) -> None:
    """Say of devices whose creation was refused that they are not there."""
    gone = [Definition(one.device_id, {**one.fields, "version": 2}, deleted=True) for one in created]
    try:
        await _append(project_id, gone, clock.now_ms())
    except FulcrumError as error:
        # Searches read what they find again in Firestore; only a look at the past would show the device.
        log("WARNING", "a refused definition stays in the history", projectId=project_id, error=str(error))
