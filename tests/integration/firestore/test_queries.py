"""Queries and aggregations through the high-level client, and what only the gapic client can ask."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.firestore import And, AsyncClient, FieldFilter, Or, Query
from google.cloud.firestore_v1.field_path import FieldPath

from tests.integration.firestore.api import NAN, Api, Raw, both, order, unary, where

# In the order of their values.
VALUES: list[Any] = [
    None, False, True, NAN, float("-inf"), -1, 0, 0.5, 1, 2, 9007199254740993,
    Raw(timestamp_value={"seconds": 1}), Raw(timestamp_value={"seconds": 1, "nanos": 1000}),
    "", "a", "é", "\uffff", "😀", b"", b"a", b"\xff",
    "ref:p/z", "ref:q/a", "ref:q/a/b/c",
    Raw(geo_point_value={}), Raw(geo_point_value={"latitude": 1, "longitude": -2}),
    [], [1], [1, 2], [2], ["a"],
    {"__type__": "__vector__", "value": [9.0]}, {"__type__": "__vector__", "value": [1.0, 2.0]},
    {}, {"a": 1}, {"a": 1, "b": 1}, {"a": 2}, {"aa": 1}, {"b": 0},
]  # fmt: skip


def test_values_of_all_types_are_in_the_documented_order(api: Api) -> None:
    items = [
        api.ref(item[4:]) if isinstance(item, str) and item.startswith("ref:") else item for item in VALUES
    ]
    names = [f"c/{len(items) - position:03}" for position in range(len(items))]
    api.commit(*(api.set(name, {"x": item}) for name, item in zip(names, items, strict=True)))
    assert api.query({"from_": [{"collection_id": "c"}], "order_by": order("x")}) == names
    assert api.query({"from_": [{"collection_id": "c"}], "order_by": order("-x")}) == names[::-1]


@pytest.fixture
def cities(api: Api) -> Api:
    rows: dict[str, dict[str, Any]] = {
        "a": {"x": 1, "s": "a", "tags": ["p", "q"]},
        "b": {"x": 2.0, "s": "b", "tags": ["q"]},
        "c": {"x": None, "s": "c"},
        "d": {"x": NAN, "s": "a"},
        "e": {"s": "b", "m": {"k": 1, "odd key": 2}},
        "f": {"x": "text", "s": "a", "tags": "q"},
        "g": {"x": [1, 2], "s": "a"},
        "h": {"x": -0.0},
    }
    api.commit(*(api.set(f"c/{key}", row) for key, row in rows.items()))
    return api


def ids(query: Any) -> str:
    return "".join(snapshot.id for snapshot in query.stream())


@pytest.mark.parametrize(
    ("field", "op", "compared", "found"),
    [
        ("x", "==", 1, "a"),
        ("x", "==", 2, "b"),
        ("x", "==", 0, "h"),
        ("x", "==", [1, 2], "g"),
        ("x", "==", None, "c"),
        ("x", "==", NAN, "d"),
        ("x", "!=", None, "dhabfg"),
        ("x", "!=", 1, "dhbfg"),
        ("x", "!=", NAN, "habfg"),
        ("x", "<", 2, "ha"),
        ("x", "<=", 2, "hab"),
        ("x", ">", 0, "ab"),
        ("x", ">=", 0, "hab"),
        ("x", ">", "a", "f"),
        ("x", "in", [1, "text", None], "af"),
        ("x", "not-in", [1, "text"], "dhbg"),
        ("tags", "array_contains", "q", "ab"),
        ("tags", "array_contains_any", ["p", "z"], "a"),
        ("m.k", "==", 1, "e"),
        ("m.`odd key`", "==", 2, "e"),
        ("nope", "==", 1, ""),
        ("nope", "!=", 1, ""),
    ],
)
def test_operators(cities: Api, field: str, op: str, compared: Any, found: str) -> None:
    query = cities.client.collection("c").where(filter=FieldFilter(field, op, compared))
    assert ids(query) == found


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (where("x", "EQUAL", None), ""),
        (where("x", "EQUAL", NAN), ""),
        (where("x", "NOT_EQUAL", None), ""),
        (where("x", "NOT_EQUAL", NAN), "dhabfg"),
        (where("x", "NOT_IN", [None, 1]), ""),
        (where("x", "LESS_THAN", None), ""),
        (where("x", "GREATER_THAN_OR_EQUAL", NAN), ""),
        (where("tags", "ARRAY_CONTAINS", None), ""),
        (both(), "abcdefgh"),
        (both(where("x", "GREATER_THAN", 0), where("x", "LESS_THAN", "z")), ""),
        (both(unary("x", "IS_NULL"), where("s", "EQUAL", "c")), "c"),
    ],
)
def test_null_and_nan_compare_with_nothing(cities: Api, filters: dict[str, Any], found: str) -> None:
    names = cities.query({"from_": [{"collection_id": "c"}], "where": filters})
    assert "".join(name.removeprefix("c/") for name in names) == found


def test_composite_filters(cities: Api) -> None:
    collection = cities.client.collection("c")
    a, b = FieldFilter("s", "==", "a"), FieldFilter("s", "==", "b")
    one = FieldFilter("x", "==", 1)
    assert ids(collection.where(filter=Or([one, b]))) == "abe"
    assert ids(collection.where(filter=And([a, one]))) == "a"
    assert ids(collection.where(filter=Or([And([a, one]), b])).order_by("s", "DESCENDING")) == "eba"
    assert ids(collection.where(filter=Or([FieldFilter("x", ">", 1), b]))) == "b"
    several = collection.where(filter=FieldFilter("x", ">", -1)).where(filter=FieldFilter("s", ">", ""))
    assert ids(several) == "ab"
    assert ids(several.order_by("x", "DESCENDING")) == "ba"


def test_order_leaves_out_what_has_no_such_field(cities: Api) -> None:
    collection = cities.client.collection("c")
    assert ids(collection) == "abcdefgh"
    assert ids(collection.order_by("s").order_by("x", direction=Query.DESCENDING)) == "gfadbc"
    assert ids(collection.order_by("x").order_by("__name__", direction=Query.DESCENDING)) == "cdhabfg"
    assert ids(collection.where(filter=FieldFilter("x", ">", 0)).order_by("s")) == "ab"


def test_cursors_limits_and_offsets(cities: Api) -> None:
    ordered = cities.client.collection("c").order_by("x")
    assert ids(ordered.start_at({"x": 1})) == "abfg"
    assert ids(ordered.start_after({"x": 1})) == "bfg"
    assert ids(ordered.end_before({"x": 2})) == "cdha"
    assert ids(ordered.end_at({"x": 2})) == "cdhab"
    assert ids(ordered.start_at({"x": 0}).end_before({"x": "text"})) == "hab"
    assert ids(ordered.limit(2)) == "cd"
    assert ids(ordered.limit(0)) == ""
    assert ids(ordered.offset(5)) == "fg"
    assert ids(ordered.offset(2).limit(2)) == "ha"
    assert "".join(item.id for item in ordered.limit_to_last(2).get()) == "fg"
    by_s = cities.client.collection("c").order_by("s")
    middle = cities.client.document("c/d").get()
    assert ids(by_s.start_after(middle)) == "fgbec"
    assert ids(by_s.end_at(middle)) == "ad"
    assert ids(cities.client.collection("c").order_by("s", direction="DESCENDING").start_at(middle)) == "da"


def test_projection(cities: Api) -> None:
    found = list(cities.client.collection("c").select(["m.k", "s"]).limit(5).stream())
    assert found[4].to_dict() == {"s": "b", "m": {"k": 1}}
    bare = list(cities.client.collection("c").select([]).limit(1).stream())
    assert [(item.id, item.to_dict()) for item in bare] == [("a", {})]


def test_collection_groups_and_names(api: Api) -> None:
    paths = ["c/a", "c/a/sub/x", "c/b/sub/y", "d/a/sub/z/sub/w", "sub/top"]
    api.commit(*(api.set(path, {"n": number}) for number, path in enumerate(paths)))
    group = api.client.collection_group("sub")
    assert [item.reference.path for item in group.stream()] == [
        "c/a/sub/x", "c/b/sub/y", "d/a/sub/z/sub/w", "sub/top",
    ]  # fmt: skip
    assert ids(group.where(filter=FieldFilter("n", ">", 2))) == "wtop"
    assert ids(group.order_by("n", direction="DESCENDING")) == "topwyx"
    names = FieldFilter(FieldPath.document_id(), ">", api.client.document("c/a/sub/x"))
    assert ids(group.where(filter=names)) == "ywtop"
    by_name = api.client.collection("c")
    one = FieldFilter(FieldPath.document_id(), "==", api.client.document("c/b"))
    assert ids(by_name.where(filter=one)) == ""
    some = FieldFilter(FieldPath.document_id(), "in", [api.client.document(f"c/{key}") for key in "zba"])
    assert ids(by_name.where(filter=some)) == "a"
    other = FieldFilter(FieldPath.document_id(), "!=", api.client.document("sub/no"))
    assert ids(api.client.collection("sub").where(filter=other)) == "top"
    below = {"from_": [{"all_descendants": True}]}
    assert api.query(below, parent=api.name("c/a")) == ["c/a/sub/x"]


def test_aggregations(cities: Api) -> None:
    collection = cities.client.collection("c")

    def result(query: Any) -> dict[str, Any]:
        return {item.alias: item.value for row in query.get() for item in row}

    assert result(collection.count(alias="n")) == {"n": 8}
    assert result(collection.limit(3).count(alias="n")) == {"n": 3}
    positive = collection.where(filter=FieldFilter("x", ">", 0))
    assert result(positive.sum("x", alias="s").avg("x", alias="a").count(alias="n")) == {
        "s": 3.0, "a": 1.5, "n": 2,
    }  # fmt: skip
    assert result(collection.sum("m.k", alias="s").count(alias="n")) == {"s": 1, "n": 1}
    # The client shows an average of nothing, which is null, as 0.
    assert result(collection.sum("nope", alias="s").avg("nope", alias="a")) == {"s": 0, "a": 0}
    cities.commit(cities.set("big/a", {"x": 2**63 - 1}), cities.set("big/b", {"x": 1}))
    assert result(cities.client.collection("big").sum("x", alias="s")) == {"s": float(2**63)}
    structured = {
        "structured_query": {"from_": [{"collection_id": "c"}]},
        "aggregations": [{"count": {"up_to": 2}}, {"alias": "all", "count": {}}],
    }
    answers = cities.call(
        "run_aggregation_query", parent=cities.root, structured_aggregation_query=structured
    )
    fields = answers[0].result.aggregate_fields
    assert {key: item.integer_value for key, item in fields.items()} == {"field_1": 2, "all": 8}


def test_the_last_answer_says_so(cities: Api) -> None:
    structured = {"from_": [{"collection_id": "c"}]}
    answers = cities.call("run_query", parent=cities.root, structured_query=structured)
    assert [answer.done for answer in answers] == [False] * 7 + [True]
    nothing = cities.call(
        "run_query", parent=cities.root, structured_query={"from_": [{"collection_id": "none"}]}
    )
    assert [(answer.done, bool(answer.read_time)) for answer in nothing] == [(True, True)]


async def test_the_async_client_streams(cities: Api) -> None:
    client = AsyncClient(project=cities.project)
    query = client.collection("c").where(filter=FieldFilter("s", "==", "a"))
    assert [item.id async for item in query.stream()] == ["a", "d", "f", "g"]
    client.close()
