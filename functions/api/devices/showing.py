"""Devices as they are answered: their data only to who may read it there, whatever else he sees of them."""

from __future__ import annotations

from collections.abc import Iterable

from functions.api.devices import access
from functions.api.needs import Call
from shared.model.device import Device
from shared.store.scope import Stored

READ_DATA = "device.readData"


async def one(call: Call, stored: Stored[Device]) -> Device:
    """A device that the caller may see."""
    (shown,) = await several(call, [stored])
    return shown


async def several(call: Call, items: Iterable[Stored[Device]]) -> list[Device]:
    """Devices that the caller may see, in their order."""
    listed = list(items)
    told = await with_data(call, listed)
    return [
        stored.model() if stored.id in told else stored.model().model_copy(update={"data": {}})
        for stored in listed
    ]


async def with_data(call: Call, items: Iterable[Stored[Device]]) -> set[str]:
    """The ids of those devices whose data the caller may read."""
    return {stored.id for stored in await access.permitted(call, [READ_DATA], items)}
