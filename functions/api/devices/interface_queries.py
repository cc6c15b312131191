"""Searches, history and event records of what a walk ends on."""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.responses import Response

from functions.api.devices.interface import no_action
from functions.api.devices.reaching import Reach
from functions.api.devices.walk import ALL, Walk
from functions.api.needs import Call
from functions.api.search.models import SearchPage
from shared.errors import ApiError
from shared.store.query import MAX_PER_PAGE

_PERMISSIONS = {"history": "device.readHistory", "events": "device.readEvents"}
# The devices of a set whose history is asked for in one query.
MAX_DEVICES = 1_000


async def searched(call: Call, walk: Walk) -> SearchPage:
    """Search the devices of the set that a walk ends on."""
    from functions.api.search import searching

    last = walk.last
    if last.pick not in (None, ALL):
        raise no_action(walk)
    base = searching.within(walk.system_id, last.blueprint_id)
    if last.relation is not None:
        above = await Reach(call, walk).above()
        parents = tuple((last.relation.id, stored.id) for stored in above)
        if not parents:
            return SearchPage(count=0, per_page=0, items=[], source="firestore")
        base = searching.within(walk.system_id, last.blueprint_id, parents)
    body = await searching.body_of(call.request)
    return await searching.answer(call, body, base, walk.system_id)


async def queried(call: Call, walk: Walk) -> Response:
    """Query the history, or the event records, of the device or of all devices that a walk ends on."""
    from functions.api.history import run
    from functions.api.history.reading import body_of
    from shared.history_query import Scope

    model: Literal["history", "events"] = "history" if walk.action == "history" else "events"
    permission = _PERMISSIONS[model]
    ends = msgspec.structs.replace(walk, action="")
    last = walk.last
    if last.relation is None and last.pick in (None, ALL) and _whole(call, permission, walk):
        scope = Scope(call.scope.project_id, system_id=walk.system_id, blueprint_id=last.blueprint_id)
    else:
        scope = Scope(call.scope.project_id, device_ids=await _all(Reach(call, ends, permission)))
    body = await body_of(call.request)
    return await run.answered(body, model, scope, call.request.headers.get("accept", ""))


def _whole(call: Call, permission: str, walk: Walk) -> bool:
    return call.principal.allows(permission, system=walk.system_id)


async def _all(reach: Reach) -> list[str]:
    """The ids of all devices that a walk ends on; ApiError 400 if they are too many for one query."""
    found: list[str] = []
    cursor = None
    while True:
        page = await reach.page(MAX_PER_PAGE, cursor)
        found += [stored.id for stored in page.items]
        cursor = page.next
        if cursor is None:
            return found
        if len(found) >= MAX_DEVICES or reach.is_spent:
            raise ApiError(
                400,
                "interface.tooWide",
                f"the path ends on more than {MAX_DEVICES} devices, or on some that are far apart",
                "name devices in place of '*', or ask the history of the blueprint or the system",
            )
