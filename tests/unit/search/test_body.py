"""Reading a body: each mistake names its place; what is meant comes out."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import ApiError
from shared.search.body import MAX_DATA_PATHS, Search, read_search
from shared.search.conditions import All, Any_, Compare, Equals, Exists, Geo, Like, Not, Text
from shared.search.fields import ID, data_field, definition_field
from shared.search.ordering import Sort

NAME = definition_field("name")
DEEP: Any = {"type": "exists", "field": "name"}
for _ in range(10):
    DEEP = {"type": "not", "condition": DEEP}


def filtered(**condition: Any) -> dict[str, Any]:
    return {"filter": {"field": "name", **condition}}


def aggregated(**kind: Any) -> dict[str, Any]:
    return {"aggregations": {"a": kind}}


RANGES = [{"to": 1}]
MISTAKES: list[tuple[Any, str]] = [
    ([], "body"),
    ("text", "body"),
    ({"filters": {}}, "filters"),
    ({"filter": "x"}, "filter"),
    ({"filter": {"field": "name"}}, "filter.type"),
    (filtered(type="eq", value=1), "filter.type"),
    (filtered(type=["equals"], value=1), "filter.type"),
    (filtered(type="equals"), "filter.value"),
    (filtered(type="equals", value=None), "filter.value"),
    (filtered(type="equals", value=[1]), "filter.value"),
    (filtered(type="equals", value=""), "filter.value"),
    (filtered(type="equals", value="\ud800"), "filter.value"),
    (filtered(type="equals", value="a\0b"), "filter.value"),
    (filtered(type="equals", value=2**53), "filter.value"),
    ({"aggs": {"": {"terms": {"field": "name"}}}}, "aggs."),
    ({"aggs": {"\ud800": {"terms": {"field": "name"}}}}, "aggs.?"),
    ({"\ud800": 1}, "?"),
    (filtered(type="equals", value=float("inf")), "filter.value"),
    (filtered(type="equals", value=1, other=1), "filter.other"),
    ({"filter": {"type": "equals", "value": 1}}, "filter.field"),
    ({"filter": {"type": "exists", "field": "secret"}}, "filter.field"),
    ({"filter": {"type": "exists", "field": "data"}}, "filter.field"),
    ({"filter": {"type": "exists", "field": "data/a b"}}, "filter.field"),
    ({"filter": {"type": "exists", "field": "data/a//b"}}, "filter.field"),
    ({"filter": {"type": "exists", "field": 'data/a"b'}}, "filter.field"),
    ({"filter": {"type": "exists", "field": 'metadata/a"b'}}, "filter.field"),
    ({"filter": {"type": "exists", "field": "metadata/a'b"}}, "filter.field"),
    ({"filter": {"type": "exists", "field": "data/__x__"}}, "filter.field"),
    ({"filter": {"type": "exists", "field": "registers"}}, "filter.field"),
    ({"filter": {"type": "exists", "field": "name", "value": "yes"}}, "filter.value"),
    (filtered(type="enum", values=[]), "filter.values"),
    (filtered(type="enum", values="x"), "filter.values"),
    (filtered(type="enum", values=[1, {}]), "filter.values[1]"),
    (filtered(type="enum", values=list(range(101))), "filter.values"),
    (filtered(type="comparison", operator="=", value=1), "filter.operator"),
    (filtered(type="comparison", operator="<", value=True), "filter.value"),
    (filtered(type="comparison", operator="between", value=1), "filter.value"),
    (filtered(type="comparison", operator="between", value=[1]), "filter.value"),
    (filtered(type="comparison", operator="between", value=[1, "x"]), "filter.value"),
    (filtered(type="comparison", operator="<", value=1, includeEmpty=1), "filter.includeEmpty"),
    ({"filter": {"type": "comparison", "field": "tags", "operator": "<", "value": "a"}}, "filter.field"),
    ({"filter": {"type": "not"}}, "filter.condition"),
    ({"filter": {"type": "logical", "operator": "xor", "conditions": []}}, "filter.operator"),
    ({"filter": {"type": "logical", "operator": "and", "conditions": []}}, "filter.conditions"),
    (
        {"filter": {"type": "logical", "operator": "or", "conditions": [{"type": "exists"}]}},
        "filter.conditions[0].field",
    ),
    ({"filter": [{"type": "exists", "field": "name"}, 7]}, "filter[1]"),
    ({"filter": [{"type": "exists", "field": "name"}] * 101}, "filter"),
    ({"filter": DEEP}, "filter" + ".condition" * 9),
    ({"filter": {"type": "parent"}}, "filter.value"),
    (filtered(type="startsWith", value=1), "filter.value"),
    (filtered(type="contains", value="x", ignoreCase="no"), "filter.ignoreCase"),
    (
        {"filter": {"type": "geo", "field": "data/p", "lat": 91, "lon": 0, "distance": 1}},
        "filter.lat",
    ),
    (
        {"filter": {"type": "geo", "field": "data/p", "lat": 1, "lon": 181, "distance": 1}},
        "filter.lon",
    ),
    (
        {"filter": {"type": "geo", "field": "data/p", "lat": 1, "lon": 1, "distance": 0}},
        "filter.distance",
    ),
    (
        {"filter": {"type": "geo", "field": "data/p", "lat": 1, "lon": 1, "distance": 1, "unit": "x"}},
        "filter.unit",
    ),
    ({"filter": {"type": "geo", "field": "name", "lat": 1, "lon": 1, "distance": 1}}, "filter.field"),
    ({"filter": {"type": "text", "value": " "}}, "filter.value"),
    ({"filter": {"type": "text", "value": "a b c d e f g h i j k"}}, "filter.value"),
    ({"filter": {"type": "text", "value": "a", "fields": ["x"]}}, "filter.fields[0]"),
    ({"baseFilter": {"type": "x"}}, "baseFilter.type"),
    ({"defaultFilter": {"type": "x"}}, "defaultFilter.type"),
    ({"filter": {"type": "exists", "field": "id"}, "defaultFilter": {"type": "x"}}, "defaultFilter.type"),
    ({"sort": "name"}, "sort"),
    ({"sort": [{}]}, "sort[0].field"),
    ({"sort": [{"field": "name", "missing": "first"}]}, "sort[0].missing"),
    ({"sort": ["name", "name"]}, "sort"),
    ({"sort": ["tags"]}, "sort[0]"),
    ({"sort": ["name", "id", "purpose", "created", "systemId"]}, "sort"),
    ({"baseSort": ["x"]}, "baseSort[0]"),
    ({"perPage": 0}, "perPage"),
    ({"perPage": True}, "perPage"),
    ({"limit": 201}, "limit"),
    ({"limit": 1, "perPage": 1}, "limit"),
    ({"includeEmpty": "x"}, "includeEmpty"),
    ({"total": 1}, "total"),
    ({"fields": ["x"]}, "fields[0]"),
    ({"cursor": 1}, "cursor"),
    ({"at": "2026-01-01T00:00:00"}, "at"),
    ({"at": "soon"}, "at"),
    ({"at": -1}, "at"),
    ({"at": True}, "at"),
    ({"at": 1.5}, "at"),
    ({"aggregations": []}, "aggregations"),
    (aggregated(), "aggregations.a"),
    (aggregated(terms={"field": "name"}, stats={"field": "name"}), "aggregations.a"),
    (aggregated(term={"field": "name"}), "aggregations.a.term"),
    (aggregated(terms={"field": "x"}), "aggregations.a.terms.field"),
    (aggregated(terms={"field": "name", "size": 0}), "aggregations.a.terms.size"),
    (aggregated(terms={"field": "name", "include": ".*"}), "aggregations.a.terms.include"),
    (aggregated(stats={"field": "tags"}), "aggregations.a.stats.field"),
    (aggregated(stats={"field": "data/a"}, aggs={"b": {}}), "aggregations.a.aggs"),
    (aggregated(histogram={"field": "data/a"}), "aggregations.a.histogram.interval"),
    (aggregated(histogram={"field": "data/a", "interval": 0}), "aggregations.a.histogram.interval"),
    (
        aggregated(histogram={"field": "data/a", "interval": 1, "bounds": {"min": 2, "max": 1}}),
        "aggregations.a.histogram.bounds",
    ),
    (aggregated(range={"field": "data/a", "ranges": [{}]}), "aggregations.a.range.ranges[0]"),
    (aggregated(range={"field": "data/a", "ranges": []}), "aggregations.a.range.ranges"),
    (aggregated(geoDistance={"field": "data/a", "ranges": RANGES}), "aggregations.a.geoDistance.origin"),
    (aggregated(filters={"filters": {"x": {"type": "y"}}}), "aggregations.a.filters.filters.x.type"),
    (aggregated(filters={}), "aggregations.a.filters.filters"),
]


@pytest.mark.parametrize(("body", "place"), MISTAKES, ids=lambda item: str(item)[:60])
def test_each_mistake_names_its_place(body: Any, place: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_search(body)
    assert (caught.value.status, caught.value.error) == (400, "search.invalid")
    assert caught.value.message.startswith(f"{place}: "), caught.value.message
    assert caught.value.description


MEANT: list[tuple[dict[str, Any], Any]] = [
    ({"type": "equals", "field": "name", "value": "x"}, Equals(NAME, ("x",))),
    ({"type": "enum", "field": "name", "values": ["x", 1]}, Equals(NAME, ("x", 1))),
    (
        {"type": "comparison", "field": "data/a", "operator": ">", "value": 1},
        Compare(data_field("a"), 1, None, low_open=True),
    ),
    (
        {"type": "comparison", "field": "data/a", "operator": "<=", "value": "m", "includeEmpty": True},
        Compare(data_field("a"), None, "m", include_empty=True),
    ),
    ({"type": "exists", "field": "name", "value": False}, Not(Exists(NAME))),
    ({"type": "notExists", "field": "name"}, Not(Exists(NAME))),
    ({"type": "parent", "value": "d"}, Equals(definition_field("parentDeviceId"), ("d",))),
    (
        {"type": "parent", "value": "d", "attributeId": "a"},
        Equals(definition_field("links"), ("a:d",)),
    ),
    ({"type": "endsWith", "field": "name", "value": "x"}, Like(NAME, "endsWith", "x")),
    (
        {"type": "geo", "field": "data/p", "lat": 1, "lon": 2, "distance": 3, "unit": "km"},
        Geo(data_field("p"), 1.0, 2.0, 3000.0),
    ),
    ({"type": "text", "value": "Two  WORDS two", "fields": ["name"]}, Text((NAME,), ("two", "words"))),
    (
        {
            "type": "logical",
            "operator": "or",
            "conditions": [{"type": "exists", "field": "name"}, {"type": "exists", "field": "id"}],
        },
        Any_((Exists(NAME), Exists(ID))),
    ),
]


@pytest.mark.parametrize(("condition", "meant"), MEANT, ids=lambda item: str(item)[:50])
def test_each_condition_says_what_is_meant(condition: dict[str, Any], meant: Any) -> None:
    assert read_search({"filter": condition}).condition == meant


def test_base_parts_always_apply_and_default_ones_when_nothing_is_chosen() -> None:
    base = {"type": "equals", "field": "systemId", "value": "s"}
    mine = {"type": "equals", "field": "name", "value": "mine"}
    default = {"type": "equals", "field": "name", "value": "default"}
    body = {"baseFilter": base, "defaultFilter": default, "baseSort": ["systemId"], "defaultSort": ["name"]}
    in_system = Equals(definition_field("systemId"), ("s",))
    unchosen = read_search(body)
    assert unchosen.condition == All((in_system, Equals(NAME, ("default",))))
    assert unchosen.sorts == (Sort(definition_field("systemId")), Sort(NAME))
    nothing: list[Any] = [[], {}]
    for empty in nothing:
        assert read_search(body | {"filter": empty}).condition == unchosen.condition
    chosen = read_search(body | {"filter": mine, "sort": [{"field": "data/t", "order": "desc"}]})
    assert chosen.condition == All((in_system, Equals(NAME, ("mine",))))
    assert chosen.sorts == (Sort(definition_field("systemId")), Sort(data_field("t"), descending=True))


def test_nothing_is_everything_and_what_follows_the_id_has_no_say() -> None:
    assert read_search(None) == Search() == read_search({})
    assert read_search({"sort": ["id", "name"]}).sorts == (Sort(ID),)


@pytest.mark.parametrize(
    "at", [1_767_225_600_000, "1767225600000", "2026-01-01T00:00:00Z", "2026-01-01T02:00:00+02:00"]
)
def test_instants(at: Any) -> None:
    assert read_search({"at": at}).at == 1_767_225_600_000


def test_include_empty_of_the_body_is_what_conditions_do_unless_they_say_otherwise() -> None:
    conditions = [
        {"type": "enum", "field": "name", "values": [1]},
        {"type": "enum", "field": "name", "values": [1], "includeEmpty": False},
    ]
    found = read_search({"includeEmpty": True, "filter": conditions}).condition
    assert isinstance(found, All)
    assert [one.include_empty for one in found.conditions if isinstance(one, Equals)] == [True, False]


def test_a_text_without_fields_looks_into_names_and_what_the_project_has() -> None:
    search = read_search({"filter": {"type": "text", "value": "x"}}, ("state",))
    assert [field.text for field in search.looked_at()] == ["id", "name", "purpose", "tags", "data/state"]


def test_more_paths_than_can_be_folded_are_refused_with_advice() -> None:
    conditions = [{"type": "exists", "field": f"data/p{index}"} for index in range(MAX_DATA_PATHS + 1)]
    with pytest.raises(ApiError) as caught:
        read_search({"filter": conditions})
    assert (caught.value.status, caught.value.error) == (400, "search.unsupported")
    assert str(MAX_DATA_PATHS) in caught.value.description


def test_a_body_of_objects_within_objects_is_read_without_recursion_errors() -> None:
    body: Any = {"type": "exists", "field": "name"}
    for _ in range(400):
        body = [body]
    with pytest.raises(ApiError, match="nested too deeply"):
        read_search({"filter": body})
