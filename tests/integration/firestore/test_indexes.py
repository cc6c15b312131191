"""Strict mode: which query needs which index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.integration.firestore.api import Api, both, either, order, outcome, unary, where
from tests.integration.firestore.stream import Stream
from tests.support.emulators import Address, embedded


def index(*entries: str, group: str = "c", scope: str = "COLLECTION") -> dict[str, Any]:
    """An index; ``-`` before a field means descending, ``*`` array-contains."""
    fields: list[dict[str, str]] = []
    for entry in entries:
        if entry.startswith("*"):
            fields.append({"fieldPath": entry[1:], "arrayConfig": "CONTAINS"})
        else:
            mode = "DESCENDING" if entry.startswith("-") else "ASCENDING"
            fields.append({"fieldPath": entry.removeprefix("-"), "order": mode})
    return {"collectionGroup": group, "queryScope": scope, "fields": fields}


FILE = {
    "indexes": [
        index("city", "size"),
        index("kind", "size"),
        index("state", "-size"),
        index("*tags", "size"),
        index("high", "low"),
        index("size", "-at"),
        index("secret", "city"),
        index("kind", "at", "-__name__"),
        index("city", "size", group="g", scope="COLLECTION_GROUP"),
    ],
    "fieldOverrides": [
        {"collectionGroup": "c", "fieldPath": "secret", "indexes": []},
        {"collectionGroup": "c", "fieldPath": "registers", "indexes": []},
        {"collectionGroup": "c", "fieldPath": "up", "indexes": [{"order": "ASCENDING"}]},
        {
            "collectionGroup": "g",
            "fieldPath": "city",
            "indexes": [
                {"order": "ASCENDING", "queryScope": "COLLECTION"},
                {"order": "ASCENDING", "queryScope": "COLLECTION_GROUP"},
            ],
        },
    ],
}


@pytest.fixture(scope="module")
def strict_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    path = tmp_path_factory.mktemp("indexes") / "firestore.indexes.json"
    path.write_text(json.dumps(FILE))
    with embedded("firestore", "--indexes", str(path), "--strict") as address:
        yield address


@pytest.fixture
def strict(strict_address: Address, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    found = Api(strict_address, monkeypatch)
    yield found
    found.close()


def eq(path: str) -> dict[str, Any]:
    return where(path, "EQUAL", 1)


def gt(path: str) -> dict[str, Any]:
    return where(path, "GREATER_THAN", 1)


def has(path: str) -> dict[str, Any]:
    return where(path, "ARRAY_CONTAINS", 1)


GROUP = {"from_": [{"collection_id": "g", "all_descendants": True}]}

SERVED: list[dict[str, Any]] = [
    {},
    {"where": eq("a")},
    {"where": gt("a")},
    {"where": unary("a", "IS_NULL")},
    {"where": where("a", "NOT_EQUAL", 1)},
    {"where": where("a", "IN", [1, 2])},
    {"where": has("a")},
    {"where": where("a", "ARRAY_CONTAINS_ANY", [1, 2])},
    {"order_by": order("a")},
    {"order_by": order("-a")},
    {"where": gt("a"), "order_by": order("-a")},
    # Equality alone merges single-field indexes.
    {"where": both(eq("a"), eq("b"), eq("m.k"))},
    {"where": both(eq("a"), has("b"))},
    {"where": both(eq("a"), where("b", "IN", [1, 2]))},
    {"where": either(eq("a"), eq("b"))},
    {"where": either(gt("a"), gt("a"))},
    {"where": both(eq("a")), "order_by": order("a")},
    # Composite indexes, also merged.
    {"where": both(eq("city"), gt("size"))},
    {"where": eq("city"), "order_by": order("size")},
    {"where": eq("state"), "order_by": order("-size")},
    {"where": both(eq("city"), eq("kind")), "order_by": order("size")},
    {"where": both(has("tags"), gt("size"))},
    {"where": both(has("tags"), eq("city")), "order_by": order("size")},
    {"where": both(gt("low"), gt("high"))},
    {"order_by": order("size", "-at")},
    {"where": both(either(eq("city"), eq("kind")), gt("size"))},
    # Names.
    {"order_by": order("__name__")},
    {"where": eq("a"), "order_by": order("-__name__")},
    {"where": eq("kind"), "order_by": order("at", "-__name__")},
    # Exemptions that leave enough.
    {"where": gt("up")},
    {"where": eq("up")},
    {"where": both(eq("secret"), eq("city"))},
    # Collection groups.
    GROUP,
    {**GROUP, "where": eq("city")},
    {**GROUP, "where": both(eq("city"), gt("size"))},
]  # fmt: skip

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"where": both(eq("a"), gt("b"))}, "a+ b+"),
    ({"where": eq("a"), "order_by": order("-b")}, "a+ b-"),
    ({"where": gt("a"), "order_by": order("b")}, "b+ a+"),
    ({"where": both(gt("a"), gt("b"))}, "a+ b+"),
    ({"order_by": order("a", "b")}, "a+ b+"),
    ({"order_by": order("size", "at")}, "size+ at+"),
    # An index is not read backwards.
    ({"where": eq("city"), "order_by": order("-size")}, "city+ size-"),
    ({"where": eq("state"), "order_by": order("size")}, "state+ size+"),
    ({"order_by": order("-size", "at")}, "size- at+"),
    ({"where": both(gt("low"), gt("high")), "order_by": order("low")}, "low+ high+"),
    ({"where": both(has("a"), gt("b"))}, "a* b+"),
    ({"where": both(eq("city"), eq("state")), "order_by": order("size")}, "city+ state+ size+"),
    ({"where": either(both(eq("city"), gt("size")), both(eq("a"), gt("size")))}, "a+ size+"),
    ({"where": both(eq("city"), unary("size", "IS_NOT_NULL"), gt("at"))}, "city+ at+ size+"),
    ({"where": both(where("a", "IN", [1, 2]), gt("b"))}, "a+ b+"),
    ({"where": eq("kind"), "order_by": order("at")}, "kind+ at+"),
    ({"order_by": order("a", "-__name__")}, "a+"),
    ({"where": eq("secret")}, "secret+"),
    ({"where": eq("registers.deep.down")}, "registers.deep.down+"),
    ({"order_by": order("secret")}, "secret+"),
    ({"order_by": order("-up")}, "up-"),
    ({"where": has("up")}, "up*"),
    ({**GROUP, "where": eq("other")}, "other+"),
    ({**GROUP, "order_by": order("-city")}, "city-"),
    ({**GROUP, "where": both(eq("city"), gt("other"))}, "city+ other+"),
]  # fmt: skip


@pytest.mark.parametrize("structured", SERVED)
def test_queries_with_an_index(strict: Api, structured: dict[str, Any]) -> None:
    assert outcome(lambda: strict.query({"from_": [{"collection_id": "c"}], **structured})) == ("OK", "")


@pytest.mark.parametrize(("structured", "wanted"), REFUSED)
def test_queries_without_one(strict: Api, structured: dict[str, Any], wanted: str) -> None:
    code, message = outcome(lambda: strict.query({"from_": [{"collection_id": "c"}], **structured}))
    assert code == "FAILED_PRECONDITION"
    assert message.startswith("The query requires an index.")
    if "{" in message:
        entry = json.loads(message[message.index("{") :])
        signs = {"ASCENDING": "+", "DESCENDING": "-", "CONTAINS": "*"}
        given = " ".join(
            field["fieldPath"] + signs[field.get("order") or field["arrayConfig"]]
            for field in entry["fields"]
        )
        assert given == wanted
        assert entry["queryScope"] == ("COLLECTION_GROUP" if "from_" in structured else "COLLECTION")
    else:
        assert f".{wanted[:-1]} " in message


def answers_of(api: Api, queries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [outcome(partial(api.query, query)) for query in queries]


def test_the_index_that_a_refusal_names_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding what every message asks for makes every query run that an index can serve."""
    wanted: list[Any] = []
    queries = [{"from_": [{"collection_id": "c"}], **structured} for structured, _ in REFUSED[:16]]
    path = tmp_path / "firestore.indexes.json"
    for _ in range(3):
        path.write_text(json.dumps({"indexes": wanted}))
        with embedded("firestore", "--indexes", str(path), "--strict") as address:
            api = Api(address, monkeypatch)
            answers = answers_of(api, queries)
            api.close()
        messages = [message for code, message in answers if code != "OK" and "{" in message]
        if not messages:
            break
        wanted += [json.loads(message[message.index("{") :]) for message in messages]
    assert [code for code, _ in answers[:15]] == ["OK"] * 15


def test_aggregations_and_listeners_need_indexes_too(strict: Api) -> None:
    def count(filters: dict[str, Any], field: str | None = None) -> str:
        aggregation = {"sum": {"field": {"field_path": field}}} if field else {"count": {}}
        structured = {
            "structured_query": {"from_": [{"collection_id": "c"}], "where": filters},
            "aggregations": [aggregation],
        }
        return outcome(
            lambda: strict.call(
                "run_aggregation_query", parent=strict.root, structured_aggregation_query=structured
            )
        )[0]

    assert count(eq("a")) == "OK"
    assert count(both(eq("a"), gt("b"))) == "FAILED_PRECONDITION"
    assert count(eq("city"), "size") == "OK"
    assert count(eq("a"), "size") == "FAILED_PRECONDITION"
    assert count(both(), "size") == "OK"
    stream = Stream(strict)
    query = {"from_": [{"collection_id": "c"}], "where": both(eq("a"), gt("b"))}
    target = {"parent": strict.root, "structured_query": query}
    stream.send(add_target={"target_id": 1, "query": target})
    stream.send(add_target={"target_id": 2, "documents": {"documents": [strict.name("c/a")]}})
    refusal = stream.until_consistent()[1].target_change
    assert (refusal.target_change_type.name, refusal.cause.code) == ("REMOVE", 9)
    stream.close()


def test_without_strict_every_query_runs(ours: Api) -> None:
    structured = {"from_": [{"collection_id": "c"}], "where": both(eq("a"), gt("b"))}
    assert ours.query(structured) == []
