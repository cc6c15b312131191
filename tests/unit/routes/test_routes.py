"""The grammar's documented vectors, and what is said about routes that are wrong."""

from __future__ import annotations

from typing import Any

import pytest

from shared.conditions import Facts
from shared.route_check import MAX_TEXT, check, check_message_route
from shared.routes import NO_FACTS, RouteError, canonical, first_steps, is_conditional, reads_device_state

_HOT = {"type": "attribute", "path": "msg/data/t", "op": "gt", "value": 30}


def ways(route: Any, facts: Facts = NO_FACTS) -> list[str]:
    """All full ways of a message, found by taking first steps again and again."""
    found = []
    for step in first_steps(route, facts):
        further = ways(step.rest, facts)
        found += [f"{step.topic}>{way}" for way in further] or [step.topic]
    return found


_VECTOR = {"p": ["p1", "p2"], "q": ["q1"], "r": {"type": "concurrent", "routes": ["r1", "r2"]}}


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("writer", ["writer"]),
        (["reason", "writer"], ["reason>writer"]),
        ([["a", ["b"]], "c"], ["a>b>c"]),
        ([], []),
        ({"topic": "a"}, ["a"]),
        ({"type": "a"}, ["a"]),
        ({"topic": "a", "route": ["b", "c"]}, ["a>b>c"]),
        ([{"topic": "a", "route": "b"}, "c"], ["a>b>c"]),
        ([{"topic": "a", "route": "b", "terminate": True}, "c"], ["a>b"]),
        ({"type": "concurrent", "routes": ["a", ["b", "c"]]}, ["a", "b>c"]),
        ([_VECTOR, "end"], ["p>p1>p2>end", "q>q1>end", "r>r1>end", "r>r2>end"]),
        (
            [{**_VECTOR, "r": {"route": {"r1": True, "r2": True}, "terminate": True}}, "end"],
            ["p>p1>p2>end", "q>q1>end", "r>r1", "r>r2"],
        ),
        ({"reason": {"options": {"reasoner": {"id": "s"}}}, "writer": True}, ["reason", "writer"]),
        ({"a": {}, "b": {"topic": "b"}}, ["a", "b"]),
        ({"topic": True, "type": ["a"]}, ["topic", "type>a"]),
        ([{"type": "concurrent", "routes": [[], ["a"]]}, "end"], ["a>end"]),
        ([{"type": "concurrent", "routes": []}, "end"], ["end"]),
    ],
)
def test_vectors(route: Any, expected: list[str]) -> None:
    assert ways(route) == expected
    assert ways(canonical(route)) == expected


def test_a_step_carries_its_options_and_the_rest_of_the_route() -> None:
    options = {"reasoner": {"id": "s1"}}
    (step,) = first_steps([{"topic": "reason", "options": options, "route": {"a": True}}, "writer"])
    assert step.topic == "reason"
    assert step.options == options
    assert step.rest == [{"type": "concurrent", "routes": [["a"]]}, "writer"]


@pytest.mark.parametrize(
    ("route", "cold", "hot"),
    [
        ({"topic": "a", "condition": _HOT}, [], ["a"]),
        ([{"topic": "a", "condition": _HOT}, "b"], ["b"], ["a>b"]),
        ([{"topic": "a", "condition": _HOT, "route": "x", "terminate": True}, "b"], ["b"], ["a>x"]),
        ([{"a": {"condition": _HOT}, "b": True}, "end"], ["b>end"], ["a>end", "b>end"]),
        ([{"a": {"condition": _HOT}}, "end"], ["end"], ["a>end"]),
        (["a", {"topic": "b", "condition": _HOT}], ["a"], ["a>b"]),
    ],
)
def test_an_element_whose_condition_does_not_hold_is_skipped(
    route: Any, cold: list[str], hot: list[str]
) -> None:
    assert ways(route, Facts(msg={"data": [{"path": "t", "value": 20}]})) == cold
    assert ways(route, Facts(msg={"data": [{"path": "t", "value": 40}]})) == hot


@pytest.mark.parametrize(
    ("route", "conditional", "state"),
    [
        (["a", {"topic": "b", "condition": _HOT}], False, False),
        ([{"topic": "b", "condition": _HOT}, "a"], True, False),
        ([{"a": True, "b": {"condition": _HOT}}], True, False),
        ([{"type": "concurrent", "routes": [{}]}, {"topic": "b", "condition": _HOT}], True, False),
        ([{"topic": "b", "condition": {"type": "delta", "path": "t"}}], True, True),
        (["a", {"topic": "b", "condition": {"type": "delta", "path": "t"}}], False, False),
    ],
)
def test_whether_the_first_steps_depend_on_facts(route: Any, conditional: bool, state: bool) -> None:
    assert is_conditional(canonical(route)) is conditional
    assert reads_device_state(canonical(route)) is state


_DEEP: Any = "a"
for _ in range(60):
    _DEEP = [_DEEP]


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (5, "route: a route is a topic's name, a series or an object, not int"),
        (["ok-topic", None], "route[1]: a route is a topic's name"),
        ("x", "route: 'x' is no topic's name"),
        ("", "route: '' is no topic's name"),
        ("google-topic", "'google-topic' is no topic's name"),
        ({}, "route: names no topic"),
        ({"aaa": False}, "route.aaa: true, a series or a topic object is needed"),
        ({"aaa": {"topic": "bbb"}}, "route.aaa.topic: is not 'aaa'; write a series"),
        ({"topic": "aaa", "option": {}}, "route.option: unknown; a topic has options, route"),
        ({"topic": "aaa", "options": []}, "route.options: an object is needed"),
        ({"topic": "aaa", "terminate": "yes"}, "route.terminate: true or false"),
        ({"topic": "aaa", "type": "bbb"}, "route.type: stands beside 'topic'"),
        ({"topic": "aaa", "route": ["bbb", 1]}, "route.route[1]: a route is"),
        ({"type": "concurrent"}, "route.routes: an array of at least one route is needed"),
        ({"type": "concurrent", "routes": ["aaa", 1]}, "route.routes[1]: a route is"),
        ({"type": "concurrent", "routes": ["aaa"], "x": 1}, "route.x: unknown; a concurrent route"),
        (_DEEP, "nests too deep"),
        (["aaa"] * 15, "route: passes 15 topics one after the other; at most 14"),
        ([{f"t{i}{j}": True for j in range(3)} for i in range(4)], "makes 81 copies of each message"),
        ("a" * MAX_TEXT, "bytes of JSON; at most 16384"),
        ({"topic": "aaa", "condition": "x"}, "route.condition: a condition is an object"),
        ({"topic": "aaa", "condition": {"type": "like"}}, "route.condition.type: 'like' is no condition"),
        (
            {"topic": "aaa", "condition": {"type": "not", "condition": {"type": "or", "conditions": []}}},
            "route.condition.condition.conditions: an array of at least one condition",
        ),
        (
            {"topic": "aaa", "condition": {"type": "attribute", "path": "data/x", "value": 1}},
            "route.condition.path: begin with 'device/' or 'msg/'",
        ),
        (
            {"topic": "aaa", "condition": {"type": "attribute", "path": "msg/x"}},
            "route.condition.value: is missing",
        ),
        (
            {"topic": "aaa", "condition": {"type": "delta", "path": "x", "value": "5"}},
            "route.condition.value: a change is compared with a number",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(route: Any, said: str) -> None:
    assert any(said in problem for problem in check(route)), check(route)


def test_a_topic_that_is_not_declared_is_refused_by_name() -> None:
    assert check(["reason", "writer"], {"writer"}) == [
        "route[0]: there is no topic 'reason'; declare it in functions/services.yaml under custom"
    ]
    assert check(["writer"], {"writer"}) == []


def test_a_message_route_names_message_types() -> None:
    assert check_message_route({"deviceDataEventMsg": ["writer"]}, {"writer"}) == []
    assert check_message_route(["writer"]) == ["messageRoute: an object from message type to route is needed"]
    (problem,) = check_message_route({"deviceDataEvent": "writer"})
    assert problem.startswith("messageRoute.deviceDataEvent: no message type")
    (problem,) = check_message_route({"deviceDataEventMsg": {"topic": 3}})
    assert problem.startswith("messageRoute.deviceDataEventMsg.topic: true, a series")


@pytest.mark.parametrize(
    "route",
    [
        5,
        None,
        [""],
        {"a": False},
        {"topic": "a", "options": 5},
        {"type": "concurrent", "routes": 5},
        {"topic": "a", "condition": {"type": "attribute", "path": "msg/x"}},
        {"topic": "a", "condition": 3},
        {"a": {"topic": "b"}},
        _DEEP,
    ],
)
def test_what_is_no_route_is_an_error_when_taken(route: Any) -> None:
    with pytest.raises(RouteError):
        first_steps(route)
