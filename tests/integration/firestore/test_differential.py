"""Random documents and random queries: ours, Google's and a slow model in plain Python agree."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.firestore import reference
from tests.integration.firestore.api import Api, outcome, unary, value, where
from tests.integration.firestore.reference import Condition, Joined, Question
from tests.support.emulators import Address

FIELDS = ["a", "b", "m.k"]
SETTINGS = settings(
    max_examples=60,
    database=None,
)
COLLECTIONS = itertools.count()

NUMBERS: list[Any] = [-1, 0, 1, 2, -0.0, 0.5, 1.0, float("nan"), float("inf")]
TEXTS: list[Any] = ["", "a", "b", "é", "\uffff", "😀", b"", b"a"]
LISTS = ["IN", "ARRAY_CONTAINS_ANY", "NOT_IN"]
OPS = ["EQUAL", "EQUAL", "ARRAY_CONTAINS", "IS_NULL", "IS_NAN", *LISTS, *reference.RANGE, *reference.NEGATIVE]

scalars = st.sampled_from([None, False, True, *NUMBERS, *TEXTS])
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from("xy"), scalars, max_size=2)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Two to eight documents, any field of which may be missing."""
    out: dict[str, dict[str, Any]] = {}
    for key in draw(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=2)):
        content: dict[str, Any] = draw(st.fixed_dictionaries({"a": values}, optional={"b": values}))
        if draw(st.booleans()):
            content["m"] = {"k": draw(scalars)} if draw(st.booleans()) else draw(scalars)
        out[key] = content
    return out


def comparable(item: Any) -> bool:
    return item is not None and not reference.is_nan(item)


@st.composite
def condition(draw: st.DrawFn) -> Condition:
    """One condition."""
    field = draw(st.sampled_from(FIELDS))
    op = draw(st.sampled_from(OPS))
    if op.startswith("IS_"):
        return Condition(field, op)
    # What null and NaN compare with alone is in test_queries; within other conditions Google's emulator
    # drops what can never hold before it looks at the rest (see differences.py).
    if op in LISTS:
        listed = draw(st.lists(scalars, min_size=1, max_size=3))
        if op == "NOT_IN":
            return Condition(field, op, [item for item in listed if item is not None] or [1])
        return Condition(field, op, listed if any(map(comparable, listed)) else [1])
    return Condition(field, op, draw(values.filter(comparable)))


filters: st.SearchStrategy[Any] = st.none() | st.recursive(
    condition(),
    lambda inner: st.builds(
        Joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=4,
)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """One query."""
    fields = draw(st.lists(st.sampled_from(FIELDS), unique=True, max_size=2))
    orders = tuple((field, draw(st.booleans())) for field in fields)
    cursor = st.none()
    if orders:
        cursor = st.none() | st.tuples(
            st.lists(values, min_size=1, max_size=len(orders)).map(tuple), st.booleans()
        )
    return Question(
        draw(filters),
        orders,
        draw(cursor),
        draw(cursor),
        draw(st.sampled_from([0, 0, 0, 1, 2])),
        draw(st.sampled_from([None, None, 0, 1, 3])),
    )


def filter_pb(item: Any) -> dict[str, Any]:
    if isinstance(item, Joined):
        return {"composite_filter": {"op": item.word, "filters": [filter_pb(part) for part in item.parts]}}
    if item.op.startswith("IS_"):
        return unary(item.field, item.op)
    return where(item.field, item.op, item.value)


def structured(question: Question, collection: str) -> dict[str, Any]:
    """A question as a StructuredQuery."""
    out: dict[str, Any] = {"from_": [{"collection_id": collection}], "offset": question.offset}
    if question.where is not None:
        out["where"] = filter_pb(question.where)
    out["order_by"] = [
        {"field": {"field_path": field}, "direction": "DESCENDING" if down else "ASCENDING"}
        for field, down in question.orders
    ]
    for name, cursor in (("start_at", question.start), ("end_at", question.end)):
        if cursor is not None:
            out[name] = {"values": [value(item) for item in cursor[0]], "before": cursor[1]}
    if question.limit is not None:
        out["limit"] = question.limit
    return out


def ask(api: Api, collection: str, question: Question) -> tuple[str, str, list[str]]:
    """The code, the message and the ids that a query gives."""
    found: list[str] = []
    code, message = outcome(lambda: found.extend(api.query(structured(question, collection))))
    return code, message, [name.removeprefix(collection + "/") for name in found]


def store(api: Api, held: dict[str, dict[str, Any]]) -> str:
    """Put documents into a collection of their own."""
    collection = f"c{next(COLLECTIONS)}"
    api.commit(*(api.set(f"{collection}/{key}", content) for key, content in held.items()))
    return collection


@SETTINGS
@given(held=documents(), asked=st.lists(questions(), min_size=3, max_size=6))
def test_each_agrees_with_the_model(api: Api, held: dict[str, dict[str, Any]], asked: list[Question]) -> None:
    collection = store(api, held)
    for question in asked:
        code, message, found = ask(api, collection, question)
        if code != "OK":
            assert code == "INVALID_ARGUMENT", message
            continue
        assert found == reference.answer(held, question)


@pytest.fixture
def pair(
    embedded_address: Address, google_address: Address, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Api, Api]]:
    found = (Api(embedded_address, monkeypatch), Api(google_address, monkeypatch))
    yield found
    for each in found:
        each.close()


@pytest.mark.google
@SETTINGS
@given(held=documents(), asked=st.lists(questions(), min_size=3, max_size=6))
def test_ours_and_googles_agree_on_answers_and_refusals(
    pair: tuple[Api, Api], held: dict[str, dict[str, Any]], asked: list[Question]
) -> None:
    ours, theirs = pair
    mine, yours = store(ours, held), store(theirs, held)
    for question in asked:
        assert ask(ours, mine, question) == ask(theirs, yours, question)
