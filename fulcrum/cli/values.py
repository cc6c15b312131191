"""Values between the command line, the API and the screen: reading, picking and shortening them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fulcrum.cli.problems import Problem, usage

# Fields that are instants in epoch ms.
_TIMES = frozenset(
    {
        *("created", "lastModified", "firstSeen", "lastSeen", "lastEventTime", "lastUsed", "refreshed"),
        "passwordChanged",
        *("expires", "refreshExpires", "time", "receivedTime", "storedTime", "publishTime", "at"),
        *("sentTime", "reportTime", "nextTry", "expireTime", "until"),
        *("started", "lastFired", "next", "changed"),
    }
)
# Seen last, if there is room.
_LATE = ("created", "lastModified", "version")


def parsed(text: str) -> Any:
    """What stands behind ``path=``: JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def assignment(text: str) -> tuple[str, Any]:
    """``path=value`` taken apart; Problem for anything else."""
    path, sign, value = text.partition("=")
    path = path.strip("/")
    if not sign or not path:
        raise usage(f"{text!r} is no path=value", "write for example: temperature=21.5 or position/floor=3")
    return path, parsed(value)


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Set a value inside an object, with objects made on the way; Problem where something else stands."""
    *above, last = path.split("/")
    for segment in above:
        inner = target.setdefault(segment, {})
        if not isinstance(inner, dict):
            raise usage(
                f"{path!r} leads into {segment!r}, which is no object", "set the value above it whole"
            )
        target = inner
    target[last] = value


def extract(value: Any, path: str) -> list[Any]:
    """What stands at a path, several where it has a ``*``; Problem if there is nothing."""
    found = list(_walk(value, [segment for segment in path.split("/") if segment]))
    if not found and "*" not in path:
        known = ", ".join(value) if isinstance(value, dict) else f"{len(value)} items"
        raise Problem(f"the answer has nothing at {path!r}", f"it has: {known}")
    return found


def _walk(value: Any, segments: Sequence[str]) -> Iterator[Any]:
    if not segments:
        yield value
        return
    first, rest = segments[0], segments[1:]
    if first == "*" and isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _walk(inner, rest)
    elif isinstance(value, dict) and first in value:
        yield from _walk(value[first], rest)
    elif isinstance(value, list) and first.isdecimal() and int(first) < len(value):
        yield from _walk(value[int(first)], rest)


def cell(key: str, value: Any) -> str:
    """A value as people read it: instants as ISO 8601 in UTC, objects as short JSON, no control character."""
    if value is None:
        return ""
    # A path of a device's data may end so as well.
    if key.rpartition("/")[2] in _TIMES and not key.startswith("data/"):
        several = value if isinstance(value, list) else [value]
        if several and all(isinstance(one, int) and not isinstance(one, bool) for one in several):
            return ", ".join(map(instant, several))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # A name that somebody chose must not steer the terminal.
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def lines(text: str) -> str:
    """A text of several lines, without control characters: none of it steers the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else repr(char)[1:-1] for char in text)


def instant(ms: int) -> str:
    """Epoch ms as ISO 8601 in UTC; the number itself where it is no instant."""
    try:
        return (
            datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )
    except (OverflowError, OSError, ValueError):
        return str(ms)


def flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of an object with their paths, in its order; lists and empty objects are leaves."""
    for key, inner in value.items():
        path = f"{above}{key}"
        if isinstance(inner, dict) and inner:
            yield from flat(inner, f"{path}/")
        else:
            yield path, inner


def columns(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which fields a table of items shows: those that any item has, what tells them apart first."""
    found = dict.fromkeys(
        key for item in items for key, value in item.items() if value not in (None, "", [], {})
    )
    first = [key for key in ("id", "name", "alias") if key in found]
    late = [key for key in _LATE if key in found]
    nested = [
        key
        for key in found
        if key not in first + late and any(isinstance(item.get(key), dict | list) for item in items)
    ]
    plain = [key for key in found if key not in first + late + nested]
    return [*first, *plain, *nested, *late]


def at(item: Mapping[str, Any], path: str) -> Any:
    """What an item has at a path; None if nothing."""
    return next(_walk(item, path.split("/")), None)
