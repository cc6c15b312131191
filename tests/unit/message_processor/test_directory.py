"""What is remembered of projects and devices, and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from functions.message_processor import directory as module
from functions.message_processor.directory import Directory, Resolved
from functions.message_processor.events import Key
from functions.simulator.publishing import SOURCE
from shared import clock, names
from shared.clients import firestore
from shared.errors import Rejected, Transient
from tests.support.processing import Service, push
from tests.unit.message_processor.conftest import NETWORK, PROJECT, add_device, event


class _Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ms = 1_000_000
        monkeypatch.setattr(clock, "now_ms", lambda: self.ms)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    return _Clock(monkeypatch)


def _key(value: str = "t-1", project: str | None = PROJECT) -> Key:
    return Key(project, NETWORK, "serial", value)


async def test_known_devices_are_read_once_and_the_revision_every_five_seconds(
    service: Service, time: _Clock
) -> None:
    body = push([event(), event("t-2")])
    await service.post(body)
    assert len(service.documents.reads) == 3  # aliases and revision, devices, blueprint
    assert len(service.documents.reads[0]) == 3
    for _ in range(3):
        time.ms += 1_600
        await service.post(body)
    assert len(service.documents.reads) == 3
    time.ms += 200
    await service.post(body)
    assert service.documents.reads[3:] == [[names.project(PROJECT)]]


async def test_a_new_revision_drops_what_was_known(service: Service, time: _Clock) -> None:
    await service.post(push([event()]))
    stored = service.documents.stored
    stored[names.alias(NETWORK, "serial", "t-1")]["deviceId"] = "d2"
    stored[names.project(PROJECT)]["revision"] = 2
    time.ms += 4_999
    await service.post(push([event()]))
    time.ms += 1
    await service.post(push([event()]))
    assert [e["deviceId"] for e in service.topics.events("writer")] == ["d1", "d1", "d2"]


async def test_the_same_revision_keeps_what_is_known(service: Service, time: _Clock) -> None:
    await service.post(push([event()]))
    service.documents.stored[names.alias(NETWORK, "serial", "t-1")]["deviceId"] = "d2"
    time.ms += 60_000
    await service.post(push([event()]))
    assert [e["deviceId"] for e in service.topics.events("writer")] == ["d1", "d1"]


async def test_an_unknown_name_is_looked_up_again_after_five_seconds(service: Service, time: _Clock) -> None:
    await service.post(push([event("t-9")]))
    add_device(service, "d9", "t-9")
    time.ms += 4_999
    await service.post(push([event("t-9")]))
    assert service.topics.events("writer") == []
    time.ms += 1
    await service.post(push([event("t-9")]))
    assert [e["deviceId"] for e in service.topics.events("writer")] == ["d9"]


async def test_a_clock_that_is_set_back_does_not_keep_anything_longer(service: Service, time: _Clock) -> None:
    await service.post(push([event()]))
    time.ms -= 500_000
    before = len(service.documents.reads)
    await service.post(push([event()]))
    assert service.documents.reads[before:] == [[names.project(PROJECT)]]


async def test_many_batches_at_once_share_the_look_at_the_revision(
    service: Service, time: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.post(push([event()]))
    time.ms += 5_000
    gate = asyncio.Event()
    inner = service.documents.batch_get

    async def slow(*args: Any) -> Any:
        await gate.wait()
        return await inner(*args)

    monkeypatch.setattr(firestore, "batch_get", slow)
    posts = [asyncio.create_task(service.post(push([event()]))) for _ in range(10)]
    await asyncio.sleep(0)
    before = len(service.documents.reads)
    gate.set()
    assert await asyncio.gather(*posts) == [204] * 10
    assert service.documents.reads[before:] == [[names.project(PROJECT)]]


async def test_what_comes_during_the_first_look_is_kept(service: Service, time: _Clock) -> None:
    for n in range(3, 9):
        add_device(service, f"d{n}", f"t-{n}")
    known = Directory()
    keys = [_key(f"t-{n}") for n in range(1, 9)]
    await asyncio.gather(*(known.resolve([key]) for key in keys))
    service.documents.reads.clear()
    results = await known.resolve(keys)
    assert all(isinstance(result, Resolved) for result in results.values())
    assert service.documents.reads == []


async def test_a_failed_look_fails_whoever_waited_for_it_and_is_tried_again(
    service: Service, time: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Directory()
    await known.resolve([_key()])
    time.ms += 5_000
    service.documents.read_errors = [Transient("down")]
    results = await asyncio.gather(*(known.resolve([_key()]) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, Transient) for result in results)
    assert isinstance((await known.resolve([_key()]))[_key()], Resolved)


async def test_what_is_read_while_the_revision_changes_is_not_kept(
    service: Service, time: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Directory()
    await known.resolve([_key("t-2")])
    inner = service.documents.batch_get
    stored = service.documents.stored
    started, gate = asyncio.Event(), asyncio.Event()

    async def slow(wanted: Any, mask: Any = None) -> Any:
        answer = await inner(wanted, mask)
        if names.alias(NETWORK, "serial", "t-1") in list(wanted):
            started.set()
            await gate.wait()
        return answer

    monkeypatch.setattr(firestore, "batch_get", slow)
    first = asyncio.create_task(known.resolve([_key()]))
    await started.wait()
    stored[names.alias(NETWORK, "serial", "t-1")]["deviceId"] = "d2"
    stored[names.project(PROJECT)]["revision"] = 2
    time.ms += 5_000
    await known.resolve([_key("t-2")])
    gate.set()
    old = (await first)[_key()]
    assert isinstance(old, Resolved)
    assert old.device.device_id == "d1"
    monkeypatch.setattr(firestore, "batch_get", inner)
    new = (await known.resolve([_key()]))[_key()]
    assert isinstance(new, Resolved)
    assert new.device.device_id == "d2"


async def test_a_new_revision_seen_by_another_reader_refreshes_known_names(
    service: Service, time: _Clock
) -> None:
    known = Directory()
    await known.resolve([_key(), _key("t-2")])
    service.documents.stored[names.alias(NETWORK, "serial", "t-1")]["deviceId"] = "d2"
    service.documents.stored[names.project(PROJECT)]["revision"] = 2
    time.ms += 5_000
    both = await asyncio.gather(known.resolve([_key()]), known.resolve([_key()]))
    assert [found[_key()].device.device_id for found in both] == ["d2", "d2"]  # type: ignore[union-attr]  # resolved


async def test_memory_is_bounded(service: Service, time: _Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 2)
    monkeypatch.setattr(module, "MAX_PROJECTS", 2)
    known = Directory()
    await known.resolve([_key("t-1"), _key("t-2")])
    await known.resolve([_key("t-1")])
    await known.resolve([_key("t-9")])
    before = len(service.documents.reads)
    await known.resolve([_key("t-1")])
    assert len(service.documents.reads) == before
    await known.resolve([_key("t-2")])
    assert len(service.documents.reads) > before
    for project in ("p1", "p2", "p3"):
        await known.resolve([_key("t-1", project)])
    assert isinstance((await known.resolve([_key()]))[_key()], Resolved)


async def test_a_name_without_project_is_never_remembered(service: Service, time: _Clock) -> None:
    known = Directory()
    for device in ("d1", "d2"):
        service.documents.stored[names.alias(NETWORK, "serial", "t-1")]["deviceId"] = device
        found = (await known.resolve([_key(project=None)]))[_key(project=None)]
        assert isinstance(found, Resolved)
        assert found.device.device_id == device


async def test_an_impossible_project_is_refused_by_name(service: Service, time: _Clock) -> None:
    for project in ("", "a/b", "__x__", "x" * 200):
        result = (await Directory().resolve([_key(project=project)]))[_key(project=project)]
        assert isinstance(result, Rejected)
    assert service.documents.reads == []


async def test_a_project_without_document_is_known_all_the_same(service: Service, time: _Clock) -> None:
    del service.documents.stored[names.project(PROJECT)]
    await service.post(push([event()]))
    await service.post(push([event()]))
    assert len(service.topics.events("writer")) == 2
    assert len(service.documents.reads) == 3


@pytest.mark.parametrize(
    ("fields", "network", "goes_on_under"),
    [
        ({"simulated": True, "simNetworkId": "sim-net"}, "sim-net", "sim-net"),
        ({"simulated": True, "simNetworkId": "sim-net"}, NETWORK, NETWORK),
        ({"simulated": True}, None, NETWORK),
        ({"simulated": False, "simNetworkId": "sim-net"}, "sim-net", None),
        ({"simulated": False}, NETWORK, None),
        ({"simulated": False}, None, None),
        ({"simulated": True, "simNetworkId": "sim-net"}, "other-net", None),
    ],
    ids=[
        *("simulated", "own-network", "no-network", "simulated-no-more"),
        *("real-by-own-network", "real-without-network", "other-network"),
    ],
)
async def test_a_simulated_device_is_known_under_the_network_of_its_simulated_traffic(
    service: Service, fields: dict[str, Any], network: str | None, goes_on_under: str | None
) -> None:
    add_device(service, "sim", **fields)
    sent = event("sim", aliasKey=None, networkId=network, source=SOURCE)
    await service.post(push([sent]))
    found = [(e["deviceId"], e["networkId"], e["source"]) for e in service.topics.events("writer")]
    assert found == ([("sim", goes_on_under, "simulator")] if goes_on_under else [])
