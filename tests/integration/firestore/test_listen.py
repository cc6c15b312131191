"""Listen: the official client's on_snapshot, and what goes over the stream."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from google.cloud.firestore import FieldFilter

from tests.integration.firestore.api import Api, eventually, order, where
from tests.integration.firestore.stream import Stream


class Seen:
    """What a callback of on_snapshot was called with."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any]] = []
        self.changes: list[tuple[str, str]] = []

    def __call__(self, documents: Any, changes: Any, read_time: Any) -> None:
        self.changes += [(change.type.name, change.document.id) for change in changes]
        self.results.append({item.id: item.to_dict() for item in documents if item.exists})

    def shows(self, wanted: dict[str, Any]) -> bool:
        return bool(self.results) and self.results[-1] == wanted


@contextmanager
def watching(*targets: Any) -> Iterator[list[Seen]]:
    """Watch documents or queries; all threads of the watches have ended afterwards."""
    before = set(threading.enumerate())
    seen = [Seen() for _ in targets]
    watches = [target.on_snapshot(each) for target, each in zip(targets, seen, strict=True)]
    try:
        yield seen
    finally:
        for watch in watches:
            watch.unsubscribe()
        eventually(lambda: not [item for item in set(threading.enumerate()) - before if item.is_alive()])


def test_a_document(api: Api) -> None:
    reference = api.client.document("c/a")
    with watching(reference) as (seen,):
        eventually(lambda: seen.shows({}))
        reference.set({"x": 1})
        eventually(lambda: seen.shows({"a": {"x": 1}}))
        reference.update({"x": 2})
        eventually(lambda: seen.shows({"a": {"x": 2}}))
        api.client.document("c/b").set({"x": 9})
        reference.delete()
        eventually(lambda: seen.shows({}))
    assert seen.changes == [("ADDED", "a"), ("MODIFIED", "a"), ("REMOVED", "a")]


def test_a_query_and_several_listeners(api: Api) -> None:
    collection = api.client.collection("c")
    collection.document("a").set({"x": 1})
    positive = collection.where(filter=FieldFilter("x", ">", 0)).order_by("x")
    with watching(positive, positive.limit(1), collection) as (one, first, every):
        for seen in (one, first, every):
            eventually(partial(seen.shows, {"a": {"x": 1}}))
        collection.document("b").set({"x": 0.5})
        eventually(lambda: one.shows({"a": {"x": 1}, "b": {"x": 0.5}}))
        eventually(lambda: first.shows({"b": {"x": 0.5}}))
        collection.document("b").set({"x": -1})
        eventually(lambda: one.shows({"a": {"x": 1}}))
        eventually(lambda: first.shows({"a": {"x": 1}}))
        eventually(lambda: every.shows({"a": {"x": 1}, "b": {"x": -1}}))
        collection.document("a").delete()
        eventually(lambda: one.shows({}))
        eventually(lambda: every.shows({"b": {"x": -1}}))
    assert ("REMOVED", "b") in one.changes


@pytest.fixture
def stream(api: Api) -> Iterator[Stream]:
    found = Stream(api)
    yield found
    found.close()


def words(answers: list[Any]) -> list[str]:
    """Answers in short."""
    out: list[str] = []
    for answer in answers:
        kind = answer._pb.WhichOneof("response_type")
        if kind == "target_change":
            change = answer.target_change
            out.append(f"{change.target_change_type.name} {list(change.target_ids)}")
        else:
            item = getattr(answer, kind)
            name = item.document.name if kind == "document_change" else item.document
            out.append(f"{kind} {name.rsplit('/', 1)[1]}")
    return out


def positive(api: Api) -> dict[str, Any]:
    query = {"from_": [{"collection_id": "c"}], "where": where("x", "GREATER_THAN", 0)}
    return {"parent": api.root, "structured_query": query}


def test_the_initial_snapshot(api: Api, stream: Stream) -> None:
    api.commit(api.set("c/a", {"x": 1}), api.set("c/b", {"x": -1}))
    stream.send(add_target={"target_id": 1, "documents": {"documents": [api.name("c/a"), api.name("c/z")]}})
    answers = stream.until_consistent()
    assert words(answers) == [
        "ADD [1]", "document_change a", "document_delete z", "CURRENT [1]", "NO_CHANGE []",
    ]  # fmt: skip
    assert answers[-1].target_change.resume_token
    stream.send(add_target={"target_id": 2, "query": positive(api)})
    assert words(stream.until_consistent()) == [
        "ADD [2]", "document_change a", "CURRENT [2]", "NO_CHANGE []",
    ]  # fmt: skip


def test_changes_come_one_by_one(ours: Api) -> None:
    stream = Stream(ours)
    ours.commit(ours.set("c/a", {"x": 1}), ours.set("c/b", {"x": 2}))
    stream.send(add_target={"target_id": 1, "query": positive(ours)})
    stream.until_consistent()
    ours.commit(ours.set("c/a", {"x": 5}), ours.set("c/n", {"x": 1}), ours.set("d/a", {"x": 1}))
    assert words(stream.until_consistent()) == ["document_change a", "document_change n", "NO_CHANGE []"]
    ours.commit(ours.set("c/a", {"x": -5}), ours.delete("c/b"))
    assert words(stream.until_consistent()) == ["document_remove a", "document_delete b", "NO_CHANGE []"]
    stream.send(remove_target=1)
    ours.commit(ours.set("c/a", {"x": 5}))
    stream.send(add_target={"target_id": 2, "query": positive(ours), "resume_token": b"earlier"})
    assert words(stream.until_consistent()) == [
        "REMOVE [1]", "ADD [2]", "RESET [2]", "document_change n", "document_change a",
        "CURRENT [2]", "NO_CHANGE []",
    ]  # fmt: skip
    stream.close()


def test_a_limited_query_tells_who_enters_and_who_leaves(ours: Api) -> None:
    stream = Stream(ours)
    ours.commit(*(ours.set(f"c/{key}", {"x": number}) for number, key in enumerate("abc", 1)))
    two = {"from_": [{"collection_id": "c"}], "order_by": order("x"), "limit": 2}
    stream.send(add_target={"target_id": 1, "query": {"parent": ours.root, "structured_query": two}})
    assert words(stream.until_consistent())[1:3] == ["document_change a", "document_change b"]
    ours.commit(ours.set("c/new", {"x": 0}))
    assert sorted(words(stream.until_consistent())) == [
        "NO_CHANGE []", "document_change new", "document_remove b",
    ]  # fmt: skip
    ours.commit(ours.delete("c/a"))
    assert sorted(words(stream.until_consistent())) == [
        "NO_CHANGE []", "document_change b", "document_delete a",
    ]  # fmt: skip
    stream.close()


def test_a_query_that_is_wrong_removes_its_target(ours: Api) -> None:
    stream = Stream(ours)
    wrong = {"parent": ours.root, "structured_query": {"from_": [{"collection_id": "c"}], "limit": -1}}
    stream.send(add_target={"target_id": 7, "query": wrong})
    stream.send(add_target={"target_id": 8, "query": positive(ours)})
    answers = stream.until_consistent()
    assert words(answers)[:2] == ["ADD [7]", "REMOVE [7]"]
    assert (answers[1].target_change.cause.code, answers[1].target_change.cause.message) == (
        3,
        "limit is negative",
    )
    stream.close()
