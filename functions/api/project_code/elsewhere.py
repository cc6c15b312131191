"""What speaks of attributes though it is no part of a document: devices' timers, dashboards, views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.api.project_code.current import Current, every
from functions.api.project_code.difference import Difference
from shared.model.base import Kind
from shared.model.dashboard import DASHBOARD
from shared.model.timer import TIMER
from shared.model.view import VIEW
from shared.store.scope import Scope

# Kind → the field in which people write paths.
_FIELDS: Mapping[str, tuple[Kind[Any], str]] = {
    "timers": (TIMER, "action"),
    "dashboards": (DASHBOARD, "layout"),
    "views": (VIEW, "settings"),
}


@dataclass(frozen=True)
class Speaker:
    """Something with paths in it. ``blueprint``: the alias of the one that it is about, if it says so."""

    where: str
    value: Any
    blueprint: str | None


async def speakers(scope: Scope, now: Current, change: Difference, caller_id: str) -> list[Speaker]:
    """All of them, if an attribute goes; what is another person's own is nobody else's business."""
    if not any(edit.action in ("delete", "replace") for edit in change.of("attributes")):
        return []
    aliases = {stored.id: key[1] for key, stored in now.stored.items() if key[0] == "blueprints"}
    written = {stored.id for key, stored in now.stored.items() if key[0] == "timers"}
    found = []
    for section, (kind, wire) in _FIELDS.items():
        async for stored in every(scope, kind):
            if stored.id in written or stored.fields.get("owner", "") not in ("", caller_id):
                continue
            about = aliases.get(str(stored.fields.get("blueprintId")))
            where = f"{section} {stored.fields.get('name', stored.id)}: {wire}"
            found.append(Speaker(where, stored.fields.get(wire), about))
    return found
