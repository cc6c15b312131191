"""One event that cannot be processed, among 499 that can: it alone is set aside, bytes intact."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from google.cloud import pubsub_v1

from demo import fleet, setup
from shared import clock, messages
from tests.faults.fleet_run import Run, running

SIZE = 500
POISON_AT = 250
# A list where a text belongs: JSON all right, but no message of ours.
POISON = b'{"type":"inboundDataEventMsg","id":"bad","deviceId":["\\u00e4", 1.50],  "data":7 }'

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with running(tmp_path_factory.mktemp("poison")) as started:
        yield started


def inbound(number: int, **other: Any) -> bytes:
    """A message for ``default-processor``, a good one unless told otherwise."""
    device = fleet.devices()[number % 50]
    now = clock.now_ms()
    event = messages.InboundDataEvent(
        id=f"poison-{uuid.uuid4()}",
        hash="h",
        time=now,
        received_time=now,
        project_id=setup.PROJECT,
        network_id=device.network,
        alias_key=device.alias_key,
        device_id=device.value,
        data=[messages.Write("n", number)],
    )
    return msgspec.json.encode(msgspec.structs.replace(event, **other))


def known(number: int, paths: int = 1) -> bytes:
    """A message for ``writer`` with that many paths."""
    device = fleet.devices()[number % 50]
    now = clock.now_ms()
    event = messages.DeviceDataEvent(
        id=f"known-{uuid.uuid4()}",
        hash="h",
        time=now,
        received_time=now,
        project_id=setup.PROJECT,
        device_id=device.id,
        blueprint_id=device.blueprint,
        system_id="main",
        data=[messages.Write(f"p{path}", number) for path in range(paths)],
    )
    return msgspec.json.encode(event)


def damaged(message: bytes, value: bytes) -> bytes:
    """A message with something else where its first value stands."""
    head, mark, tail = message.partition(b'"value":')
    return head + mark + value + tail[tail.index(b"}") :]


def of_the_run(run: Run, message: bytes) -> bytes:
    """The message under the id that the platform gave to its device."""
    for planned, made in zip(fleet.devices(), run.devices, strict=True):
        message = message.replace(f'"{planned.id}"'.encode(), f'"{made.id}"'.encode())
    return message


DEEP = b"[" * 5_000 + b"]" * 5_000


@pytest.mark.parametrize(
    ("topic", "poison", "good"),
    [
        ("default-processor", POISON, inbound),
        ("writer", POISON, known),
        ("writer", known(7, paths=1_500), known),
        ("default-processor", damaged(inbound(7), DEEP), inbound),
        ("default-processor", damaged(inbound(7), rb'"\ud800"'), inbound),
        ("default-processor", inbound(7, device_id="nobody's", received_time=10**18), inbound),
        ("writer", damaged(known(7), DEEP), known),
        ("writer", damaged(known(7), rb'"\ud800"'), known),
        ("writer", damaged(known(7), b'"\xff"'), known),
        ("writer", damaged(known(7), b"9" * 4_000), known),
    ],
    ids=[
        "no inbound message",
        "no device message",
        "more paths than a device may have",
        "inbound, nested too deep",
        "inbound, half a surrogate pair",
        "inbound, of nobody at a time that no calendar has",
        "nested too deep",
        "half a surrogate pair",
        "not UTF-8",
        "a number that no store holds",
    ],
)
def test_the_poisoned_event_alone_is_set_aside(
    run: Run, topic: str, poison: bytes, good: Callable[[int], bytes]
) -> None:
    before = {entry.id for entry in run.store.collection("projects", setup.PROJECT, "quarantine").stream()}
    unscoped = run.store.collection("projects", "none", "quarantine")
    before |= {entry.id for entry in unscoped.stream()}
    poison = of_the_run(run, poison)
    batch = [of_the_run(run, good(number)) for number in range(SIZE)]
    batch[POISON_AT] = poison
    rows_before = run.prove().events
    run.stack.reset_calls("pubsub")

    publisher = pubsub_v1.PublisherClient()
    path = publisher.topic_path(run.stack.project, topic)
    data = b"[" + b",".join(batch) + b"]"
    publisher.publish(path, data, v="1", hops="1", projectId=setup.PROJECT).result(30)
    publisher.transport.close()
    run.stack.drain(60, skip_backoff=True)

    entries = [*run.store.collection("projects", setup.PROJECT, "quarantine").stream(), *unscoped.stream()]
    added = [entry.to_dict() or {} for entry in entries if entry.id not in before]
    assert [entry["data"] for entry in added] == [poison]
    assert run.prove().events - rows_before == SIZE - 1
    # default-processor, writer and quarantine: one delivery each, and at the most one repetition.
    assert run.stack.calls("pubsub")["Push"] <= 4
