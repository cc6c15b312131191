"""Whether what a script makes of an event is what is stored: where it stands in the device's route. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

import msgspec

from shared.routes import RouteError, canonical, is_concurrent

_TYPE = "deviceDataEventMsg"


def follows(texts: Iterable[str], names: Collection[str]) -> Literal["input", "result"]:
    """``result`` where ``writer`` comes after the script, ``input`` where it stands beside or before it.

    ``texts``: the message routes that count for a device, the first first; ``names``: the script's id and
    alias. ``result`` where the script is in no route.
    """
    for text in texts:
        try:
            routes = msgspec.json.decode(text)
            if not isinstance(routes, dict) or _TYPE not in routes:
                continue
            found = list(_places(canonical(routes[_TYPE]), [], names))
        except (msgspec.DecodeError, RouteError):
            return "result"
        return "input" if found and not any(found) else "result"
    return "result"


def _places(series: list[Any], after: list[Any], names: Collection[str]) -> Iterable[bool]:
    """For each place of the script in a canonical series: whether ``writer`` comes after it."""
    for index, element in enumerate(series):
        rest = series[index + 1 :] + after
        if isinstance(element, str):
            continue
        if is_concurrent(element):
            for branch in element["routes"]:
                yield from _places(branch, rest, names)
            continue
        rest = [] if element.get("terminate") else rest
        own = element.get("route") or []
        if element["topic"] == "reason" and _is_it(element.get("options"), names):
            yield _writes(own + rest)
        yield from _places(own, rest, names)


def _is_it(options: Any, names: Collection[str]) -> bool:
    reasoner = options.get("reasoner") if isinstance(options, Mapping) else None
    return isinstance(reasoner, Mapping) and reasoner.get("id") in names


def _writes(series: list[Any]) -> bool:
    for element in series:
        if isinstance(element, str):
            if element == "writer":
                return True
        elif is_concurrent(element):
            if any(_writes(branch) for branch in element["routes"]):
                return True
        elif element["topic"] == "writer" or _writes(element.get("route") or []):
            return True
    return False
