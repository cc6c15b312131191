"""The Firestore client against the embedded emulator and, where it is installed, Google's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from shared import names
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.config import settings
from shared.errors import Rejected, Transient
from shared.values import from_fields, to_fields, to_value
from tests.support.emulators import Address, embedded, google, google_missing

_GOOGLE = pytest.param("google", marks=[pytest.mark.google, pytest.mark.slow])


@pytest.fixture(scope="module", params=["embedded", _GOOGLE])
def emulator(request: pytest.FixtureRequest) -> Iterator[Address]:
    if request.param == "embedded":
        with embedded("firestore") as address:
            yield address
    elif reason := google_missing("firestore"):
        pytest.skip(reason)
    else:
        with google("firestore") as address:
            yield address


@pytest.fixture
async def project(emulator: Address, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.grpc)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "client-test")
    settings.cache_clear()
    yield "p1"
    await firestore.close()
    settings.cache_clear()


def _write(name: str, fields: dict[str, Any], **precondition: Any) -> Any:
    pb = messages()
    write = pb.Write(update=pb.Document(name=name))
    to_fields(write.update.fields, fields)
    if precondition:
        write.current_document.CopyFrom(pb.Precondition(**precondition))
    return write


async def test_documents_come_back_as_written_and_missing_ones_are_absent(project: str) -> None:
    a, b = names.device(project, "a"), names.device(project, "b")
    fields = {"name": "truck", "data": {"x": [[1]], "y": {"z": 1.5}}, "registers": b"\x00\xff"}
    assert await firestore.batch_write([_write(a, fields)]) == [0]
    found = await firestore.batch_get([a, b, a])
    assert list(found) == [a]
    assert from_fields(found[a].fields) == fields
    assert found[a].id == "a"
    masked = await firestore.batch_get([a], ["name", "data.y"])
    assert from_fields(masked[a].fields) == {"name": "truck", "data": {"y": {"z": 1.5}}}


async def test_no_names_and_no_writes_make_no_call(project: str) -> None:
    assert await firestore.batch_get([]) == {}
    assert await firestore.batch_write([]) == []


async def test_more_than_a_calls_worth_is_split(project: str) -> None:
    wanted = [names.device(project, f"many{i}") for i in range(1203)]
    codes = await firestore.batch_write([_write(name, {"i": i}) for i, name in enumerate(wanted)])
    assert codes == [0] * len(wanted)
    found = await firestore.batch_get(wanted)
    assert [from_fields(found[name].fields)["i"] for name in wanted] == list(range(1203))


async def test_writes_above_the_size_of_a_request_are_split(project: str) -> None:
    big = b"x" * 900_000
    writes = [_write(names.device(project, f"big{i}"), {"data": big}) for i in range(6)]
    assert await firestore.batch_write(writes) == [0] * 6


async def test_a_stale_precondition_fails_that_write_alone(project: str) -> None:
    a, b = names.device(project, "stale"), names.device(project, "fresh")
    await firestore.batch_write([_write(a, {"n": 1}), _write(b, {"n": 1})])
    before = await firestore.batch_get([a, b])
    await firestore.batch_write([_write(a, {"n": 2})])
    codes = await firestore.batch_write(
        [_write(name, {"n": 3}, update_time=before[name].update_time) for name in (a, b)]
    )
    assert codes == [9, 0]


async def test_one_invalid_write_refuses_the_call(project: str) -> None:
    with pytest.raises(Rejected, match="INVALID_ARGUMENT") as caught:
        await firestore.batch_write([_write(names.device(project, "__reserved__"), {"n": 1})])
    assert caught.value.error_type == "store.invalid"


async def test_a_commit_is_all_or_nothing(project: str) -> None:
    a, b = names.device(project, "c1"), names.device(project, "c2")
    await firestore.commit([_write(a, {"n": 1}, exists=False)])
    with pytest.raises(firestore.PreconditionFailed):
        await firestore.commit([_write(b, {"n": 1}), _write(a, {"n": 2}, exists=False)])
    found = await firestore.batch_get([a, b])
    assert {d.id: from_fields(d.fields) for d in found.values()} == {"c1": {"n": 1}}


async def test_a_query_returns_the_documents_of_a_collection(project: str) -> None:
    pb = messages()
    for i in range(3):
        await firestore.batch_write([_write(names.quarantined("pq", f"q{i}"), {"service": "s" + str(i % 2)})])
    query = pb.StructuredQuery()
    query.from_.add(collection_id="quarantine")
    query.where.field_filter.field.field_path = "service"
    query.where.field_filter.op = 5
    query.where.field_filter.value.CopyFrom(to_value("s0"))
    found = await firestore.run_query(names.project("pq"), query)
    assert sorted(d.id for d in found) == ["q0", "q2"]
    assert await firestore.run_query(names.project("empty"), query) == []


async def test_a_query_is_counted_without_its_documents(project: str) -> None:
    pb = messages()
    for i in range(5):
        name = f"{names.project('pc')}/quarantine/q{i}"
        assert await firestore.batch_write([_write(name, {"service": f"s{i % 2}"})]) == [0]
    query = pb.StructuredQuery()
    query.from_.add(collection_id="quarantine")
    assert await firestore.count(names.project("pc"), query) == 5
    assert await firestore.count(names.project("pc"), query, limit=2) == 2
    query.where.field_filter.field.field_path = "service"
    query.where.field_filter.op = 5
    query.where.field_filter.value.CopyFrom(to_value("s0"))
    assert await firestore.count(names.project("pc"), query) == 3
    assert await firestore.count(names.project("empty"), query) == 0


async def test_many_callers_share_one_channel(project: str) -> None:
    name = names.device(project, "shared")
    await firestore.batch_write([_write(name, {"n": 1})])
    await firestore.close()
    answers = await asyncio.gather(*(firestore.batch_get([name]) for _ in range(20)))
    assert all(len(found) == 1 for found in answers)


async def _fault(emulator: Address, *rules: dict[str, Any]) -> None:
    if not emulator.http:
        pytest.skip("Google's emulator injects no faults")
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{emulator.http}/faults", json={"rules": rules, "seed": 1})
        answer.raise_for_status()


async def test_a_read_outlives_a_short_fault_and_a_write_does_not_hide_it(
    project: str, emulator: Address
) -> None:
    name = names.device(project, "f")
    await firestore.batch_write([_write(name, {"n": 1})])
    await _fault(emulator, {"method": "BatchGetDocuments", "error_rate": 0.4})
    try:
        found = [await firestore.batch_get([name]) for _ in range(5)]
        assert all(found)
        await _fault(emulator, {"method": "*", "error_rate": 1.0})
        with pytest.raises(Transient, match="UNAVAILABLE"):
            await firestore.batch_get([name])
        with pytest.raises(Transient, match="UNAVAILABLE"):
            await firestore.batch_write([_write(name, {"n": 1})])
        with pytest.raises(Transient, match="UNAVAILABLE"):
            await firestore.commit([_write(name, {"n": 1})])
    finally:
        await _fault(emulator)


async def test_nobody_listening_is_transient(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(Transient):
        await firestore.batch_get([names.device(project, "x")])
