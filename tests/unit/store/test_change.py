"""A change is written once or not at all: lost answers, lost races, taken names, faults at every call."""

from __future__ import annotations

import asyncio

import pytest

from fulcrum.core import ids
from shared.clients import firestore
from shared.errors import ApiError, Transient
from shared.model.blueprint import BLUEPRINT
from shared.store.change import Change, Lost, check_match
from shared.store.scope import Scope
from tests.unit.store.conftest import Faults
from tests.unit.store.world import World, fields


async def test_a_commit_whose_answer_is_lost_is_done_once_and_answered_as_done(faults: Faults) -> None:
    world = await World().begin()
    faults.set({"method": "Commit", "drop_answer_rate": 1})
    made = await world.create("a")
    await world.update(made, name="C")
    await world.update(made, alias="b")
    await world.delete(made)
    faults.set()
    assert len(await world.below("audit")) == 4
    assert await world.revision() == 5
    assert await world.below("locks") == []
    assert [d.id for d in await world.below("deletions")] == [f"blueprint:{made}"]
    await firestore.close()


async def test_a_store_that_is_down_is_said_so_and_nothing_is_written(faults: Faults) -> None:
    world = await World().begin()
    made = await world.create("a")
    for code in ("UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED"):
        faults.set({"method": "Commit", "error_rate": 1, "code": code})
        with pytest.raises(Transient):
            await world.create("b")
        with pytest.raises(Transient):
            await world.update(made, alias="b")
        faults.set({"method": "BatchGetDocuments", "error_rate": 1, "code": code})
        with pytest.raises(Transient):
            await world.update(made, alias="b")
    faults.set()
    assert len(await world.below("blueprints")) == len(await world.below("audit")) == 1
    assert await world.holder("a") == made
    assert await world.holder("b") is None
    await firestore.close()


async def test_an_answer_lost_at_the_last_try_is_found_out(
    faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await World().begin()
    commit, calls = firestore.commit, 0

    async def flaky(writes: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            await commit(writes)  # type: ignore[arg-type]  # passed on as it came
        raise Transient("Commit: UNAVAILABLE")

    monkeypatch.setattr(firestore, "commit", flaky)
    made = await world.create("a")
    assert calls == 3
    assert await world.holder("a") == made
    assert len(await world.below("blueprints")) == 1
    await firestore.close()


async def test_the_same_change_of_many_requests_at_once_is_no_clash(faults: Faults) -> None:
    world = await World().begin()
    made = await world.create("a")
    await asyncio.gather(*(world.update(made, alias="b") for _ in range(12)))
    assert await world.holder("b") == made
    assert await world.holder("a") is None
    assert (await world.stored(made)).version == 2
    await firestore.close()


async def test_a_name_is_taken_by_one_and_freed_by_its_holder_alone(faults: Faults) -> None:
    world = await World().begin()
    made, other = await world.create("a"), await world.create("b")
    with pytest.raises(ApiError) as refused:
        await world.update(other, alias="a")
    assert (refused.value.status, refused.value.error) == (409, "blueprint.aliasTaken")
    with pytest.raises(ApiError):
        await world.create("a")
    await world.delete(other)
    assert await world.holder("a") == made
    await world.update(made, alias="b")
    assert (await world.holder("a"), await world.holder("b")) == (None, made)
    await firestore.close()


async def test_who_read_before_another_wrote_loses(faults: Faults) -> None:
    world = await World().begin()
    made = await world.create("a")
    stored = await world.stored(made)
    await world.update(made, name="C")
    for write in ("update", "delete", "keep"):
        late = world.change()
        if write == "update":
            assert late.update(stored, {"name": "D"})
        elif write == "delete":
            late.delete(stored)
        else:
            late.keep(stored, {"checks": "{}"})
        with pytest.raises(Lost):
            await late.commit()
    assert (await world.stored(made)).fields["name"] == "C"
    with pytest.raises(ApiError) as changed:
        check_match(await world.stored(made), stored.etag)
    assert (changed.value.status, changed.value.error) == (412, "blueprint.changed")
    check_match(stored, f'"7", W/{stored.etag}')
    check_match(stored, "*")
    await firestore.close()


async def test_what_differs_in_type_alone_differs(faults: Faults) -> None:
    world = await World().begin()
    made = await world.create("a")
    await world.update(made, metadata={"a": 1})
    await world.update(made, metadata={"a": True})
    found = (await world.stored(made)).fields["metadata"]
    assert found == {"a": True}
    assert isinstance(found["a"], bool)
    assert (await world.stored(made)).version == 3
    await world.update(made, metadata={"a": True})
    assert (await world.stored(made)).version == 3
    await firestore.close()


async def test_a_change_is_written_whole_or_not_at_all(faults: Faults) -> None:
    world = await World().begin()
    await world.create("taken")
    change = world.change()
    for number in range(20):
        change.create(BLUEPRINT, fields(f"b{number}"))
    change.create(BLUEPRINT, fields("taken"))
    with pytest.raises(ApiError) as refused:
        await change.commit()
    assert refused.value.error == "blueprint.aliasTaken"
    large = world.change()
    for number in range(200):
        large.create(BLUEPRINT, fields(f"b{number}"))
    with pytest.raises(ApiError) as refused:
        await large.commit()
    assert refused.value.error == "change.tooLarge"
    assert len(await world.below("blueprints")) == len(await world.below("locks")) == 1
    await world.change().commit()
    await firestore.close()


async def test_a_change_of_a_project_that_is_not_there_writes_nothing(faults: Faults) -> None:
    world = World()
    change = world.change()
    change.create(BLUEPRINT, fields("a"))
    with pytest.raises(Lost):
        await change.commit()
    assert await world.below("blueprints") == await world.below("audit") == []
    with pytest.raises(ApiError) as missing:
        await world.scope.must_exist()
    assert missing.value.error == "project.notFound"
    await firestore.close()


@pytest.mark.parametrize("bad", ["", ".", "..", "__x__", "a/b", "x" * 129, "a b", "ä", "a\n", "a\0"])
async def test_an_id_that_none_can_have_is_not_found(faults: Faults, bad: str) -> None:
    for what in (lambda: Scope(bad), lambda: Scope("p").name(BLUEPRINT, bad)):
        with pytest.raises(ApiError) as refused:
            what()
        assert refused.value.status == 404


async def test_what_is_remembered_is_forgotten_even_if_nobody_knows_what_was_written(faults: Faults) -> None:
    world = await World().begin()
    forgotten: list[str] = []
    for rule in ({"method": "Commit", "error_rate": 1}, {"method": "Commit"}):
        faults.set(rule)
        change = Change(world.scope, world.change().actor, ids.new_id())
        change.create(BLUEPRINT, fields("a"))
        change.after.append(lambda: forgotten.append("x"))
        try:
            await change.commit()
        except Transient:
            assert rule.get("error_rate")
    assert len(forgotten) == 2
    await firestore.close()
