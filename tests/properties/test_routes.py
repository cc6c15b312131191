"""The grammar against a slow, direct definition: all full ways of a message at once."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.conditions import Facts
from shared.route_check import check
from shared.routes import RouteError, canonical, first_steps

# A way as the direct definition gives it: the topics, and whether ``terminate`` has ended it.
Way = tuple[tuple[str, ...], bool]
_TOPICS = st.sampled_from(["aaa", "bbb", "ccc", "ddd"])
_CONDITIONS = st.sampled_from(["on", "off"]).map(
    lambda value: {"type": "attribute", "path": "device/mode", "value": value}
)
_FACTS = Facts(device={"mode": "on"})


def _topic_objects(inner: st.SearchStrategy[Any], **needed: Any) -> st.SearchStrategy[dict[str, Any]]:
    optional = {
        "route": inner,
        "terminate": st.booleans(),
        "condition": _CONDITIONS,
        "options": st.just({"o": 1}),
    }
    return st.fixed_dictionaries(needed, optional=optional)


def _compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    series = st.lists(inner, max_size=3)
    return (
        series
        | _topic_objects(inner, topic=_TOPICS)
        | _topic_objects(inner, type=_TOPICS)
        | st.fixed_dictionaries({"type": st.just("concurrent"), "routes": st.lists(inner, max_size=3)})
        | st.dictionaries(_TOPICS, st.just(True) | series | _topic_objects(inner), max_size=3)
    )


ROUTES = st.recursive(_TOPICS, _compound, max_leaves=12)


def _condition_holds(route: dict[str, Any]) -> bool:
    return "condition" not in route or route["condition"]["value"] == "on"


def _direct_topic(name: str, route: dict[str, Any]) -> list[Way]:
    if not _condition_holds(route):
        return []
    own = _direct(route.get("route", [])) or [((), False)]
    return [((name, *topics), ended or bool(route.get("terminate"))) for topics, ended in own]


def _direct(route: Any) -> list[Way]:
    """All ways of a route. An empty list: it leads nowhere itself, so it is skipped."""
    if isinstance(route, str):
        return [((route,), False)]
    if isinstance(route, list):
        ways: list[Way] = []
        for part in route:
            added = _direct(part)
            if not ways or not added:
                ways = ways or added
                continue
            ways = [
                joined
                for topics, ended in ways
                for joined in ([(topics, True)] if ended else [(topics + more, end) for more, end in added])
            ]
        return ways
    if isinstance(route.get("topic", route.get("type")), str) and route.get("type") != "concurrent":
        return _direct_topic(route.get("topic") or route["type"], route)
    if route.get("type") == "concurrent":
        return [way for branch in route["routes"] for way in _direct(branch)]
    ways = []
    for name, value in route.items():
        as_object = {} if value is True else {"route": value} if isinstance(value, list) else value
        ways += _direct_topic(name, as_object)
    return ways


def _by_steps(route: Any) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for step in first_steps(route, _FACTS):
        found += [(step.topic, *further) for further in _by_steps(step.rest)] or [(step.topic,)]
    return found


@settings(max_examples=300, deadline=None)
@given(ROUTES)
def test_taking_first_steps_leads_along_the_same_ways_as_the_direct_definition(route: Any) -> None:
    assert Counter(_by_steps(route)) == Counter(topics for topics, _ in _direct(route))


@settings(max_examples=300, deadline=None)
@given(ROUTES)
def test_the_canonical_form_is_stable_and_means_the_same(route: Any) -> None:
    form = canonical(route)
    assert canonical(form) == form
    assert first_steps(form, _FACTS) == first_steps(route, _FACTS)
    for step in first_steps(form, _FACTS):
        assert canonical(step.rest) == step.rest


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["aaa", "concurrent", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["topic", "type", "routes", "route", "options", "terminate", "condition", "aaa"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(_ANY | ROUTES)
def test_a_route_without_problems_can_be_taken_and_others_raise_route_error_at_most(route: Any) -> None:
    problems = check(route)
    try:
        first_steps(route, _FACTS)
    except RouteError:
        assert problems
