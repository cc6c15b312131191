"""Which devices a replay is of: those with events in its time that the caller may read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.api.devices import access
from functions.api.needs import Call
from functions.api.replay import asking, queries
from functions.api.replay.queries import Window
from shared.errors import ApiError
from shared.model.blueprint import BLUEPRINT
from shared.model.device import DEVICE, Device
from shared.store.scope import Stored

PERMISSION = "device.readHistory"
# What parameters of a query, and the memory of this function, have room for.
MAX_DEVICES = 50_000
_READ_AT_ONCE = 300


@dataclass(frozen=True)
class Selected:
    """The window with its devices, what is known of each, and how much there is.

    ``devices``: the fields of their documents by id; none for one that was deleted. ``first``: when the
    first of the rows was received (epoch ms), None where there is none. ``lacking``: devices that the caller
    may not read. ``is_whole``: the caller may read all devices, and so what is of them together.
    """

    window: Window
    devices: Mapping[str, Mapping[str, Any]]
    rows: int
    runs: int
    first: int | None
    lacking: int
    is_whole: bool


async def select(call: Call, window: Window) -> Selected:
    """What a window selects; ApiError 403 for a device that is named and not the caller's, 404, 410."""
    if window.blueprint is not None:
        await call.scope.get(BLUEPRINT, window.blueprint)
    for device_id in window.devices or ():
        await access.load(call, PERMISSION, device_id)
    found = [row async for row in asking.rows(queries.overview(window))]
    if len(found) > MAX_DEVICES:
        raise ApiError(
            400,
            "replay.tooManyDevices",
            f"{len(found)} devices sent something in this time: at most {MAX_DEVICES}",
            "Name devices or a blueprint, or ask for less time.",
        )
    everything = call.principal.readable(PERMISSION).everything
    seen = [str(row[0]) for row in found if row[0]]
    held = await (_stored(call, seen) if everything else readable(call, seen))
    devices: dict[str, Mapping[str, Any]] = {one.id: one.fields for one in held}
    kept = [row for row in found if row[0] in devices or everything]
    if everything:
        # Those that were deleted since count too, and what concerns no device.
        devices |= {str(row[0]): {} for row in kept if row[0] and row[0] not in devices}
    elif len(kept) < len(found) or window.devices is None:
        window = replace(window, devices=tuple(sorted(devices)))
    return Selected(
        window=window,
        devices=devices,
        rows=sum(int(row[1] or 0) for row in kept),
        runs=sum(int(row[2] or 0) for row in kept),
        first=min((int(row[3]) for row in kept if row[3] is not None), default=None),
        lacking=len(found) - len(kept),
        is_whole=everything,
    )


async def readable(call: Call, device_ids: Sequence[str]) -> list[Stored[Device]]:
    """Those of some devices that are there, and whose history the caller may read."""
    return await access.permitted(call, [PERMISSION], await _stored(call, device_ids))


async def _stored(call: Call, device_ids: Sequence[str]) -> list[Stored[Device]]:
    found: list[Stored[Device]] = []
    parts = [device_ids[at : at + _READ_AT_ONCE] for at in range(0, len(device_ids), _READ_AT_ONCE)]
    for at in range(0, len(parts), 4):
        for some in await asyncio.gather(
            *(call.scope.find_many(DEVICE, part) for part in parts[at : at + 4])
        ):
            found += some.values()
    return found
