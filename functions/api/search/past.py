"""Devices as they were at a past instant: a list of them, and one."""

from __future__ import annotations

from functions.api.devices.listing import Wanted
from functions.api.needs import Call
from functions.api.search import answering, searching
from functions.api.search.searching import must_have_been
from shared.errors import ApiError
from shared.model.device import Device
from shared.model.page import Page
from shared.search.body import Search, read_at
from shared.search.conditions import EVERYTHING, Condition, Equals, Like, both
from shared.search.fields import ID, definition_field
from shared.search.ordering import Sort
from shared.search.reading import Node

__all__ = ["listed", "must_have_been", "one"]


async def listed(
    call: Call, wanted: Wanted, at: str, per_page: int, cursor: str | None, total: bool
) -> Page[Device]:
    """A page of what a list would have answered at an instant (epoch ms or ISO 8601): its states too.

    Always by BigQuery: its definitions and the fold of its rows. Who may see a device is decided by where it
    was then. ApiError 400 ``search.invalid`` for what is no instant.
    """
    given = (("blueprintId", wanted.blueprint_id), ("parentDeviceId", wanted.parent_device_id))
    parts: list[Condition] = [
        Equals(definition_field(name), (value,)) for name, value in given if value is not None
    ]
    if wanted.tag is not None:
        parts.append(Equals(definition_field("tags"), (wanted.tag,)))
    if wanted.name:
        parts.append(Like(definition_field("name"), "startsWith", wanted.name))
    by = Sort(definition_field(wanted.sort.removeprefix("-")), wanted.sort.startswith("-"))
    search = Search(both(*parts), (by,), (), per_page, cursor, None, total, read_at(Node(at, "at")))
    base = searching.within(wanted.system_id)
    found = await answering.page(call, search, base, wanted.system_id, "device.list")
    return Page(
        count=len(found.items),
        per_page=per_page,
        total=found.total,
        next=found.next,
        items=[Device.model_validate(item) for item in found.items],
    )


async def one(call: Call, device_id: str, at: str) -> Device:
    """A device as it was at an instant (epoch ms or ISO 8601), one that was deleted since too.

    ApiError 404 where there was none then, or none that the caller may read; 400 ``search.invalid``.
    """
    search = Search(Equals(ID, (device_id,)), per_page=1, at=read_at(Node(at, "at")))
    found = await answering.page(call, search, EVERYTHING, None)
    if not found.items:
        raise ApiError(
            404,
            "device.notThen",
            f"at {search.at} there was no device {device_id[:128]!r} that you may read",
            "check the id and the time; without 'at' the device is answered as it is now",
        )
    return Device.model_validate(found.items[0])
