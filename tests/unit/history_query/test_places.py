"""Bad queries, place by place: each is refused with its place, what is wrong and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import ApiError
from shared.history_query import Model, Scope, checked, compiled, from_parameters

NOW = 1_792_649_730_000


def refused(body: Any, model: Model = "history") -> ApiError:
    with pytest.raises(ApiError) as caught:
        compiled(checked(body, NOW), model, Scope("p"), "history")
    return caught.value


def deep(levels: int) -> Any:
    made: Any = {"function": "+", "args": [1, 2]}
    for _ in range(levels):
        made = {"function": "+", "args": [1, made]}
    return made


def nested(levels: int) -> Any:
    made: Any = ["a", "=", 1]
    for _ in range(levels):
        made = {"type": "logical", "operator": "and", "conditions": [made]}
    return made


def calls(function: Any) -> dict[str, Any]:
    return {"paths": [["a/b", "x", function]]}


AVG = ["a", "m", {"function": "AVG"}]
BAD: list[tuple[str, Any]] = [
    ("body", 5),
    ("body", {"fetch": 1}),
    ("start", {"start": None}),
    ("start", {"start": "yesterday"}),
    ("start", {"start": -1}),
    ("start", {"start": 1.5}),
    ("start", {"start": True}),
    ("start", {"start": "99999-01-01"}),
    ("start", {"start": NOW + 5}),
    ("end", {"end": {}}),
    ("attributes", {"paths": ["a"], "attributes": ["a"]}),
    ("perPage", {"perPage": 0}),
    ("perPage", {"perPage": "many"}),
    ("startIndex", {"startIndex": -1}),
    ("maxBytes", {"maxBytes": 0}),
    ("dryRun", {"dryRun": 1}),
    ("cursor", {"cursor": 5}),
    ("format", {"format": "xml"}),
    ("paths", {"paths": []}),
    ("paths", {"paths": {"a": 1}}),
    ("paths", {"paths": ["a"] * 101}),
    ("paths[0]", {"paths": [{}]}),
    ("paths[0]", {"paths": [["a", "b", None, None, None]]}),
    ("paths[0]", {"paths": [[]]}),
    ("paths[1]", {"paths": ["a/b", "c/b"]}),
    ("paths[0][0]", {"paths": ["a b"]}),
    ("paths[0][0]", {"paths": ["a//b"]}),
    ("paths[0][0]", {"paths": ["a/__b__"]}),
    ("paths[0][0]", {"paths": [[5]]}),
    ("paths[0][0]", {"paths": ["$"]}),
    ("paths[0][0]", {"paths": ["$nowhere"]}),
    ("paths[0][0]", {"paths": ["$time/a"]}),
    ("paths[0][0]", {"paths": ["$data/a b"]}),
    ("paths[0][0]", {"paths": ["$ack.time"]}),
    ("paths[0][0]", {"paths": ["$type"]}),
    ("paths[0][0]", {"paths": ["$time; DROP TABLE x"]}),
    ("paths[0][0]", {"paths": [[None, "x"]]}),
    ("paths[0][1]", {"paths": [[None, None, {"function": "COUNT"}]]}),
    ("paths[0][1]", {"paths": [["a", ""]]}),
    ("paths[0][1]", {"paths": [["a", "x" * 101]]}),
    ("paths[0][1]", {"paths": [["a", "x\n"]]}),
    ("paths[0][1]", {"paths": [["a", 5]]}),
    ("paths[0][2]", calls("AVG")),
    ("paths[0][2]", calls({"function": "AVG", "arg": []})),
    ("paths[0][2]", calls({"function": "AVG", "args": [], "arguments": []})),
    ("paths[0][2]", calls({"function": "ABS", "order": ["a"]})),
    ("paths[0][2].function", calls({})),
    ("paths[0][2].function", calls({"function": ["AVG"]})),
    ("paths[0][2].function", calls({"function": "SLEEP"})),
    ("paths[0][2].function", calls({"function": "LAG"})),
    ("paths[0][2].function", calls({"function": "ABS", "isWindow": True})),
    ("paths[0][2].isWindow", calls({"function": "LAG", "isWindow": "yes"})),
    ("paths[0][2].args", calls({"function": "AVG", "args": "@COLUMN()"})),
    ("paths[0][2].args", calls({"function": "AVG", "args": []})),
    ("paths[0][2].args", calls({"function": "+", "args": [1]})),
    ("paths[0][2].args", calls({"function": "+", "args": [1] * 51})),
    ("paths[0][2].args[0]", calls({"function": "+", "args": ["one", 2]})),
    ("paths[0][2].args[1]", calls({"function": "+", "args": [1, None]})),
    ("paths[0][2].args[1]", calls({"function": "+", "args": [1, [2]]})),
    ("paths[0][2].args[1]", calls({"function": "+", "args": [1, "@NOW()"]})),
    ("paths[0][2].args[1]", calls({"function": "+", "args": [1, 2**70]})),
    ("paths[0][2].args[0]", {"paths": [[None, "x", {"function": "AVG"}]]}),
    ("paths[0][2].args[0]", calls({"function": "AVG", "args": [{"function": "SUM"}]})),
    ("paths[0][2].args[0]", calls({"function": "BUCKET_TIME", "args": [0, "@COLUMN()"]})),
    ("paths[0][2].args[0]", calls({"function": "BUCKET_TIME", "args": ["day"]})),
    ("paths[0][2].args[1]", {"paths": [["$historical", "x", {"function": "BUCKET_TIME"}]]}),
    ("paths[0][2].args[1]", calls({"function": "DATE_FORMAT", "args": ["no token"]})),
    ("paths[0][2].args[1]", calls({"function": "DATE_FORMAT", "args": ["@YEAR() @WEEK()"]})),
    ("paths[0][2].args[1]", calls({"function": "DATE_FORMAT", "args": ["@YEAR() @"]})),
    ("paths[0][2].args[1]", calls({"function": "DATE_FORMAT", "args": ["@YEAR()" * 50]})),
    ("paths[0][2].args[1]", calls({"function": "STR_TO_DATE", "args": ["@MONTH()"]})),
    ("paths[0][2].args[1]", calls({"function": "STR_TO_DATE", "args": ["@YEAR()@YEAR()"]})),
    ("paths[0][2].args[1]", calls({"function": "STR_TO_DATE", "args": ["@YEAR()@DAY()"]})),
    ("paths[0][2].args[1]", calls({"function": "PERCENTILE", "args": [101]})),
    ("paths[0][2].args[1].value", calls({"function": "+", "args": [1, {"type": "field", "value": "a b"}]})),
    ("paths[0][2].args[1].value", calls({"function": "+", "args": [1, {"type": "field"}]})),
    ("paths[0][2].args[1]", calls({"function": "+", "args": [1, {"type": "field", "value": "a", "x": 1}]})),
    (
        "paths[0][2].args[1].cast",
        calls({"function": "+", "args": [1, {"type": "field", "value": "a", "cast": 1}]}),
    ),
    ("paths[0][2].type", calls({"function": "ABS", "type": "number"})),
    ("paths[0][2].type", calls({"function": "ABS", "type": "object"})),
    ("paths[0][2].order", calls({"function": "LAG", "isWindow": True, "order": 5})),
    ("paths[0][2].order[0]", calls({"function": "LAG", "isWindow": True, "order": [["a", "UP"]]})),
    ("paths[0][2].order[0]", calls({"function": "LAG", "isWindow": True, "order": ["a b"]})),
    ("paths[0][2].partition[0]", calls({"function": "LAG", "isWindow": True, "partition": [5]})),
    ("paths[0][2].args[1]", calls({"function": "LAG", "isWindow": True, "args": ["@COLUMN()", -1]})),
    (
        "paths[0][2].partition[0]",
        calls(
            {
                "function": "LAG",
                "isWindow": True,
                "partition": [{"type": "field", "value": "a", "cast": "float"}],
            }
        ),
    ),
    ("paths[1][2].order", {"paths": [AVG, ["m", "l", {"function": "LAG", "isWindow": True}]]}),
    ("paths[1][0]", {"paths": [AVG, ["a", "l", {"function": "LAG", "isWindow": True}]]}),
    ("paths[0][3]", {"paths": [["a", "x", None, "number"]]}),
    ("paths[0][3]", {"paths": [["$time", "x", None, "boolean"]]}),
    ("paths[0][3]", {"paths": [["$id", "x", None, "object"]]}),
    ("paths[0]", {"paths": ["b", AVG]}),
    ("paths[1]", {"paths": ["b", "c", AVG], "group": ["b"]}),
    ("group", {"group": ["a"]}),
    ("group", {"paths": ["a"], "group": []}),
    ("group[0]", {"paths": ["a/b"], "group": ["a"]}),
    ("group[0]", {"paths": [AVG], "group": ["m"]}),
    ("group[0]", {"paths": [["a", "l", {"function": "LAG", "isWindow": True}]], "group": ["l"]}),
    ("order", {"order": 5}),
    ("order", {"order": []}),
    ("order[0]", {"order": [5]}),
    ("order[0]", {"order": [["time", "SIDEWAYS"]]}),
    ("order[0]", {"order": ["a b"]}),
    ("order[0]", {"paths": [AVG], "order": ["$time"]}),
    ("where", {"where": []}),
    ("where", {"where": 5}),
    ("where", {"where": {"type": "logical"}}),
    ("where.conditions", {"where": {"type": "logical", "operator": "or", "conditions": []}}),
    ("where.conditions", {"where": {"type": "logical", "operator": "or"}}),
    ("where[0]", {"where": [["a", "="]]}),
    ("where[0][0]", {"where": [[5, "=", 1]]}),
    ("where[0][0]", {"where": [["a b", "=", 1]]}),
    ("where[0][0]", {"where": [[{"function": "AVG", "args": [{"type": "field", "value": "a"}]}, "=", 1]]}),
    ("where[0][0].args[0]", {"where": [[{"function": "ABS"}, "=", 1]]}),
    ("where[0][1]", {"where": [["a", "~", 1]]}),
    ("where[0][1]", {"where": [["a", 5, 1]]}),
    ("where[0][2]", {"where": [["$id", "=", 1]]}),
    ("where[0][2]", {"where": [["$time", "=", 1.5]]}),
    ("where[0][2]", {"where": [["$time", "=", "soon"]]}),
    ("where[0][2]", {"where": [["a", "=", [1]]]}),
    ("where[0][2]", {"where": [["a", "=", 10**400]]}),
    ("where[0][2]", {"where": [["a", ">", True]]}),
    ("where[0][2]", {"where": [["a", ">", None]]}),
    ("where[0][2]", {"where": [["a", "IN", []]]}),
    ("where[0][2]", {"where": [["a", "IN", 5]]}),
    ("where[0][2]", {"where": [["a", "IN", [1] * 1001]]}),
    ("where[0][2]", {"where": [["a", "IN", [1, "x"]]]}),
    ("where[0][2][0]", {"where": [["a", "IN", [None]]]}),
    ("where[0][2]", {"where": [["a", "LIKE", 5]]}),
    ("where[0][2]", {"where": [["a", "LIKE", "x\\"]]}),
    ("where[0][2]", {"where": [["$id", "=", {"type": "field", "value": "$time"}]]}),
    ("where[0][2].value", {"where": [["$id", "=", {"type": "field", "value": "$x"}]]}),
    ("where[100]", {"where": [["a", "=", 1]] * 101}),
]


@pytest.mark.parametrize(("place", "body"), BAD, ids=lambda item: str(item)[:70])
def test_what_is_wrong_is_named_with_its_place(place: str, body: Any) -> None:
    whole = {"start": 0, **body} if isinstance(body, dict) else body
    error = refused(whole)
    assert error.status == 400
    assert error.error == "query.invalid"
    assert error.message.startswith(f"{place}: "), error.message
    assert error.description


@pytest.mark.parametrize(
    "body",
    [calls(deep(50)), {"where": [nested(50)]}],
    ids=["functions", "conditions"],
)
def test_what_nests_too_deep_is_refused(body: Any) -> None:
    assert "deep" in refused({"start": 0, **body}).message


def test_what_cannot_be_quoted_whole_is_refused_all_the_same() -> None:
    value: Any = 1
    for _ in range(5_000):
        value = [value]
    for body in (
        {"paths": value},
        {"paths": [[10**5000]]},
        {"perPage": 10**5000},
        {"where": [["a", "=", value]]},
        {"order": value},
        {"start": value},
    ):
        assert len(refused({"start": 0, **body}).message) < 300


def test_what_nests_grows_no_faster_than_it_is_long() -> None:
    def length(levels: int) -> int:
        bucket: Any = {"type": "field", "value": "a"}
        for _ in range(levels):
            bucket = {"function": "BUCKET_TIME", "args": [1000, bucket]}
        return len(compiled(checked({"start": 0, **calls(bucket)}, NOW), "history", Scope("p"), "h").sql)

    assert length(9) - length(8) == length(5) - length(4)


def test_a_query_that_grows_too_long_is_refused() -> None:
    many = [
        [
            "a",
            f"x{i}",
            {"function": "+", "args": [{"function": "BUCKET_TIME", "args": [j + 1]} for j in range(50)]},
        ]
        for i in range(100)
    ]
    error = refused({"start": 0, "paths": many, "where": [["$data/" + "a/" * 10 + "a", "IN", ["x"]]] * 100})
    assert error.error == "query.tooLong"


@pytest.mark.parametrize(
    ("place", "given"),
    [
        ("paths", {"paths": "[broken"}),
        ("where", {"where": "a > 5"}),
        ("perPage", {"perPage": "-5"}),
        ("perPage", {"perPage": "٣"}),
        ("dryRun", {"dryRun": "yes"}),
        ("order", {"order": '["\ud800"'}),
    ],
)
def test_parameters_of_a_url_are_refused_by_name(place: str, given: dict[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        from_parameters(given)
    assert caught.value.message.startswith(f"{place}: ")


def test_parameters_of_a_url_say_the_same_as_a_body() -> None:
    given = {
        "start": "5",
        "paths": "a/b, $time",
        "where": '[["a", ">", 5]]',
        "group": '["b"]',
        "order": "-b,time",
        "perPage": "7",
        "total": "true",
    }
    assert from_parameters(given) == {
        "start": "5",
        "paths": ["a/b", "$time"],
        "where": [["a", ">", 5]],
        "group": ["b"],
        "order": [["b", "DESC"], "time"],
        "perPage": 7,
        "total": True,
    }


def test_a_time_may_be_text_in_any_zone() -> None:
    query = checked({"start": "2026-10-22T06:55:30+02:00", "end": "2026-10-22T04:55:31"}, NOW)
    assert (query.start, query.end) == (1_792_644_930_000, 1_792_644_931_000)
    assert checked({"start": 5}, NOW).end == NOW + 1
