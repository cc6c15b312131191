"""Sending messages along the steps of a route: packed into batches, one call for each topic.

A service that is done with a routeMsg goes on along the rest of its route with :func:`onward`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from shared.clients import pubsub
from shared.conditions import Facts
from shared.errors import Rejected
from shared.messages import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, VERSION
from shared.quarantine import wrap
from shared.routes import RouteError, Step, canonical, first_steps, is_conditional

_encode = msgspec.json.encode
_decode = msgspec.json.decode


class Parcel(msgspec.Struct):
    """One Pub/Sub message to be: which items are in it, by their index. ``id`` once it is published."""

    data: bytes
    attributes: dict[str, str]
    items: list[int]
    id: str = ""


class Onward(msgspec.Struct, frozen=True):
    """One message that a service is done with. ``device``: what conditions may read of its device."""

    data: bytes
    project_id: str
    device: dict[str, Any]


class _Group:
    """What goes to one topic with the same options, the same rest of the route and of the same project."""

    def __init__(self, step: Step, project: str) -> None:
        self.project = project
        self.options = _encode(step.options) if step.options else b""
        self.route = _encode(step.rest) if step.rest else b""
        self.items: list[int] = []


def pack(
    data: Sequence[bytes],
    projects: Sequence[str],
    steps: Sequence[Sequence[Step]],
    hops: int,
) -> dict[str, list[Parcel]]:
    """Pack messages, each with its project and its steps, into parcels by topic.

    A parcel has at most 500 messages or 1 MB; a single larger message has one to itself. It is of one
    project, so that a subscription can be filtered by project and whoever has it sees no other's. ``hops``:
    of the parcels, one more than of the delivery that the messages came with.
    """
    by_step: dict[tuple[int, str], _Group] = {}
    by_meaning: dict[tuple[str, bytes, bytes, str], _Group] = {}
    for index, item_steps in enumerate(steps):
        project = projects[index]
        for step in item_steps:
            # Equal routes share their steps nearly always; where they do not, the texts decide.
            group = by_step.get((id(step), project))
            if group is None:
                group = _Group(step, project)
                group = by_meaning.setdefault((step.topic, group.options, group.route, project), group)
                by_step[id(step), project] = group
            group.items.append(index)
    parcels: dict[str, list[Parcel]] = {}
    for (topic, _, _, _), group in by_meaning.items():
        parcels.setdefault(topic, []).extend(_parcels(group, data, hops))
    return parcels


def _parcels(group: _Group, data: Sequence[bytes], hops: int) -> Iterable[Parcel]:
    room = MAX_BATCH_BYTES - len(group.options) - len(group.route) - 60
    start = size = 0
    items = group.items
    for place, index in enumerate(items):
        length = len(data[index]) + 1
        if place > start and (size + length > room or place - start >= MAX_BATCH_EVENTS):
            yield _parcel(group, items[start:place], data, hops)
            start, size = place, 0
        size += length
    yield _parcel(group, items[start:], data, hops)


def _parcel(group: _Group, items: list[int], data: Sequence[bytes], hops: int) -> Parcel:
    body = data[items[0]] if len(items) == 1 else b"[" + b",".join([data[index] for index in items]) + b"]"
    attributes = {"v": VERSION, "hops": str(hops)}
    if group.project:
        attributes["projectId"] = group.project
    return Parcel(wrap(body, group.options, group.route), attributes, items)


async def publish(parcels: dict[str, list[Parcel]]) -> dict[int, Rejected]:
    """Publish parcels, all topics at the same time; returns the items that a topic refuses for good.

    Transient where anything else went wrong; some parcels may then have been published all the same.
    """
    refused: dict[int, Rejected] = {}
    calls = [
        _publish_part(topic, part, refused) for topic, whole in parcels.items() for part in _parts(whole)
    ]
    if len(calls) == 1:
        await calls[0]
    else:
        results = await asyncio.gather(*calls, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
    return refused


def _parts(parcels: list[Parcel]) -> Iterable[list[Parcel]]:
    """Split into what one call of Pub/Sub takes."""
    start = size = 0
    for place, parcel in enumerate(parcels):
        length = len(parcel.data) + 1_000
        if place > start and (size + length > pubsub.MAX_BYTES or place - start >= pubsub.MAX_MESSAGES):
            yield parcels[start:place]
            start, size = place, 0
        size += length
    yield parcels[start:]


async def _publish_part(topic: str, parcels: list[Parcel], refused: dict[int, Rejected]) -> None:
    try:
        ids = await pubsub.publish(topic, [(parcel.data, parcel.attributes) for parcel in parcels])
    except Rejected as error:
        if len(parcels) > 1 and error.error_type != "topic.unknown":
            # One of them is the culprit: find it, so that the others go.
            middle = len(parcels) // 2
            await _publish_part(topic, parcels[:middle], refused)
            await _publish_part(topic, parcels[middle:], refused)
            return
        for parcel in parcels:
            refused.update(dict.fromkeys(parcel.items, error))
    else:
        for parcel, message_id in zip(parcels, ids, strict=True):
            parcel.id = message_id


def message_ids(parcels: Mapping[str, Sequence[Parcel]]) -> list[str]:
    """The ids of parcels that are published, for the log: by them an event is followed on its way."""
    return [parcel.id for whole in parcels.values() for parcel in whole if parcel.id]


async def onward(
    messages: Sequence[Onward], route: Any, hops: int, published: list[str] | None = None
) -> dict[int, Rejected]:
    """Go on along the rest of a route; returns what cannot, by index: ``route.invalid``, ``topic.unknown``.

    ``hops``: of the delivery that the messages came with. ``published`` gets the ids of what goes out.
    Transient where publishing failed.
    """
    if not messages or not route:
        return {}
    try:
        series = canonical(route)
        steps: list[list[Step]]
        if is_conditional(series):
            steps = [first_steps(series, Facts(item.device, _decode(item.data))) for item in messages]
        else:
            steps = [first_steps(series)] * len(messages)
    except RouteError as error:
        return dict.fromkeys(range(len(messages)), Rejected("route.invalid", str(error)))
    data, projects = [item.data for item in messages], [item.project_id for item in messages]
    parcels = pack(data, projects, steps, hops + 1)
    refused = await publish(parcels)
    if published is not None:
        published += message_ids(parcels)
    return refused
