"""Whatever may be asked runs on the embedded BigQuery, or is refused by name; two projects never mix."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ApiError, Rejected
from shared.history_query import Model
from shared.messages import DeviceEventAck
from tests.support.history import History, alarm, at, event

MINE, THEIRS = "mine", "theirs"
keys = st.sampled_from(["n", "t", "s", "b", "o", "o/n", "none", "$data/n", "$data/s"])
columns = st.sampled_from(["$id", "$time", "$deviceId", "$userId", "$historical", "$data", "$receivedTime"])
read = st.one_of(keys, columns)
casts = st.sampled_from(["integer", "float", "string", "time", "msTime", "boolean", None])
fields = st.builds(lambda path, cast: {"type": "field", "value": path, "cast": cast}, read, casts).map(
    lambda item: {key: value for key, value in item.items() if value is not None}
)
small = st.one_of(st.integers(-10, 10), st.sampled_from([0.5, -2.25, 1e15]))
operand = st.one_of(st.just("@COLUMN()"), small, fields)


def call(name: str, *args: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*args).map(lambda given: {"function": name, "args": list(given)})


scalars: st.SearchStrategy[Any] = st.recursive(
    st.one_of(*(call(sign, operand, operand) for sign in "+-*/")),
    lambda inner: st.one_of(
        *(call(sign, st.one_of(operand, inner), inner) for sign in "+-*/"),
        *(call(name, inner) for name in ("ABS", "FLOOR", "CEIL", "ROUND")),
        call("COALESCE", operand, inner),
        call("CONCAT", st.just("x"), operand),
        call("BUCKET_TIME", st.integers(1, 86_400_000)),
        call("DATE_FORMAT", st.sampled_from(["@YEAR()-@MONTH()", "%@SECOND().@SECOND_PART()"])),
        call("STR_TO_DATE", st.sampled_from(["@YEAR()-@MONTH()-@DAY()", "@YEAR()"])),
        call("UNIX_MILLIS", operand),
    ),
    max_leaves=4,
)
aggregates = st.sampled_from(
    ["AVG", "SUM", "MIN", "MAX", "COUNT", "COUNT_DISTINCT", "FIRST", "LAST", "STDDEV"]
).map(lambda name: {"function": name})
windows = st.fixed_dictionaries(
    {
        "function": st.sampled_from(
            ["LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE", "SUM", "COUNT", "ROW_NUMBER", "RANK"]
        ),
        "isWindow": st.just(True),
    },
    optional={
        "order": st.lists(
            st.one_of(read, st.tuples(read, st.just("DESC")).map(list)), min_size=1, max_size=2
        ),
        "partition": st.lists(read, min_size=1, max_size=2),
    },
)
functions = st.one_of(st.none(), scalars, aggregates, windows)
asked = st.tuples(read, functions, casts)
values = st.one_of(small, st.sampled_from(["x", "5", "true"]), st.none(), st.booleans(), fields)
conditions: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.tuples(read, st.sampled_from(["=", "!=", "<", ">="]), values).map(list),
        st.tuples(read, st.sampled_from(["IN", "NOT IN"]), st.lists(st.integers(-5, 5), min_size=1)).map(
            list
        ),
        st.tuples(keys, st.just("LIKE"), st.sampled_from(["%x%", "_", "5"])).map(list),
    ),
    lambda inner: st.fixed_dictionaries(
        {
            "type": st.just("logical"),
            "operator": st.sampled_from(["and", "or"]),
            "conditions": st.lists(inner, min_size=1, max_size=2),
        }
    ),
    max_leaves=3,
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Queries of which most can be carried out."""
    body: dict[str, Any] = {}
    paths = draw(st.lists(asked, max_size=3))
    if paths:
        body["paths"] = [[path, f"x{i}", function, cast] for i, (path, function, cast) in enumerate(paths)]
        grouped = [
            f"x{i}"
            for i, (_, function, _) in enumerate(paths)
            if function is None or function.get("function") in ("+", "-", "ABS")
        ]
        if draw(st.booleans()) and grouped:
            body["group"] = grouped
        names = [f"x{i}" for i in range(len(paths))]
        if draw(st.booleans()):
            body["order"] = [[name, "DESC"] for name in draw(st.lists(st.sampled_from(names), min_size=1))]
    if draw(st.booleans()):
        body["where"] = draw(st.lists(conditions, min_size=1, max_size=2))
    return body


def _filled(history: History, name: str, offset: int) -> str:
    project = f"{name}-{offset}"
    values: list[dict[str, Any]] = [
        {"n": offset + 1, "t": at("09:00:00.0"), "s": name, "b": True, "o/n": 0.5},
        {"n": offset + 2.5, "t": "2026-10-22T04:55:30Z", "s": f"{name} x", "b": False},
        {"n": str(offset), "s": None, "o": {}},
        {"n": [1, 2], "t": "2026-02-30", "s": "5", "none": None},
        {},
    ]
    start = at("10:00:00.0")
    for index, data in enumerate(values):
        one = event(project, start + index, data, id=f"{name}{index}", device_id=f"{name}-d{index % 2}")
        history.write(one, one)
    history.write(alarm(project, start, f"{name}-e", {"n": offset, "s": name}, device_id=f"{name}-d0"))
    history.write(
        DeviceEventAck(
            id=f"{name}-e", time=start + 5, received_time=start, project_id=project, device_id=f"{name}-d0"
        )
    )
    return project


def outcome(history: History, project: str, body: dict[str, Any], model: Model) -> list[dict[str, Any]] | str:
    """The items of a query, or how it is refused: nothing else may happen."""
    try:
        return asyncio.run(history.ask(project, body, model))
    except ApiError as error:
        return f"{error.status} {error.error} {error.message}"
    except Rejected as error:
        return f"refused: {error.message}"


_state: dict[str, Any] = {}
# Errors of values that BigQuery would have as well, beside what this emulator refuses by its name.
_BY_NAME = ("Fulcrum's emulator", "int64 overflow", "overflow")


@settings(max_examples=50)
@given(bodies(), st.sampled_from(["history", "events"]))
def test_a_query_runs_or_is_refused_by_name_and_shows_its_own_project(
    history: History, body: dict[str, Any], model: Model
) -> None:
    if "mine" not in _state:
        _state["mine"], _state["theirs"] = _filled(history, MINE, 100), _filled(history, THEIRS, 7_000)
    found = outcome(history, _state["mine"], body, model)
    if isinstance(found, str):
        assert found.startswith("400 query.") or any(name in found for name in _BY_NAME), found
        assert not found.startswith("refused") or "SAFE" not in found, found
        return
    assert THEIRS not in repr(found)
    theirs = outcome(history, _state["theirs"], body, model)
    assert MINE not in repr(theirs)
    if "paths" not in body and "where" not in body:
        assert len(found) == (4 if model == "history" else 1)
