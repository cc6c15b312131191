"""The store under faults and any query: nothing is done twice or by half, and pages are complete."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.processes import ROOT
from shared import values
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.blueprint import BLUEPRINT
from shared.store.query import Query, Where
from tests.support.api import environment
from tests.support.emulators import Address, embedded
from tests.unit.store.conftest import Faults
from tests.unit.store.world import World, fields, outcome

MANY = settings(max_examples=25)
ALIASES = ("a", "b", "c")


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    with (
        embedded("firestore", "--strict", "--indexes", str(ROOT / "firestore.indexes.json")) as found,
        environment(found),
    ):
        yield found


operations = st.lists(
    st.tuples(
        st.sampled_from(["create", "rename", "name", "delete"]), st.sampled_from(ALIASES), st.integers(0, 5)
    ),
    min_size=1,
    max_size=10,
)


async def perform(world: World, ids: list[str], operation: tuple[str, str, int]) -> tuple[str, Any]:
    """Do one operation on one of the resources that are known."""
    verb, alias, number = operation
    if verb == "create":
        return await outcome(world.create(alias))
    if not ids:
        return "refused", "none"
    target = ids[number % len(ids)]
    if verb == "rename":
        return await outcome(world.update(target, alias=alias))
    if verb == "name":
        return await outcome(world.update(target, name=f"N{number}"))
    return await outcome(world.delete(target))


async def check(world: World) -> None:
    """What must hold of a project whatever happened."""
    live = {d.id: values.from_fields(d.fields) for d in await world.below("blueprints")}
    audit = [values.from_fields(d.fields) for d in await world.below("audit")]
    locks = [values.from_fields(d.fields) for d in await world.below("locks")]
    gone = {d.id.partition(":")[2] for d in await world.below("deletions")}
    aliases = [found["alias"] for found in live.values()]
    assert len(set(aliases)) == len(aliases)
    assert sorted(lock["holder"] for lock in locks) == sorted(live)
    for resource_id, found in live.items():
        assert await world.holder(found["alias"]) == resource_id
        entries = [entry for entry in audit if entry["resourceId"] == resource_id]
        assert len(entries) == found["version"]
    assert not gone & set(live)
    assert len([entry for entry in audit if entry["verb"] == "created"]) == len(live) + len(gone)
    assert len([entry for entry in audit if entry["verb"] == "deleted"]) == len(gone)
    assert await world.revision() == 1 + len(audit)


@MANY
@given(operations, st.floats(0, 0.4), st.floats(0, 0.6), st.booleans(), st.integers(0, 1000))
def test_nothing_is_done_twice_or_by_half(
    address: Address, what: list[tuple[str, str, int]], errors: float, lost: float, at_once: bool, seed: int
) -> None:
    async def run() -> None:
        faults = Faults(address)
        world = await World().begin()
        ids: list[str] = [await world.create("a")]
        done = 0
        faults.set(
            {"method": "Commit", "error_rate": errors, "drop_answer_rate": lost},
            {"method": "BatchGetDocuments", "error_rate": errors / 2},
            seed=seed,
        )
        try:
            if at_once:
                answers = await asyncio.gather(*(perform(world, ids, operation) for operation in what))
                done = sum(kind == "done" for kind, _ in answers)
            else:
                for operation in what:
                    kind, result = await perform(world, ids, operation)
                    done += kind == "done"
                    if kind == "done" and operation[0] == "create":
                        ids.append(result)
        finally:
            faults.set()
        await check(world)
        creations = [
            e for e in await world.below("audit") if values.from_fields(e.fields)["verb"] == "created"
        ]
        if not at_once:
            assert len(creations) >= len(ids)
        await firestore.close()

    asyncio.run(run())


texts = st.text(st.sampled_from("aäb/_Z0"), min_size=1, max_size=3)
documents = st.lists(
    st.fixed_dictionaries(
        {"name": texts, "tags": st.lists(st.sampled_from("xyz"), unique=True, max_size=2)},
        optional={"purpose": st.sampled_from(["device", "organization"])},
    ),
    max_size=12,
)
queries = st.sampled_from(
    [
        Query(),
        Query((Where("tags", "array-contains", "x"),)),
        Query((Where("purpose", "==", "device"),)),
        Query((Where("purpose", "==", "device"), Where("tags", "array-contains", "y"))),
        Query((Where("purpose", "in", ["device", "organization"]),)),
        Query(order="name"),
        Query(order="name", descending=True),
        Query((Where("name", ">=", "a"), Where("name", "<", "b")), order="name"),
        Query((Where("name", ">", "a"),), order="name", descending=True),
    ]
)


def meets(found: dict[str, Any], where: Where) -> bool:
    """What a condition means, said once more and plainly."""
    value = found.get(where.field)
    if where.op == "array-contains":
        return where.value in (value or [])
    if where.op == "in":
        return value in where.value
    if not isinstance(value, str):
        return False
    one, other = value.encode(), where.value.encode()
    return bool({"==": one == other, ">": one > other, ">=": one >= other, "<": one < other}[where.op])


@MANY
@given(documents, queries, st.integers(1, 5))
def test_pages_of_any_query_are_complete_and_in_order(
    address: Address, made: list[dict[str, Any]], query: Query, limit: int
) -> None:
    async def run() -> None:
        world, other = await World().begin(), await World().begin()
        expected: list[tuple[Any, str]] = []
        for number, body in enumerate(made):
            for where in (world, other):
                change = where.change()
                body_ = {key: value for key, value in fields(f"a{number}").items() if key != "purpose"} | body
                created = change.create(BLUEPRINT, body_)
                await change.commit()
                if where is world and all(meets(body_, condition) for condition in query.where):
                    key = body_["name"].encode() if query.order else b""
                    expected.append((key, created))
        expected.sort(reverse=query.descending)
        seen: list[str] = []
        cursor = None
        for _ in range(len(made) + 2):
            page = Query(query.where, query.order, query.descending, limit, cursor)
            found = await world.scope.page(BLUEPRINT, page)
            assert len(found.items) <= limit
            seen += [item.id for item in found.items]
            cursor = found.next
            if cursor is None:
                break
            # It is of no use elsewhere: not in another project, not for another query.
            for scope, wrong in (
                (other.scope, page),
                (world.scope, Query((Where("alias", "==", "a0"),), limit=limit)),
            ):
                with pytest.raises(ApiError, match="cursor"):
                    await scope.page(
                        BLUEPRINT, Query(wrong.where, wrong.order, wrong.descending, limit, cursor)
                    )
        assert cursor is None
        assert seen == [created for _, created in expected]
        assert await world.scope.count(BLUEPRINT, query) == len(expected)
        await firestore.close()

    asyncio.run(run())


@MANY
@given(st.one_of(st.text(max_size=60), st.from_regex(r"[A-Za-z0-9_\-]{1,60}", fullmatch=True)))
def test_a_cursor_that_nobody_gave_is_refused(address: Address, text: str) -> None:
    async def run() -> None:
        world = World()
        with pytest.raises(ApiError) as refused:
            await world.scope.page(BLUEPRINT, Query(after=text))
        assert (refused.value.status, refused.value.error) == (400, "cursor.invalid")
        await firestore.close()

    asyncio.run(run())
