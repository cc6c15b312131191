"""Routes: which topics a message passes, one after the other or at the same time.

A route is one of

- a topic's name: ``"writer"``,
- a series, one after the other: ``["reason", "writer"]``; series in a series are the same as written flat,
- a topic object: ``{"topic", "options", "route", "terminate", "condition"}``; ``type`` may name it too,
- ``{"type": "concurrent", "routes": [...]}``, all branches at the same time,
- the same in short: ``{"reason": {"options": ...}, "writer": true, "audit": ["archive", "mail"]}``, where a
  key is a topic and its value ``true``, the topic's own route, or a topic object without ``topic``.

A topic's own ``route`` comes after it, then what follows in the series around it, for every branch.
``terminate`` cuts what would follow around it, never its own route. A topic whose ``condition``
(``shared.conditions``) does not hold is skipped, with its own route and its ``terminate``, and the series
goes on; a concurrent element of which no branch is left is skipped too.

The canonical form is a series: topics are names or objects with ``topic``, a topic's ``route`` is a series,
concurrent elements are spelled out and their branches are series. What :func:`first_steps` returns as the
rest is canonical.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from shared.conditions import Facts, problems, reads_state, satisfied

TOPIC_FIELDS = frozenset({"topic", "type", "options", "route", "terminate", "condition"})
CONCURRENT = "concurrent"
MAX_NESTING = 32
NO_FACTS = Facts()


class Step(NamedTuple):
    """One topic to publish to now: with which options, and which (canonical) route remains after it."""

    topic: str
    options: dict[str, Any]
    rest: list[Any]


class RouteError(ValueError):
    """A route that is none; ``shared.route_check.check`` says everything that is wrong with it."""


def first_steps(route: Any, facts: Facts = NO_FACTS) -> list[Step]:
    """Where a message goes first; nowhere if the list is empty. RouteError for what is no route."""
    return _series(canonical(route), facts, [])


def is_conditional(route: list[Any]) -> bool:
    """Whether the first steps of a canonical route depend on facts."""
    return any(_conditions_ahead(route))


def reads_device_state(route: list[Any]) -> bool:
    """Whether the first steps of a canonical route depend on the device's current state."""
    return any(map(reads_state, _conditions_ahead(route)))


def canonical(route: Any, level: int = 0) -> list[Any]:
    """The canonical form, a series; RouteError for what is no route. Canonical routes stay as they are."""
    if isinstance(route, str):
        if not route:
            raise RouteError("a topic's name is empty")
        return [route]
    if level > MAX_NESTING:
        raise RouteError(f"the route nests deeper than {MAX_NESTING} levels")
    if isinstance(route, list):
        return [element for part in route for element in canonical(part, level + 1)]
    if not isinstance(route, dict):
        raise RouteError(f"a route is a topic, a series or an object, not {type(route).__name__}")
    if is_concurrent(route):
        branches = route.get("routes")
        if not isinstance(branches, list):
            raise RouteError("a concurrent route needs its 'routes' as an array")
        return _concurrent([canonical(branch, level + 1) for branch in branches])
    if is_topic(route):
        return [_topic(route.get("topic", route.get("type")), route, level)]
    return _concurrent([[_branch(name, value, level)] for name, value in route.items()])


def every_topic(series: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each topic of a canonical route, wherever in it, with its options."""
    for element in series:
        if isinstance(element, str):
            yield element, {}
        elif is_concurrent(element):
            for branch in element["routes"]:
                yield from every_topic(branch)
        else:
            yield element["topic"], element.get("options", {})
            yield from every_topic(element.get("route", []))


def is_concurrent(route: Mapping[str, Any]) -> bool:
    """Whether an object is a concurrent element, spelled out."""
    return route.get("type") == CONCURRENT and "topic" not in route


def is_topic(route: Mapping[str, Any]) -> bool:
    """Whether an object is a topic object; otherwise it is concurrent in short."""
    return isinstance(route.get("topic", route.get("type")), str)


def is_nameless_topic(value: Mapping[str, Any]) -> bool:
    """Whether the value of a key of the short form is a topic object; otherwise it is the key's own route."""
    return TOPIC_FIELDS.issuperset(value) and not is_concurrent(value)


def _concurrent(branches: list[list[Any]]) -> list[Any]:
    filled = [branch for branch in branches if branch]
    return [{"type": CONCURRENT, "routes": filled}] if filled else []


def _branch(name: str, value: Any, level: int) -> Any:
    if value is True:
        return _topic(name, {}, level)
    if isinstance(value, dict) and is_nameless_topic(value):
        if value.get("topic", value.get("type", name)) != name:
            raise RouteError(f"{name!r} has a topic object with another topic's name")
        return _topic(name, value, level)
    if isinstance(value, list | dict):
        return _topic(name, {"route": value}, level)
    raise RouteError(f"{name!r}: the value is true, a series or a topic object")


def _topic(name: Any, source: Mapping[str, Any], level: int) -> Any:
    if not isinstance(name, str) or not name:
        raise RouteError("a topic's name is a text")
    result: dict[str, Any] = {"topic": name}
    options, condition = source.get("options"), source.get("condition")
    if options is not None:
        if not isinstance(options, dict):
            raise RouteError(f"the options of {name!r} are an object")
        if options:
            result["options"] = options
    if source.get("route") is not None and (route := canonical(source["route"], level + 1)):
        result["route"] = route
    if source.get("terminate"):
        result["terminate"] = True
    if condition is not None:
        if wrong := next(problems(condition, f"the condition of {name!r}"), None):
            raise RouteError(wrong)
        result["condition"] = condition
    return result if len(result) > 1 else name


def _series(series: list[Any], facts: Facts, rest: list[Any]) -> list[Step]:
    for index, element in enumerate(series):
        steps = _element(element, facts, series[index + 1 :] + rest)
        if steps:
            return steps
    return []


def _element(element: Any, facts: Facts, rest: list[Any]) -> list[Step]:
    """The first steps of one element itself: none where it is skipped."""
    if isinstance(element, str):
        return [Step(element, {}, rest)]
    if is_concurrent(element):
        return [step for branch in element["routes"] for step in _series(branch, facts, rest)]
    if "condition" in element and not satisfied(element["condition"], facts):
        return []
    after = [] if element.get("terminate") else rest
    return [Step(element["topic"], element.get("options", {}), element.get("route", []) + after)]


def _conditions_ahead(route: list[Any]) -> list[Mapping[str, Any]]:
    """The conditions that stand before the first topic that is passed for certain."""
    found: list[Mapping[str, Any]] = []
    for element in route:
        if isinstance(element, str):
            break
        if is_concurrent(element):
            ahead = [_conditions_ahead(branch) for branch in element["routes"]]
            found += [condition for conditions in ahead for condition in conditions]
            if any(
                branch and not conditions for branch, conditions in zip(element["routes"], ahead, strict=True)
            ):
                break
        elif "condition" not in element:
            break
        else:
            found.append(element["condition"])
    return found
