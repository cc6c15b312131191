"""Your own name for a device, in its metadata: no two devices of a project share one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.store.change import Change

EXTERNAL_ID = "externalId"


def external_id(fields: Mapping[str, Any]) -> str:
    """The external id in a device's fields; empty if it has none. What is no text is none."""
    found = (fields.get("metadata") or {}).get(EXTERNAL_ID)
    return found if isinstance(found, str) else ""


def move(change: Change, device_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Free the external id that a device loses and take the one that it gets, with the change's commit.

    The commit is refused with 409 ``device.externalIdTaken`` if another device has it.
    """
    old, new = external_id(before), external_id(after)
    if old == new:
        return
    if old:
        change.free("device", EXTERNAL_ID, old)
    if new:
        change.take("device", EXTERNAL_ID, new, holder=device_id)
