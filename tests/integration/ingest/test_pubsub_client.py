"""The publishing client on the emulator: what each answer of Pub/Sub becomes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.pubsub_v1.types import PublishRequest, PublishResponse

from shared.clients import pubsub, pubsub_pb
from shared.config import settings
from shared.errors import Rejected, Transient
from tests.integration.ingest.conftest import Stack


@pytest.fixture
async def client(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", stack.pubsub.grpc)
    settings.cache_clear()
    yield stack
    await pubsub.close()
    settings.cache_clear()


def test_the_declared_messages_are_the_official_ones() -> None:
    declared = (pubsub_pb.PublishRequest, pubsub_pb.PublishResponse)
    for message, official in zip(declared, (PublishRequest.pb(), PublishResponse.pb()), strict=True):
        assert _shape(message.DESCRIPTOR).items() <= _shape(official.DESCRIPTOR).items()


def _shape(descriptor: Any) -> dict[tuple[str, str], tuple[int, int, bool]]:
    shape = {}
    for field in descriptor.fields:
        shape[descriptor.full_name, field.name] = (field.number, field.type, field.is_repeated)
        if field.message_type is not None and field.message_type.file.package == "google.pubsub.v1":
            shape |= _shape(field.message_type)
    return shape


async def test_a_list_goes_in_one_call_and_comes_out_whole(client: Stack) -> None:
    sent = [(bytes([n]) * n, {"n": str(n), "ü": "é"}) for n in range(1, 20)]
    ids = await pubsub.publish("default-processor", sent)
    assert len(set(ids)) == 19
    assert client.calls(client.pubsub)["Publish"] == 1
    received = await asyncio.to_thread(client.pull, 19)
    assert sorted((m.message.data, dict(m.message.attributes)) for m in received) == sorted(
        sent, key=lambda message: message[0]
    )
    assert {m.message.message_id for m in received} == set(ids)
    assert await pubsub.publish("default-processor", []) == []


async def test_callers_that_come_first_together_share_one_channel(client: Stack) -> None:
    await asyncio.gather(*(pubsub.publish("default-processor", [(b"x", {})]) for _ in range(20)))
    assert client.calls(client.pubsub)["Publish"] == 20


async def test_an_unknown_topic_is_rejected(client: Stack) -> None:
    with pytest.raises(Rejected) as caught:
        await pubsub.publish("nowhere", [(b"x", {})])
    assert caught.value.error_type == "topic.unknown"
    assert client.calls(client.pubsub)["Publish"] == 1


async def test_a_message_that_pubsub_refuses_is_rejected(client: Stack) -> None:
    with pytest.raises(Rejected) as caught:
        await pubsub.publish("default-processor", [(b"", {})])
    assert caught.value.error_type == "message.tooLarge"


@pytest.mark.parametrize(
    ("code", "calls"),
    [("UNAVAILABLE", 4), ("INTERNAL", 4), ("RESOURCE_EXHAUSTED", 1), ("PERMISSION_DENIED", 1)],
)
async def test_what_may_work_later_is_transient(client: Stack, code: str, calls: int) -> None:
    client.faults(client.pubsub, {"method": "Publish", "error_rate": 1.0, "code": code})
    with pytest.raises(Transient, match=code):
        await pubsub.publish("default-processor", [(b"x", {})])
    assert client.calls(client.pubsub)["Publish"] == calls


async def test_time_is_bounded(client: Stack) -> None:
    client.faults(client.pubsub, {"method": "Publish", "latency_ms": 30_000})
    async with asyncio.timeout(10):
        with pytest.raises(Transient):
            await pubsub.publish("default-processor", [(b"x", {})], within=0.3)


async def test_nobody_there_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    settings.cache_clear()
    with pytest.raises(Transient):
        await pubsub.publish("default-processor", [(b"x", {})], within=1.0)
    await pubsub.close()
    settings.cache_clear()
