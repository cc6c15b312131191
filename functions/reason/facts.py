"""What conditions of the rest of a route may read of a device: its ids, and its data as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functions.reason.decode import Run
from shared import names, values
from shared.clients import firestore
from shared.routes import RouteError, canonical, is_conditional, reads_device_state


async def facts_of(runs: Sequence[Run], route: Any) -> list[dict[str, Any]]:
    """The facts of each run's device, none where no condition asks for any.

    State is read where a condition asks for it, in one call.
    """
    asked = _asked(route)
    if not asked:
        return [{}] * len(runs)
    data: dict[str, Any] = {}
    if runs and reads_device_state(asked):
        wanted = {names.device(run.message.project_id, run.message.device_id or "") for run in runs}
        read = await firestore.batch_get({name for name in wanted if not name.endswith("/")}, ["data"])
        data = {name: values.from_fields(document.fields).get("data") for name, document in read.items()}
    return [_facts(run, data) for run in runs]


def _asked(route: Any) -> list[Any]:
    """A route of which a condition asks for facts; nothing for any other."""
    try:
        series = canonical(route)
        return series if is_conditional(series) else []
    except RouteError:
        return []


def _facts(run: Run, data: dict[str, Any]) -> dict[str, Any]:
    message = run.message
    facts = {
        "id": message.device_id,
        "projectId": message.project_id,
        "systemId": message.system_id,
        "blueprintId": getattr(message, "blueprint_id", None),
        "data": data.get(names.device(message.project_id, message.device_id or "")) or {},
    }
    return {name: value for name, value in facts.items() if value is not None}
