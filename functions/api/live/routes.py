"""The route of the live feed.

No postponed annotations here: the framework reads the return annotation of a generator.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from functions.api.access.callers import authenticate
from functions.api.live import events, hub, sources
from functions.api.needs import Call, needs
from functions.api.roles import chain
from functions.api.router import Router
from shared.errors import ApiError

router = Router("live")

# How often the caller's permissions are looked at again.
RECHECK_SECONDS = 20.0
# How long ago that may have been where there is something to tell.
FRESH_SECONDS = 5.0
_MAX_DEVICES = 200
# Who may read nothing of the project would hear nothing: he costs it no subscription. What an event takes is
# asked for each of them.
_LISTEN = needs(
    "device.readData",
    anywhere=True,
    others=["device.readEvents", "device.read", "blueprint.read", "project.read"],
)

_EXAMPLE = (
    'event: ready\ndata: {"gap":false}\n\n'
    'event: data\ndata: {"deviceId":"room-1","time":1790000000000,"data":{"temperature":21.5}}\n\n'
    "id: 1790000000400-3Vc8Qn0kZ5tWb1yLr7sXe2\n"
    'event: changed\ndata: {"kind":"device","resourceId":"room-1","verb":"updated"}\n\n'
)


@router.get(
    "/live",
    operation_id="live_get",
    summary="Hear of what changes",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {"example": _EXAMPLE}}}},
)
async def live_get(
    call: Annotated[Call, _LISTEN],
    name: Annotated[
        list[events.Name] | None, Query(description="Only these events: data, event, ack, changed")
    ] = None,
    device_id: Annotated[
        list[str] | None, Query(alias="deviceId", max_length=_MAX_DEVICES, description="Only these devices")
    ] = None,
    system_id: Annotated[str | None, Query(alias="systemId", description="Only this system")] = None,
    blueprint_id: Annotated[
        str | None, Query(alias="blueprintId", description="Only device events of this blueprint")
    ] = None,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", max_length=200, description="Go on after this event")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events of the project for as long as the connection lasts.

    ``ready`` comes first: from there on nothing is left out. ``data``, ``event`` and ``ack`` are device
    events on their way to be stored, ``changed`` is what somebody did to a resource. ``gap`` says that device
    events may have been missed: read again what matters. ``overflow`` and ``expired`` end the stream, the one
    because the listener was too slow, the other because its token is no longer good. With Last-Event-ID the
    changes since then come first.
    """
    wanted = events.Wanted(
        frozenset(name) if name else None,
        frozenset(device_id) if device_id else None,
        system_id,
        blueprint_id,
    )
    project_id = call.scope.project_id
    since = events.position(last_event_id) if last_event_id else None
    async with hub.listening(project_id) as queue:
        yield ServerSentEvent(event="ready", data={"gap": last_event_id is not None})
        principal, checked = call.principal, asyncio.get_running_loop().time()
        told: set[str] = set()
        if since is not None:
            missed, more = await sources.replay(project_id, since)
            if more:
                yield ServerSentEvent(event="gap", data={})
            for event in missed:
                if event.position is not None:
                    told.add(event.position.id)
                if wanted.holds(event) and await _may_see(call, principal, event):
                    yield _sent(event)
        while True:
            item = await _next(queue)
            now = asyncio.get_running_loop().time()
            if now - checked >= (RECHECK_SECONDS if item is None else FRESH_SECONDS):
                try:
                    principal, checked = await authenticate(call.request), now
                except ApiError as error:
                    yield ServerSentEvent(event="expired", data=error.body())
                    return
            if isinstance(item, hub.Notice):
                yield ServerSentEvent(event=item.name, data={})
                if item.name == "overflow":
                    return
            elif (
                item is not None
                and wanted.holds(item)
                and not (item.position is not None and item.position.id in told)
                and await _may_see(call, principal, item)
            ):
                yield _sent(item)


async def _next(queue: asyncio.Queue[hub.Item]) -> hub.Item | None:
    """What comes next; None if nothing does for a while."""
    try:
        async with asyncio.timeout(RECHECK_SECONDS):
            return await queue.get()
    except TimeoutError:
        return None


async def _may_see(call: Call, principal: Any, event: events.Live) -> bool:
    if events.may_see(principal, event, ()):
        return True
    if event.device_id is None or not principal.readable(event.permission).devices:
        return False
    return events.may_see(principal, event, (await chain.of(call.scope.project_id, event.device_id)).devices)


def _sent(event: events.Live) -> ServerSentEvent:
    return ServerSentEvent(
        event=event.name, data=event.body, id=event.position.text if event.position else None
    )
