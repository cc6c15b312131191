"""What is wrong in itself is refused with the same code and the same words as by Google's emulator."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.firestore.api import NAN, Api, Raw, both, either, order, outcome, unary, value, where

PATH_RULES = (
    "Unquoted property paths must match regex ([a-zA-Z_][a-zA-Z_0-9]*), and quoted property paths "
    r"must match regex (`(?:[^`\\]|(?:\\.))+`)"
)


def refused(api: Api, call: Any, message: str, code: str = "INVALID_ARGUMENT") -> None:
    assert outcome(call) == (code, message.replace("ROOT", api.root))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("c/__id0__", 'Resource id "__id0__" is invalid because it is reserved.'),
        ("c/__x__", 'Resource id "__x__" is invalid because it is reserved.'),
        ("__c__/a", 'Collection id "__c__" is invalid because it is reserved.'),
        ("c/a/b", 'Document name "ROOT/c/a/b" lacks "/" at index {end}.'),
        ("c//d", 'Document name "ROOT/c//d" lacks a resource id at index {second}.'),
        ("c/.", 'Document name "ROOT/c/." contains a resource id "." at index {second}.'),
        ("c/..", 'Document name "ROOT/c/.." contains a resource id ".." at index {second}.'),
        ("c/a/", 'Document name "ROOT/c/a/" has invalid trailing "/".'),
        ("", 'Document name "ROOT/" is invalid: Omit trailing "/".'),
    ],
)
def test_names(api: Api, path: str, message: str) -> None:
    root = len(api.root)
    message = message.replace("{end}", str(root + 1 + len(path))).replace("{second}", str(root + 3))
    refused(api, lambda: api.get(path), message)
    refused(api, lambda: api.commit(api.set(path)), message)
    refused(api, lambda: api.batch_write(api.set("c/fine"), api.set(path)), message)
    assert api.read("c/fine") is None


def test_ids_that_stand_for_numbers(api: Api) -> None:
    in_order = ["c/__id-7__", "c/__id2__", "c/__id5__", "c/__id10__", "c/0", "c/a"]
    api.commit(*(api.set(path, {"x": 1}) for path in reversed(in_order)))
    everything = {"from_": [{"collection_id": "c"}]}
    assert api.query(everything) == in_order
    after = where("__name__", "GREATER_THAN", api.ref("c/__id5__"))
    assert api.query({**everything, "where": after}) == in_order[3:]
    api.commit(api.delete("c/__id2__"), api.delete("c/0"))
    assert api.query(everything) == ["c/__id-7__", "c/__id5__", "c/__id10__", "c/a"]
    too_large = "__id9223372036854775808__"
    refused(
        api,
        lambda: api.get(f"c/{too_large}"),
        f'Resource id "{too_large}" is invalid because it is not a 64 bit integer.',
    )


@pytest.mark.parametrize("path", ["c/__", "c/___", "c/____", "c/__x", "c/ ", "c/é😀", "c/" + "a" * 1500])
def test_odd_names_that_are_allowed(api: Api, path: str) -> None:
    api.commit(api.set(path, {"x": 1}))
    assert api.get(path).name == api.name(path)
    assert api.query({"from_": [{"collection_id": "c"}]}) == [path]


@pytest.mark.parametrize(
    ("database", "message"),
    [
        ("foo", 'Database name "foo" lacks "projects" at index 0.'),
        ("", 'Database name "" lacks "projects" at index 0.'),
        ("projects/test", 'Database name "projects/test" lacks "/" at index 13.'),
    ],
)
def test_database_names(api: Api, database: str, message: str) -> None:
    refused(api, lambda: api.call("commit", database=database), message)
    refused(api, lambda: api.call("begin_transaction", database=database), message)


def nested(depth: int) -> Any:
    return {"a": nested(depth - 1)} if depth else 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"__x__": 1}, "field name __x__ is reserved"),
        ({"": 1}, "The property.name is the empty string."),
        ({"a" * 1501: 1}, "The property.name is longer than 1500 bytes."),
        ({"m": {"__x__": 1}}, "field name '__x__' is reserved."),
        ({"m": {"": 1}}, "Property m contains an invalid nested entity."),
        ({"m": nested(21)}, "Property m contains an invalid nested entity."),
        ({"m": [[1]]}, "Cannot convert an array value in an array value."),
        ({"m": "x" * 1_048_488}, 'The value of property "m" is longer than 1048487 bytes.'),
        ({"m": Raw()}, "Cannot convert firestore.v1.Value with type unset."),
        ({"m": Raw(reference_value="foo")}, 'Resource name "foo" lacks "projects" at index 0.'),
        (
            {"m": Raw(geo_point_value={"latitude": 100, "longitude": 0})},
            "Geo point latitude '100.0' outside permitted range -90.0 to 90.0.",
        ),
        ({"m": {"__type__": "x", "value": [1.0]}}, "Property m contains an invalid nested entity."),
    ],
)
def test_fields(api: Api, fields: dict[str, Any], message: str) -> None:
    refused(api, lambda: api.commit(api.set("c/a", fields)), message)
    refused(api, lambda: api.batch_write(api.set("c/b"), api.set("c/a", fields)), message)
    assert api.read("c/b") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"__x": 1, "____": 1, "a.b": 1, "`": 1, " ": 1, "é" * 750: 1},
        {"m": nested(20)},
        {"m": [{"a": [1]}]},
        {"m": "x" * 1_048_000},
        {"v": {"__type__": "__vector__", "value": [1.0, 2.0]}},
    ],
)
def test_odd_fields_that_are_allowed(api: Api, fields: dict[str, Any]) -> None:
    api.commit(api.set("c/a", fields))
    assert set(api.get("c/a").fields) == set(fields)


def test_times_are_kept_in_microseconds(api: Api) -> None:
    api.commit(api.set("c/a", {"t": Raw(timestamp_value={"seconds": 5, "nanos": 123456789})}))
    assert api.get("c/a")._pb.fields["t"].timestamp_value.nanos == 123456000


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "Invalid empty property path string."),
        ("a..b", f'Invalid property path "a..b". {PATH_RULES}'),
        ("1x", f'Invalid property path "1x". {PATH_RULES}'),
        ("a-b", f'Invalid property path "a-b". {PATH_RULES}'),
        ("`a", f'Invalid property path "`a". {PATH_RULES}'),
        ("a.__x__", "Invalid reserved name in field path __x__"),
    ],
)
def test_field_paths(api: Api, path: str, message: str) -> None:
    mask = {"field_paths": [path]}
    api.commit(api.set("c/a", {"x": 1}))
    refused(api, lambda: api.commit(api.set("c/a", update_mask=mask)), message)
    refused(api, lambda: api.get("c/a", mask=mask), message)
    transform = api.transform("c/a", {"field_path": path, "increment": value(1)})
    refused(api, lambda: api.commit(transform), message)
    structured = {"from_": [{"collection_id": "c"}], "where": where(path, "EQUAL", 1)}
    refused(api, lambda: api.query(structured), message)


@pytest.mark.parametrize(
    ("transforms", "message"),
    [
        ([], "The list of FieldTransform must not be empty."),
        ([{"field_path": "n"}], "Operation type must be specified for field transformation."),
        ([{"field_path": "n", "increment": value("a")}], "Input must be int64 or double."),
        ([{"field_path": "n", "maximum": value(None)}], "Input must be int64 or double."),
        (
            [{"field_path": "n", "increment": value(1)}, {"field_path": "n.a", "increment": value(1)}],
            "Cannot transform property n and its nested property at the same time.",
        ),
        (
            [{"field_path": "n", "set_to_server_value": 0}],
            "ServerValue type must be specified for set_to_server_value transformation.",
        ),
    ],
)
def test_transforms(api: Api, transforms: list[dict[str, Any]], message: str) -> None:
    refused(api, lambda: api.commit(api.transform("c/a", *transforms)), message)


def test_writes(api: Api) -> None:
    step = {"field_path": "n", "increment": value(1)}
    refused(api, lambda: api.commit({}), "empty write operation")
    with_mask = api.delete("c/a", update_mask={"field_paths": ["x"]})
    refused(api, lambda: api.commit(with_mask), "a delete must not specify a document mask.")
    with_steps = api.delete("c/a", update_transforms=[step])
    refused(api, lambda: api.commit(with_steps), "a delete must not specify a update transform.")
    with_mask = api.transform("c/a", step, update_mask={"field_paths": ["n"]})
    refused(api, lambda: api.commit(with_mask), "a transform must not specify a document mask.")
    refused(api, lambda: api.get("c/none"), f"Document ({api.name('c/none')}) not found.", "NOT_FOUND")


NEGATED = "Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' filter allowed per query."
NOT_IN_WITH = "'NOT_IN' cannot be used in the same query with 'IN', 'ARRAY_CONTAINS_ANY' or 'OR'."
CONTAINS = "A maximum of 1 'ARRAY_CONTAINS' filter is allowed per disjunction."


@pytest.mark.parametrize(
    ("structured", "message"),
    [
        ({"limit": -1}, "limit is negative"),
        ({"offset": -1}, "offset is negative"),
        ({"where": where("x", "IN", [])}, "'IN' requires an non-empty ArrayValue."),
        ({"where": where("x", "IN", 1)}, "'IN' requires an ArrayValue."),
        ({"where": where("x", "IN", list(range(31)))}, "'IN' supports up to 30 comparison values."),
        (
            {"where": where("x", "NOT_IN", list(range(11)))},
            "'NOT_IN' supports up to 10 comparison values.",
        ),
        ({"where": both(where("x", "NOT_EQUAL", 1), unary("y", "IS_NOT_NULL"))}, NEGATED),
        ({"where": both(where("x", "NOT_IN", [1]), where("y", "IN", [1]))}, NOT_IN_WITH),
        (
            {
                "where": both(
                    where("x", "NOT_IN", [1]), either(where("y", "EQUAL", 1), where("z", "EQUAL", 1))
                )
            },
            NOT_IN_WITH,
        ),
        ({"where": both(where("x", "ARRAY_CONTAINS", 1), where("y", "ARRAY_CONTAINS_ANY", [1]))}, CONTAINS),
        (
            {"where": both(where("x", "IN", list(range(8))), where("y", "IN", list(range(4))))},
            "Too many disjunctions after normalization. Result had 32 disjunctions which is more than the "
            "maximum of 30",
        ),
        ({"where": either()}, "Composite filter must have at least one sub-filter."),
        ({"where": both({})}, "Unknown Filter type."),
        ({"where": unary("x", "OPERATOR_UNSPECIFIED")}, "Unknown UnaryFilter operator."),
        ({"where": where("__name__", "EQUAL", "a")}, "__key__ filter value must be a Key"),
        ({"order_by": order("x", "x")}, "order by clause cannot contain duplicate fields x"),
        ({"order_by": order("__name__", "x")}, "order by clause cannot contain more fields after the key"),
        ({"start_at": {"values": [value(1)]}}, "Cursor has too many values."),
        (
            {"order_by": order("__name__"), "start_at": {"values": [value("a")]}},
            "Cursor __key__ value is not a document reference.",
        ),
        (
            {"from_": [{"collection_id": "c"}, {"collection_id": "d"}]},
            "StructuredQuery.from cannot have more than one collection selector.",
        ),
        ({"from_": [{"collection_id": "a/b"}]}, 'Collection id "a/b" is invalid because it contains "/".'),
        (
            {"from_": [{"all_descendants": True}], "where": where("x", "EQUAL", 1)},
            "kind is required for filter: x",
        ),
    ],
)  # fmt: skip
def test_queries(api: Api, structured: dict[str, Any], message: str) -> None:
    refused(api, lambda: api.query({"from_": [{"collection_id": "c"}], **structured}), message)


def test_other_queries(api: Api) -> None:
    below = {"from_": [{"collection_id": "c", "all_descendants": True}], "where": where("x", "EQUAL", NAN)}
    refused(
        api,
        lambda: api.query(below, parent=api.name("p/q")),
        "collection group queries are only allowed at the root parent",
    )
    backwards = {"from_": [{"collection_id": "c"}], "order_by": order("-__name__")}
    refused(
        api,
        lambda: api.query(backwards),
        "Firestore does not support descending key scans",
        "FAILED_PRECONDITION",
    )


@pytest.mark.parametrize(
    ("aggregations", "message"),
    [
        ([], "Aggregations can not be empty."),
        ([{"alias": "a"}], "Operator field in Aggregation is not set."),
        (
            [{"alias": "a", "count": {}}, {"alias": "a", "count": {}}],
            "Aggregation aliases contain duplicate alias: a.",
        ),
        (
            [{"count": {"up_to": -1}}],
            "The `up_to` value in a COUNT aggregation must be greater than or equal to zero.",
        ),
        (
            [{"sum": {"field": {"field_path": "__name__"}}}],
            "Aggregations are not supported for the property: __key__",
        ),
    ],
)
def test_aggregations(api: Api, aggregations: list[dict[str, Any]], message: str) -> None:
    structured = {"structured_query": {"from_": [{"collection_id": "c"}]}, "aggregations": aggregations}
    refused(
        api,
        lambda: api.call("run_aggregation_query", parent=api.root, structured_aggregation_query=structured),
        message,
    )


def test_transactions(api: Api) -> None:
    for wrong in (b"", b"\0\0\0"):
        refused(
            api,
            lambda wrong=wrong: api.call("rollback", database=api.database, transaction=wrong),
            "Invalid transaction.",
        )
    refused(api, lambda: api.commit(transaction=b"\0\0\0"), "Invalid transaction.")
    done = api.begin()
    api.call("rollback", database=api.database, transaction=done)
    api.call("rollback", database=api.database, transaction=done)
    closed = "Transaction is invalid or closed."
    refused(api, lambda: api.commit(api.set("c/a"), transaction=done), closed)
    refused(api, lambda: api.get("c/a", transaction=done), closed)
    reader = api.begin(read_only={})
    refused(
        api,
        lambda: api.commit(api.set("c/a"), transaction=reader),
        "Cannot modify entities in a read-only transaction.",
    )
