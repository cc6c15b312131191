"""Keeps at a parent device how many of its members report a value, and its least, greatest and average.

The members' last values stand in the script's cache, which all of its runs share.
"""

from __future__ import annotations

import math
from typing import Any

from fulcrum.script import Context, Message, needs
from fulcrum.script.reading import NoNumber, number_at

_MOST = 2000


@needs("scriptCache", "device")
def run(message: Message, context: Context) -> None:
    """Take in one member's reading. The event goes on unchanged."""
    params = context.params
    path = str(params.get("path", "temperature"))
    gone_after = int(1000 * float(params.get("goneAfter", 3600)))
    if gone_after <= 0:
        raise ValueError("goneAfter is in seconds, above 0: correct the params of the route")
    parent = params.get("parent") or context.device.get("parentDeviceId")
    if message.get("historical") or context.device_id is None or parent == context.device_id:
        return
    if not parent:
        context.error("this device has no parent: give it one, or name it by parent in the route's params")
        return
    try:
        value = number_at(message, path)
    except NoNumber as error:
        context.error(error)
        return
    if value is None:
        return
    cache: dict[str, Any] = context.script_cache
    fleets: dict[str, Any] = cache.get("fleets", {})
    fleet = fleets.get(f"{parent} {path}", {"members": {}, "told": 0})
    members: dict[str, list[Any]] = fleet["members"]
    last = members.get(context.device_id)
    # One that comes late or again says nothing about what is known to be newer.
    if last is not None and message["time"] <= last[0]:
        return
    members[context.device_id] = [message["time"], value]
    newest = max(int(at) for at, _ in members.values())
    members = {name: member for name, member in members.items() if member[0] > newest - gone_after}
    if len(members) > _MOST:
        raise ValueError(f"{parent} has more than {_MOST} members: divide them among several parents")
    # Later than what was told before, so that it counts however late the reading is.
    told = max(newest, int(fleet["told"]) + 1)
    context.set_script_cache({"fleets": {**fleets, f"{parent} {path}": {"members": members, "told": told}}})
    context.set_device_data(
        {f"fleet/{path}": _summary([one for _, one in members.values()])}, device_id=str(parent), time=told
    )


def _summary(values: list[float]) -> dict[str, float]:
    return {
        "count": len(values),
        "min": min(values),
        "max": max(values),
        "avg": math.fsum(values) / len(values),
    }
