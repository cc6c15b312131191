"""What is wrong with a route, said before it is saved: every problem, with its place and what to do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from shared import conditions
from shared.messages import MAX_HOPS
from shared.routes import (
    TOPIC_FIELDS,
    RouteError,
    canonical,
    is_concurrent,
    is_nameless_topic,
    is_topic,
)

MAX_TEXT = 16_384
MAX_PATHS = 64
# From the device to the first topic are two hops (ingest's topic and the route's first one).
MAX_LENGTH = MAX_HOPS - 2
MESSAGE_TYPES = ("deviceDataEventMsg", "deviceEventAckMsg")

_TOPIC = re.compile(r"(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}\Z")


def check(route: Any, topics: Collection[str] | None = None, at: str = "route") -> list[str]:
    """The problems of a route; none if the list is empty. ``topics``: those that exist, if they are known."""
    try:
        size = len(msgspec.json.encode(route))
    except (TypeError, ValueError, RecursionError) as error:
        return [f"{at}: not JSON: {error}"]
    if size > MAX_TEXT:
        return [f"{at}: {size} bytes of JSON; at most {MAX_TEXT}"]
    found = list(_route(route, topics, at))
    if found:
        return found
    try:
        series = canonical(route)
    except RouteError as error:
        return [f"{at}: {error}"]
    if (length := _length(series)) > MAX_LENGTH:
        found.append(f"{at}: passes {length} topics one after the other; at most {MAX_LENGTH}")
    if (count := _paths(series, 1)) > MAX_PATHS:
        found.append(f"{at}: makes {count} copies of each message; at most {MAX_PATHS}")
    return found


def check_message_route(message_route: Any, topics: Collection[str] | None = None) -> list[str]:
    """The problems of a device's or blueprint's message route: an object from message type to route."""
    if not isinstance(message_route, dict):
        return ["messageRoute: an object from message type to route is needed"]
    found = []
    for kind, route in message_route.items():
        if kind not in MESSAGE_TYPES:
            found.append(f"messageRoute.{kind}: no message type; use {', '.join(MESSAGE_TYPES)}")
        else:
            found += check(route, topics, f"messageRoute.{kind}")
    return found


def _route(route: Any, topics: Collection[str] | None, at: str, level: int = 0) -> Iterator[str]:
    if level > 32:
        yield f"{at}: nests too deep"
    elif isinstance(route, str):
        yield from _name(route, topics, at)
    elif isinstance(route, list):
        for index, part in enumerate(route):
            yield from _route(part, topics, f"{at}[{index}]", level + 1)
    elif not isinstance(route, dict):
        yield f"{at}: a route is a topic's name, a series or an object, not {type(route).__name__}"
    elif is_concurrent(route):
        yield from _spelled_out(route, topics, at, level)
    elif is_topic(route):
        if "topic" in route and "type" in route:
            yield f"{at}.type: stands beside 'topic'; leave it out"
        yield from _name(route.get("topic", route.get("type")), topics, f"{at}.topic")
        yield from _topic_object(route, topics, at, level)
    elif not route:
        yield f"{at}: names no topic"
    else:
        for name, value in route.items():
            yield from _short(name, value, topics, at, level)


def _spelled_out(route: dict[str, Any], topics: Collection[str] | None, at: str, level: int) -> Iterator[str]:
    for name in sorted(route.keys() - {"type", "routes"}):
        yield f"{at}.{name}: unknown; a concurrent route has 'type' and 'routes'"
    branches = route.get("routes")
    if not isinstance(branches, list) or not branches:
        yield f"{at}.routes: an array of at least one route is needed"
        return
    for index, branch in enumerate(branches):
        yield from _route(branch, topics, f"{at}.routes[{index}]", level + 1)


def _short(name: str, value: Any, topics: Collection[str] | None, at: str, level: int) -> Iterator[str]:
    here = f"{at}.{name}"
    yield from _name(name, topics, here)
    if value is True:
        return
    if isinstance(value, dict) and is_nameless_topic(value):
        if value.get("topic", value.get("type", name)) != name:
            yield f"{here}.topic: is not {name!r}; write a series to pass one topic after the other"
        yield from _topic_object(value, topics, here, level)
    elif isinstance(value, list | dict):
        yield from _route(value, topics, here, level + 1)
    else:
        yield f"{here}: true, a series or a topic object is needed"


def _topic_object(
    route: dict[str, Any], topics: Collection[str] | None, at: str, level: int
) -> Iterator[str]:
    for name in sorted(route.keys() - TOPIC_FIELDS):
        yield f"{at}.{name}: unknown; a topic has options, route, terminate, condition"
    if not isinstance(route.get("options", {}), dict):
        yield f"{at}.options: an object is needed"
    if not isinstance(route.get("terminate", False), bool):
        yield f"{at}.terminate: true or false"
    if "condition" in route:
        yield from conditions.problems(route["condition"], f"{at}.condition")
    if "route" in route:
        yield from _route(route["route"], topics, f"{at}.route", level + 1)


def _name(name: Any, topics: Collection[str] | None, at: str) -> Iterator[str]:
    if not isinstance(name, str) or not _TOPIC.match(name):
        yield (
            f"{at}: {name!r} is no topic's name: 3 to 255 letters, digits and -_.~+%, "
            "a letter first, not beginning with 'goog'"
        )
    elif topics is not None and name not in topics:
        yield f"{at}: there is no topic {name!r}; declare it in functions/services.yaml under custom"


def _length(series: list[Any]) -> int:
    """The longest way through a canonical series, in topics; ``terminate`` is not taken into account."""
    total = 0
    for element in series:
        if isinstance(element, str):
            total += 1
        elif is_concurrent(element):
            total += max(map(_length, element["routes"]))
        else:
            total += 1 + _length(element.get("route", []))
    return total


def _paths(series: list[Any], after: int) -> int:
    """How many ways lead through a canonical series with ``after`` ways behind it, all conditions holding."""
    for element in reversed(series):
        if isinstance(element, str):
            continue
        if is_concurrent(element):
            after = sum(_paths(branch, after) for branch in element["routes"])
        else:
            after = _paths(element.get("route", []), 1 if element.get("terminate") else after)
    return after
