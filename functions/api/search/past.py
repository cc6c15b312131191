"""Lists of devices as they were at a past instant."""

from __future__ import annotations

from functions.api.devices.listing import Wanted
from functions.api.needs import Call
from functions.api.search import answering, searching
from shared.model.device import Device
from shared.model.page import Page
from shared.search.body import Search, read_at
from shared.search.conditions import Condition, Equals, Like, both
from shared.search.fields import definition_field
from shared.search.ordering import Sort
from shared.search.reading import Node


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
