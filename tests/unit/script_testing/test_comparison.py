"""What differs is named by its path, and nothing that is the same is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.script import wire
from fulcrum.script.testing import expectation
from fulcrum.script.testing.comparison import NOTHING, Difference, differences

DONE: dict[str, Any] = {"result": None, "effects": []}


@pytest.mark.parametrize(
    ("expected", "got", "path"),
    [
        (DONE | {"result": False}, DONE, "result"),
        (DONE | {"cache": {"a": [1, 2]}}, DONE | {"cache": {"a": [1, 3]}}, "cache/a/1"),
        (DONE | {"cache": 1}, DONE | {"cache": True}, "cache"),
        (DONE | {"cache": "1"}, DONE | {"cache": 1}, "cache"),
        (DONE, DONE | {"cache": None}, "cache"),
        (DONE | {"scriptCache": None}, DONE, "scriptCache"),
        (DONE | {"cache": {"a": 1}}, DONE | {"cache": {}}, "cache/a"),
        (DONE | {"effects": [{"type": "cancelTimer", "id": "t"}]}, DONE, "effects/0"),
        (DONE | {"logs": []}, DONE | {"logs": [{"level": "info", "text": "x"}]}, "logs/0"),
        (
            DONE | {"result": {"data": [{"path": "a", "value": 1}]}},
            DONE | {"result": {"data": [{"path": "a", "value": 2}]}},
            "result/data/0 (a)/value",
        ),
        (DONE, {"status": "unmet", "missing": ["cache"]}, "status"),
        (
            {"status": "failed", "failure": {"type": "ValueError"}},
            {"status": "failed", "failure": {"kind": "exception", "type": "KeyError"}},
            "failure/type",
        ),
    ],
)
def test_a_difference_is_named(expected: dict[str, Any], got: dict[str, Any], path: str) -> None:
    assert path in [difference.path for difference in differences(expected, got)]


def test_what_is_not_asked_for_is_no_difference() -> None:
    logged = DONE | {"logs": [{"level": "info", "text": "x"}]}
    assert differences(DONE, logged) == []
    failed = {"status": "failed", "failure": {"kind": "exception", "type": "KeyError", "message": "'a'"}}
    assert differences({"status": "failed", "failure": {"type": "KeyError"}}, failed) == []
    assert differences(DONE | {"cache": 5}, DONE | {"cache": 5.0}) == []


def test_of_a_run_that_failed_nothing_else_is_said() -> None:
    failure = {"kind": "exception", "type": "KeyError", "message": "'a'"}
    assert differences(DONE | {"cache": 1}, {"status": "failed", "failure": failure}) == [
        Difference("failure", NOTHING, failure)
    ]


def test_numbers_may_be_near() -> None:
    near, far = DONE | {"cache": [1000.0, 0.001]}, DONE | {"cache": [1000.5, 0.0]}
    assert differences(near, far, 0.001) == []
    assert [found.path for found in differences(near, far, 0.0001)] == ["cache/0", "cache/1"]


def test_a_difference_is_readable_and_short() -> None:
    text = str(Difference("cache", NOTHING, "x" * 5_000))
    assert text.startswith("cache\n  expected: nothing\n  got:      ")
    assert "(5002 characters)" in text
    assert len(text) < 600


def test_an_outcome_is_what_a_file_would_expect() -> None:
    outcome = wire.Outcome(
        key="k",
        result={"data": []},
        effects=[wire.CancelTimer(id="t")],
        cache=wire.Cache(value=None),
        logs=[wire.LogLine(text="x")],
        cpu_us=5,
    )
    assert expectation.of(outcome, {}) == {
        "result": {"data": []},
        "effects": [{"type": "cancelTimer", "id": "t"}],
        "cache": None,
        "logs": [{"level": "info", "text": "x"}],
    }
    failed = wire.Outcome(
        key="k", status="failed", failure=wire.Failure(kind="exception", type="E", traceback="...")
    )
    assert expectation.of(failed, {}) == {"status": "failed", "failure": {"kind": "exception", "type": "E"}}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_there_is_a_difference_exactly_where_values_differ(one: Any, other: Any) -> None:
    found = differences(DONE | {"cache": one}, DONE | {"cache": other})
    # JSON's own equality: true is no 1.
    assert bool(found) is (repr(_sorted(one)) != repr(_sorted(other)))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value
