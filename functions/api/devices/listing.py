"""Lists of devices: only filters and sorts that an index answers."""

from __future__ import annotations

from typing import Any

import msgspec

from functions.api.devices import pages, showing
from functions.api.needs import Call
from shared import names, values
from shared.clients import firestore
from shared.model.device import Device
from shared.model.page import Page
from shared.store.query import Query, Where
from shared.store.scope import Found, Stored

# Above every character that a name is likely to hold: a prefix ends before it.
_LAST = "\U0010ffff"
_REFERRED = (("blueprint", "blueprints", "blueprintId"), ("system", "systems", "systemId"))


class Wanted(msgspec.Struct, frozen=True):
    """What a list asks for. ``name`` is a prefix, ``sort`` is ``id``, ``name`` or ``-name``, downwards."""

    system_id: str | None = None
    blueprint_id: str | None = None
    parent_device_id: str | None = None
    tag: str | None = None
    name: str | None = None
    sort: str = "id"


def query(wanted: Wanted, per_page: int, cursor: str | None) -> Query:
    """The query of a list; a prefix of the name sorts by it."""
    where = [
        Where(field, "==", value)
        for field, value in (
            ("systemId", wanted.system_id),
            ("blueprintId", wanted.blueprint_id),
            ("parentDeviceId", wanted.parent_device_id),
        )
        if value is not None
    ]
    if wanted.tag is not None:
        where.append(Where("tags", "array-contains", wanted.tag))
    order = "name" if wanted.sort.endswith("name") else None
    if wanted.name:
        order = "name"
        where += [Where("name", ">=", wanted.name), Where("name", "<", wanted.name + _LAST)]
    return Query(tuple(where), order, wanted.sort.startswith("-"), per_page, cursor)


async def page(
    call: Call, wanted: Wanted, per_page: int, cursor: str | None, total: bool, refs: bool
) -> Page[Device]:
    """A page of a list, of what the caller may see."""
    asked = query(wanted, per_page, cursor)
    found = await pages.page(call, "device.list", asked)
    counted = await pages.count(call, "device.list", asked) if total else None
    return await answered(call, found, per_page, counted, refs)


async def answered(
    call: Call, found: Found[Device], per_page: int, total: int | None = None, refs: bool = False
) -> Page[Device]:
    """A page as it is answered, with the blueprints and systems of its devices if they are asked for."""
    return Page(
        count=len(found.items),
        per_page=per_page,
        total=total,
        next=found.next,
        items=await showing.several(call, found.items),
        refs=await _refs(call, found.items) if refs else None,
    )


async def _refs(call: Call, items: list[Stored[Device]]) -> dict[str, dict[str, Any]]:
    project = call.scope.project_id
    wanted = {
        names.document("projects", project, collection, stored.fields[field]): kind
        for kind, collection, field in _REFERRED
        for stored in items
        if stored.fields.get(field) and call.principal.allows(f"{kind}.read", system=stored.fields[field])
    }
    found = await firestore.batch_get(wanted, ["name", "alias"])
    refs: dict[str, dict[str, Any]] = {kind: {} for kind, _, _ in _REFERRED}
    for name, document in found.items():
        refs[wanted[name]][document.id] = {"id": document.id, **values.from_fields(document.fields)}
    return refs
