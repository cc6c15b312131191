"""Many devices at once: those that are named, or the simulated ones of a system or a blueprint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functions.api.devices import access
from functions.api.needs import Call, denied
from functions.api.simulation import running
from shared import clock, names, simulations, values
from shared.clients import firestore
from shared.model.blueprint import BLUEPRINT
from shared.model.page import Page
from shared.model.scenario import SCENARIO
from shared.model.simulation import (
    NotSimulated,
    SimulateBlueprint,
    Simulation,
    SimulationsAccepted,
    SimulationState,
)
from shared.model.system import SYSTEM
from shared.store import query as queries
from shared.store.query import Query, Where
from shared.store.scope import Stored

_AT_ONCE = 500


async def run(
    call: Call, body: SimulateBlueprint, device_ids: Sequence[str] | None, blueprint_id: str | None
) -> SimulationsAccepted:
    """Have devices do something, in one command; those that are named and cannot are told.

    ``device_ids``: those that are named; without them those of ``blueprint_id`` and the body's system.
    """
    of_scenario: str | None = None
    if body.scenario_id is not None:
        of_scenario = (await call.scope.get(SCENARIO, body.scenario_id)).fields.get("blueprintId")
    found, following = await _selected(call, body, device_ids, blueprint_id)
    refused: list[NotSimulated] = []
    chosen: list[str] = []
    for device_id, stored in found.items():
        error = _problem(stored, body, of_scenario)
        if error is None:
            chosen.append(device_id)
        elif device_ids is not None:
            refused.append(NotSimulated(device_id=device_id, error=error))
    time = clock.now_ms()
    if chosen:
        await running.publish(call, chosen, body.action, time, body.scenario_id, body)
    return SimulationsAccepted(accepted=len(chosen), refused=refused, next=following, time=time)


async def _selected(
    call: Call, body: SimulateBlueprint, device_ids: Sequence[str] | None, blueprint_id: str | None
) -> tuple[dict[str, Stored[Any] | None], str | None]:
    """The devices that a body is about, None for one that is not there; ApiError 403 where one is not his."""
    kind = running.LIGHT
    if device_ids is not None:
        wanted = list(dict.fromkeys(device_ids))
        there = await call.scope.find_many(kind, wanted)
        if len(await access.permitted(call, [running.PERMISSION], there.values())) < len(there):
            raise denied(running.PERMISSION)
        return {device_id: there.get(device_id) for device_id in wanted}, None
    if not access.on_system(call, [running.PERMISSION], body.system_id):
        raise denied(running.PERMISSION)
    where = []
    if body.system_id is not None:
        await call.scope.get(SYSTEM, body.system_id)
        where.append(Where("systemId", "==", body.system_id))
    if blueprint_id is not None:
        await call.scope.get(BLUEPRINT, blueprint_id)
        where.append(Where("blueprintId", "==", blueprint_id))
    page = await call.scope.page(kind, Query(tuple(where), limit=_AT_ONCE, after=body.after))
    return {stored.id: stored for stored in page.items}, page.next


def _problem(stored: Stored[Any] | None, body: SimulateBlueprint, blueprint_id: str | None) -> str | None:
    if stored is None:
        return "device.notFound"
    if body.action in running.BEGINS and not stored.fields.get("simulated"):
        return "device.notSimulated"
    if blueprint_id is not None and stored.fields.get("blueprintId") != blueprint_id:
        return "scenario.otherBlueprint"
    return None


async def page(
    call: Call, state: SimulationState | None, per_page: int, cursor: str | None
) -> Page[Simulation]:
    """A page of what a project's devices play, of the devices that the caller may run."""
    parent = names.project(call.scope.project_id)
    where = (Where("state", "==", state),) if state is not None else ()
    query = Query(where, limit=per_page, after=cursor, within=f"{call.scope.project_id}/simulations")
    documents = await firestore.run_query(parent, queries.structured("simulations", query, parent))
    if not documents and cursor is None:
        await call.scope.must_exist()
    more = len(documents) > per_page
    documents = documents[:per_page]
    following = queries.cursor(query, documents[-1].id, {}) if more else None
    there = await call.scope.find_many(running.LIGHT, [document.id for document in documents])
    mine = {stored.id for stored in await access.permitted(call, [running.PERMISSION], there.values())}
    items = [
        running.shown(simulations.from_fields(document.name, values.from_fields(document.fields)))
        for document in documents
        if document.id in mine
    ]
    return Page(count=len(items), per_page=per_page, next=following, items=items)
