"""Publishing to Pub/Sub: one call for a list of messages, a few quick retries, a bounded time.

``PUBSUB_EMULATOR_HOST`` is honoured as Google's own client does. One channel for each event loop, opened
at the first call.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from shared import names
from shared.clients.channel import Opened, open_channel
from shared.config import settings
from shared.errors import Rejected, Transient

_HOST = "pubsub.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/pubsub",)
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


async def _open(emulator: str) -> _Connection:
    return _Connection(await open_channel(emulator, _HOST, _SCOPES))


_opened = Opened(_open)


async def close() -> None:
    """Close the channel of the running loop, if it has one."""
    if (connection := await _opened.take()) is not None:
        await connection.channel.close()


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
    connection = await _opened.get(settings().pubsub_emulator, within)
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
