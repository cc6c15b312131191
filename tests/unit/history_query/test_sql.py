"""What the SQL is made of: text of ours alone, the project and the time innermost, names made here."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ApiError
from shared.history_query import Compiled, Model, Scope, checked, compiled
from shared.history_query.expr import Parameters
from shared.history_query.source import MAX_IDS, condition

MARK = "Zq7"
# Texts with a mark that no SQL of ours has, among what would do harm.
_hostile = st.sampled_from(["'", '"', "`", ";--", "/*", "\\", "@p0", ")", " OR 1=1", "\n", "é", "%", ""])
texts = st.tuples(_hostile, _hostile).map(lambda pair: f"{pair[0]}{MARK}{pair[1]}")
paths = st.sampled_from([f"a/{MARK}", f"{MARK}/b", f"$data/{MARK}", "$time", "$id", "$userId", f"{MARK}_1"])
fields = paths.map(lambda path: {"type": "field", "value": path})
numbers = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
casts = st.sampled_from(["boolean", "integer", "float", "string", "time", "msTime", "object", None])
formats = st.one_of(texts, texts.map(lambda text: f"{text}@YEAR()"), st.just(f"@DAY(){MARK}@MONTH()@YEAR()"))
_names = [
    "+",
    "-",
    "*",
    "/",
    "AVG",
    "SUM",
    "MIN",
    "LAST",
    "COUNT",
    "BUCKET_TIME",
    "DATE_FORMAT",
    "STR_TO_DATE",
]
_names += ["COALESCE", "CONCAT", "LAG", "ROW_NUMBER", "ABS", "UNIX_MILLIS", "PERCENTILE", MARK]
arguments = st.one_of(st.just("@COLUMN()"), numbers, texts, fields, formats, st.booleans(), st.none())
functions: st.SearchStrategy[Any] = st.recursive(
    st.fixed_dictionaries({"function": st.sampled_from(_names)}),
    lambda inner: st.fixed_dictionaries(
        {"function": st.sampled_from(_names)},
        optional={
            "args": st.lists(st.one_of(arguments, inner), max_size=3),
            "type": st.one_of(casts, texts),
            "isWindow": st.booleans(),
            "order": st.lists(
                st.one_of(paths, texts, st.tuples(paths, st.just("DESC")).map(list)), max_size=2
            ),
            "partition": st.lists(st.one_of(paths, texts), max_size=2),
        },
    ),
    max_leaves=4,
)
asked = st.one_of(
    paths,
    texts,
    st.tuples(st.one_of(paths, st.none(), texts), texts, st.one_of(functions, st.none()), casts).map(list),
)
values = st.one_of(texts, numbers, st.booleans(), st.none(), st.lists(texts, max_size=3), fields)
operators = st.sampled_from(["=", "!=", "<", ">", "IN", "NOT IN", "LIKE", "like", f"= {MARK}"])
conditions: st.SearchStrategy[Any] = st.recursive(
    st.tuples(st.one_of(paths, texts, functions, fields), operators, values).map(list),
    lambda inner: st.fixed_dictionaries(
        {
            "type": st.just("logical"),
            "operator": st.sampled_from(["and", "or"]),
            "conditions": st.lists(inner, max_size=3),
        }
    ),
    max_leaves=4,
)
bodies = st.fixed_dictionaries(
    {"start": st.integers(0, 10**12)},
    optional={
        "paths": st.lists(asked, max_size=4),
        "where": st.lists(conditions, max_size=3),
        "group": st.lists(texts, max_size=2),
        "order": st.lists(st.one_of(texts, paths, st.tuples(paths, st.just("DESC")).map(list)), max_size=2),
    },
)
models: st.SearchStrategy[Model] = st.sampled_from(["history", "events"])
_TABLE = re.compile(r"FROM `history\.device_events` WHERE (?P<where>.*?) QUALIFY")


def holds_nothing_of_the_caller(made: Compiled) -> None:
    assert MARK not in made.sql
    assert made.sql.isascii()
    # Quotation marks stand around constants of ours alone.
    ours = re.sub(r"'(null|data|event|ack|%[^']*)'", "", made.sql)
    assert not re.search(r"['\";\\]", ours), ours
    names = {f"@{name}" for name, _, _ in made.parameters}
    assert set(re.findall(r"@\w+", made.sql)) == names


def reads_one_project_and_time(made: Compiled) -> None:
    found = list(_TABLE.finditer(made.sql))
    assert found
    assert made.sql.count("device_events") == len(found)
    values = {f"@{name}": value for name, _, value in made.parameters}
    for one in found:
        project = re.match(r"project_id = (@p\d+) AND ", one["where"])
        assert project
        assert values[project[1]] == f"project-{MARK}"
        assert re.search(r" AND time >= @p\d+ AND ", one["where"])
        assert " OR " not in re.sub(
            r"\(device_id IN UNNEST\(@p\d+\) OR system_id IN UNNEST\(@p\d+\)\)", "", one["where"]
        )


def compiled_or_refused(body: Any, model: Model, scope: Scope) -> Compiled | None:
    """The SQL, or None where the query is refused in the one way that there is."""
    refused: ApiError | None = None
    try:
        return compiled(checked(body, 2 * 10**12), model, scope, "history")
    except ApiError as error:
        refused = error
    assert refused.status == 400
    assert refused.description
    return None


@given(bodies, models)
def test_no_text_of_a_caller_stands_in_the_sql(body: dict[str, Any], model: Model) -> None:
    scope = Scope(f"project-{MARK}", device_ids=[f"d'{MARK}"], readable_systems=[f'"{MARK}'])
    made = compiled_or_refused(body, model, scope)
    if made is None:
        return
    holds_nothing_of_the_caller(made)
    reads_one_project_and_time(made)


@given(
    st.recursive(values, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner))), models
)
def test_whatever_is_asked_is_compiled_or_refused(anything: Any, model: Model) -> None:
    for key in ("paths", "where", "group", "order", "start", "end", "perPage", "cursor"):
        compiled_or_refused({"start": 0, "paths": ["a"], key: anything}, model, Scope("p"))


def test_equal_values_share_a_parameter_and_types_do_not() -> None:
    parameters = Parameters()
    assert parameters.add(1, "INT64") == parameters.add(1, "INT64")
    assert parameters.add(1, "INT64") != parameters.add(True, "BOOL")
    assert parameters.add(1.0, "FLOAT64") != parameters.add(1, "INT64")


def test_only_columns_that_are_asked_for_are_read() -> None:
    made = compiled(checked({"start": 0, "paths": ["$time"]}, 10), "history", Scope("p"), "history")
    assert re.search(r"SELECT content_hash, device_id, event_id, time FROM `history", made.sql)
    with_acks = compiled(checked({"start": 0}, 10), "events", Scope("p"), "history")
    without = compiled(checked({"start": 0, "paths": ["$id"]}, 10), "events", Scope("p"), "history")
    assert (with_acks.sql.count("JOIN"), without.sql.count("JOIN")) == (1, 0)


def test_a_scope_of_too_many_devices_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        condition(Scope("p", device_ids=["d"] * (MAX_IDS + 1)), Parameters())
    assert caught.value.error == "history.tooManyDevices"
