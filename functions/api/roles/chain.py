"""What stands above a device: its parents, and the system that it is in. Grants hold for all that is below.

Device → ``parentDeviceId`` → its parent … → ``systemId`` of the device → project. A loop of parents is cut,
and nothing above :data:`MAX_DEPTH` parents counts. Each device's own place is remembered for at most 5 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from functions.api.recent import Recent
from shared import names, values
from shared.clients import firestore
from shared.clock import monotonic

MAX_DEPTH = 16
_MASK = ("parentDeviceId", "systemId")


class Chain(msgspec.Struct, frozen=True):
    """A device and its parents, nearest first, and its system; both as :meth:`Call.require` takes them."""

    devices: tuple[str, ...]
    system: str | None


class _Place(msgspec.Struct, frozen=True):
    parent: str | None
    system: str | None


_places: Recent[tuple[str, str], _Place | None] = Recent()


async def of(project_id: str, device_id: str, fields: Mapping[str, Any] | None = None) -> Chain:
    """The chain of a device. ``fields``: its document if the caller has just read it, which saves a read.

    A device that does not exist has itself alone in its chain.
    """
    own = await _own(project_id, device_id, fields)
    devices = [device_id]
    place = own
    while place is not None and place.parent and place.parent not in devices and len(devices) <= MAX_DEPTH:
        devices.append(place.parent)
        place = await _place(project_id, place.parent)
    return Chain(tuple(devices), own.system if own else None)


async def of_many(project_id: str, devices: Mapping[str, Mapping[str, Any]]) -> dict[str, Chain]:
    """The chains of devices that were just read, id → fields: one call a level, whatever their number."""
    since = monotonic()
    for device_id, fields in devices.items():
        _places.put((project_id, device_id), _placed(fields), since)
    seen = set(devices)
    waiting = {str(fields.get("parentDeviceId") or "") for fields in devices.values()}
    for _ in range(MAX_DEPTH):
        waiting -= seen | {""}
        if not waiting:
            break
        seen |= waiting
        places = await _load(project_id, waiting)
        waiting = {place.parent for place in places if place is not None and place.parent}
    found = await asyncio.gather(*(of(project_id, device_id, devices[device_id]) for device_id in devices))
    return dict(zip(devices, found, strict=True))


def forget(project_id: str, device_id: str) -> None:
    """Read a device's place anew: it was moved, made or deleted."""
    _places.forget((project_id, device_id))


async def _own(project_id: str, device_id: str, fields: Mapping[str, Any] | None) -> _Place | None:
    if fields is None:
        return await _place(project_id, device_id)
    placed = _placed(fields)
    _places.put((project_id, device_id), placed, monotonic())
    return placed


async def _place(project_id: str, device_id: str) -> _Place | None:
    async def read() -> _Place | None:
        name = names.device(project_id, device_id)
        document = (await firestore.batch_get([name], _MASK)).get(name)
        return None if document is None else _placed(values.from_fields(document.fields))

    return await _places.get((project_id, device_id), read)


async def _load(project_id: str, device_ids: Iterable[str]) -> list[_Place | None]:
    """Places, those that are not known read in one call."""
    wanted = list(device_ids)
    unknown = [each for each in wanted if _places.peek((project_id, each)) is None]
    if unknown:
        since = monotonic()
        found = await firestore.batch_get([names.device(project_id, each) for each in unknown], _MASK)
        for each in unknown:
            document = found.get(names.device(project_id, each))
            place = None if document is None else _placed(values.from_fields(document.fields))
            _places.put((project_id, each), place, since)
    entries = [_places.peek((project_id, each)) for each in wanted]
    return [entry.value for entry in entries if entry is not None]


def _placed(fields: Mapping[str, Any]) -> _Place:
    return _Place(fields.get("parentDeviceId") or None, fields.get("systemId") or None)
