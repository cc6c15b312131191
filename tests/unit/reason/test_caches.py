"""Devices' caches that an instance keeps: each is what stands in the store, and most are not read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.reason import caches
from functions.reason.caches import Cache, Caches
from shared import names, script_documents
from shared.clients import firestore
from shared.errors import Transient
from tests.support.reason import PROJECT, Documents, Reason, T, event, lost, routed

DEVICES = 40
COUNTS = """
from fulcrum.script import needs

@needs("cache")
def run(message, context):
    n = context.cache.get("n", 0) + 1
    if message["data"][0]["value"] == "count":
        context.set_cache({"n": n})
        context.send_sms(f"{message['id']} is number {n}", to=["+4791234567"])
    context.log(f"number {n}")
"""


def batch(place: int, value: str = "look", devices: int = DEVICES) -> dict[str, Any]:
    """An event of each device."""
    return routed(
        [
            event(f"{place}-{device}", f"d{device}", time=T + place, values={"do": value})
            for device in range(devices)
        ]
    )


def document(device: int) -> str:
    """The document of a device's cache."""
    return script_documents.device_cache(PROJECT, "alarm", f"d{device}")


def numbers(reason: Reason) -> dict[str, int]:
    """What the last event of each device was told to be."""
    return {
        row["device_id"]: int(json.loads(row["logs"])[0]["text"].split()[1])
        for row in sorted(reason.runs.rows, key=lambda row: int(row["event_id"].split("-")[0]))
    }


def cache_reads(reason: Reason) -> list[int]:
    """How many caches each read or query asked for that asked for any."""
    asked = [sum("/caches/" in name for name in read) for read in reason.documents.reads]
    return [count for count in asked if count]


async def test_caches_that_nobody_else_changes_are_confirmed_and_not_read(reason: Reason) -> None:
    reason.deploy(COUNTS)
    assert await reason.push(batch(1, "count")) == 204
    assert cache_reads(reason) == [30, 10]
    reason.documents.reads.clear()
    for place in range(2, 5):
        assert await reason.push(batch(place, "count"), message_id=str(place)) == 204
    assert await reason.push(batch(5)) == 204
    assert numbers(reason) == {f"d{device}": 5 for device in range(DEVICES)}
    assert cache_reads(reason) == []
    assert reason.documents.counts == [30, 10] * 4


async def test_caches_that_are_not_there_are_asked_for_by_name_each_time(reason: Reason) -> None:
    reason.deploy(COUNTS)
    for place in (1, 2):
        assert await reason.push(batch(place)) == 204
    assert (cache_reads(reason), reason.documents.counts) == ([30, 10, 30, 10], [])
    # Another instance makes one of them.
    reason.documents.put(document(3), value='{"n": 6}', mark="another")
    assert await reason.push(batch(3)) == 204
    assert numbers(reason) == {f"d{device}": 7 if device == 3 else 1 for device in range(DEVICES)}


@pytest.mark.parametrize("mark", ["another", None])
async def test_a_cache_that_somebody_else_has_written_is_read(reason: Reason, mark: str | None) -> None:
    reason.deploy(COUNTS)
    assert await reason.push(batch(1, "count")) == 204
    # None: written by whoever knows no marks.
    del reason.documents.stored[document(7)]
    reason.documents.put(document(7), value='{"n": 30}', **({"mark": mark} if mark else {}))
    assert await reason.push(batch(2)) == 204
    assert numbers(reason) == {f"d{device}": 31 if device == 7 else 2 for device in range(DEVICES)}
    assert await reason.push(batch(3, "count")) == 204
    assert json.loads(reason.documents.stored[document(7)]["value"]) == {"n": 31}


async def test_a_cache_that_is_gone_is_none(reason: Reason) -> None:
    reason.deploy(COUNTS)
    assert await reason.push(batch(1, "count")) == 204
    del reason.documents.stored[document(0)]
    assert await reason.push(batch(2, "count")) == 204
    assert numbers(reason) == {f"d{device}": 1 if device == 0 else 2 for device in range(DEVICES)}
    assert json.loads(reason.documents.stored[document(0)]["value"]) == {"n": 1}


async def test_a_commit_whose_answer_is_lost_is_known_by_its_mark(reason: Reason) -> None:
    reason.deploy(COUNTS)
    assert await reason.push(batch(1, "count")) == 204
    reason.documents.after_commit.append(lost)
    assert await reason.push(batch(2, "count"), message_id="2") == 204
    assert await reason.push(batch(2, "count"), message_id="3") == 204
    assert await reason.push(batch(3)) == 204
    assert numbers(reason) == {f"d{device}": 3 for device in range(DEVICES)}
    said = {message["id"]: message["message"] for message in reason.topics.events("messenger")}
    expected = {f"{place}-{device} is number {place}" for place in (1, 2) for device in range(DEVICES)}
    assert (set(said.values()), len(said)) == (expected, 2 * DEVICES)


async def test_a_store_that_does_not_confirm_has_the_delivery_come_again(reason: Reason) -> None:
    reason.deploy(COUNTS)
    assert await reason.push(batch(1, "count")) == 204
    reason.documents.read_errors.append(Transient("UNAVAILABLE"))
    assert await reason.push(batch(2, "count")) == 503
    assert await reason.push(batch(2, "count")) == 204
    assert numbers(reason) == {f"d{device}": 2 for device in range(DEVICES)}


async def test_what_somebody_else_commits_between_caches_and_records_is_repeated(
    reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason.deploy(COUNTS)
    assert await reason.push(batch(1, "count")) == 204
    stored, read = reason.documents.stored, firestore.batch_get
    left = {name: stored.pop(name) for name in list(stored) if "/runs/" in name or "/caches/" in name}
    assert len(left) == 2 * DEVICES

    async def read_and_be_overtaken(wanted: Any, mask: Any = None) -> Any:
        found = await read(wanted, mask)
        if any("/caches/" in name for name in wanted):
            stored.update(left)
        return found

    monkeypatch.setattr(firestore, "batch_get", read_and_be_overtaken)
    assert await reason.push(batch(1, "count"), message_id="2") == 204
    assert len(reason.functions.calls) == 1
    said = [message["message"] for message in reason.topics.events("messenger")]
    assert sorted(said) == sorted([f"1-{device} is number 1" for device in range(DEVICES)] * 2)


async def test_where_others_write_all_the_time_it_is_asked_less_and_less(reason: Reason) -> None:
    reason.deploy(COUNTS)
    assert await reason.push(batch(0, "count", 20)) == 204
    for place in range(1, 40):
        reason.documents.put(document(0), value=json.dumps({"n": place}), mark=f"another-{place}")
        assert await reason.push(batch(place, "look", 20)) == 204
        assert numbers(reason)["d0"] == place + 1
    # At the reads 1, 3, 7, 15 and 31.
    assert reason.documents.counts == [20] * 5
    for place in range(40, 80):
        assert await reason.push(batch(place, "look", 20)) == 204
    # Once confirmed, it is asked each time again.
    assert len(reason.documents.counts) > 20


def _patched(patch: pytest.MonkeyPatch) -> Documents:
    documents = Documents()
    for name in ("batch_get", "run_query", "count"):
        patch.setattr(firestore, name, getattr(documents, name))
    return documents


async def test_what_is_kept_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = _patched(monkeypatch)
    monkeypatch.setattr(caches, "_MAX_KEPT", 5)
    monkeypatch.setattr(caches, "_MAX_CHARACTERS", 20)
    kept = Caches()
    wanted = [names.document("projects", PROJECT, "caches", str(number)) for number in range(8)]
    for number, name in enumerate(wanted):
        documents.put(name, value="1", mark=f"m{number}")
    assert len(await kept.read(PROJECT, "s", wanted)) == 8
    await kept.read(PROJECT, "s", wanted)
    assert documents.counts == [5]
    # Of 8 characters each, two have room.
    kept.wrote({name: {"value": "12345678", "mark": name} for name in wanted}, [None] * 8)
    await kept.read(PROJECT, "s", wanted[6:])
    assert documents.counts == [5, 2]
    await kept.read(PROJECT, "s", wanted[:6])
    assert documents.counts == [5, 2]


async def test_a_cache_is_read_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = _patched(monkeypatch)
    name = names.document("projects", PROJECT, "caches", "a")
    documents.put(name, value='{"b":1.0,"a":2}', mark="m")
    for _ in range(2):
        found = await Caches().read(PROJECT, "s", [name])
        (cache,) = found.values()
        assert isinstance(cache, Cache)
        assert (cache.value, cache.mark, cache.update_time.seconds) == ('{"b":1.0,"a":2}', "m", 1)
