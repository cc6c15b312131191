"""Publishing to Pub/Sub: one call for a list of messages, a few quick retries, a bounded time.

``PUBSUB_EMULATOR_HOST`` is honoured as Google's own client does. One channel for each event loop, opened
at the first call.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared import names
from shared.clients.channel import open_channel
from shared.config import settings
from shared.errors import Rejected, Transient

HOST = "pubsub.googleapis.com"
# What one call takes: Google's limits are 1,000 messages and 10 MB, framing included.
MAX_MESSAGES = 1_000
MAX_BYTES = 9_000_000

_METHOD = "/google.pubsub.v1.Publisher/Publish"
_PAUSES = (0.05, 0.2, 0.6)
_TRY_SECONDS = 4.0
# Worth another try within the same call.
_QUICK = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "INTERNAL", "UNKNOWN", "CANCELLED"})


class _Connection:
    """A channel with the one method in use."""

    def __init__(self, channel: Any) -> None:
        from shared.clients.pubsub_pb import PublishRequest, PublishResponse

        self.channel = channel
        self.request = PublishRequest
        self.publish = channel.unary_unary(
            _METHOD,
            request_serializer=self.request.SerializeToString,
            response_deserializer=PublishResponse.FromString,
        )


@dataclass(frozen=True)
class _Opening:
    """The one attempt to connect that all callers of a loop wait for."""

    loop: asyncio.AbstractEventLoop
    emulator: str
    task: asyncio.Task[_Connection]


_opening: _Opening | None = None


async def _open(emulator: str) -> _Connection:
    return _Connection(await open_channel(emulator, HOST))


async def _connect() -> _Connection:
    global _opening
    loop = asyncio.get_running_loop()
    emulator = settings().pubsub_emulator
    present = _opening
    if present is None or present.loop is not loop or present.emulator != emulator or _failed(present.task):
        present = _opening = _Opening(loop, emulator, loop.create_task(_open(emulator)))
    if present.task.done():
        return present.task.result()
    # One caller that gives up must not end the attempt for the others.
    return await asyncio.shield(present.task)


def _failed(task: asyncio.Task[_Connection]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def close() -> None:
    """Close the channel of the running loop, if it has one."""
    global _opening
    present, _opening = _opening, None
    if present is not None and present.loop is asyncio.get_running_loop() and not _failed(present.task):
        await (await present.task).channel.close()


async def publish(
    topic: str, messages: Sequence[tuple[bytes, Mapping[str, str]]], within: float = 10.0
) -> list[str]:
    """Publish (data, attributes) pairs to a topic, by its short name, in one call; returns message ids.

    All of them are confirmed, or an error is raised: Transient (also after ``within`` seconds; they may
    have been published all the same), Rejected ``topic.unknown`` or ``message.tooLarge``.
    """
    if not messages:
        return []
    import grpc.aio

    deadline = time.monotonic() + within
    connection = await _connected(within)
    name = names.topic(topic)
    request = connection.request(topic=name)
    for data, attributes in messages:
        request.messages.add(data=data, attributes=attributes)
    metadata = (("x-goog-request-params", f"topic={name}"),)
    attempt = 0
    while True:
        left = deadline - time.monotonic()
        try:
            answer = await connection.publish(
                request, timeout=max(0.001, min(left, _TRY_SECONDS)), metadata=metadata
            )
            return list(answer.message_ids)
        except grpc.aio.AioRpcError as error:
            pause = _pause(error, topic, attempt)
            if time.monotonic() + pause >= deadline:
                raise Transient(f"publishing to {topic} took longer than {within:g} s") from error
        attempt += 1
        await asyncio.sleep(pause)


async def _connected(within: float) -> _Connection:
    try:
        async with asyncio.timeout(within):
            return await _connect()
    except Exception as error:  # no credentials, no metadata server: whatever it is, it may pass
        raise Transient(f"Pub/Sub cannot be reached: {error!r}") from error


def _pause(error: Any, topic: str, attempt: int) -> float:
    """How long to wait before the next try, in seconds; raises where no further one makes sense."""
    code: str = error.code().name
    if code == "NOT_FOUND":
        raise Rejected("topic.unknown", f"there is no topic {topic}") from error
    if code == "INVALID_ARGUMENT":
        raise Rejected("message.tooLarge", f"{topic}: {error.details()}") from error
    if code not in _QUICK or attempt >= len(_PAUSES):
        raise Transient(f"publishing to {topic}: {code}: {error.details()}") from error
    return _PAUSES[attempt] * random.uniform(0.5, 1.5)
