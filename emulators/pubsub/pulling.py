"""Pull and StreamingPull: consumers that take messages and acknowledge by id."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from zlib import crc32

from google.pubsub_v1 import types

from emulators.kit.faults import Faults
from emulators.kit.rpc import StatusError
from emulators.pubsub import errors
from emulators.pubsub.backlog import Backlog
from emulators.pubsub.lanes import Entry
from emulators.pubsub.state import Broker, SubscriptionState
from shared import clock

PullResponse = types.PullResponse.pb()
StreamingPullResponse = types.StreamingPullResponse.pb()

# How long Pull waits for a first message. Google's emulator waits about as long; clients give up sooner.
_PULL_WAIT_S = 90.0
_MAX_PULL = 1_000
_ANSWER_BYTES = 4 * 1024 * 1024
_SECOND = 1_000_000_000


class AckIds:
    """Ack ids of one subscription: ``<tag>-<message number>-<lease>``, valid over a restart."""

    def __init__(self, name: str) -> None:
        self._tag = f"{crc32(name.encode()):08x}"

    def of(self, entry: Entry) -> str:
        """The ack id of a delivery."""
        return f"{self._tag}-{entry.message.number}-{entry.lease}"

    def parse(self, ack_id: str) -> tuple[int, int]:
        """(message number, lease); INVALID_ARGUMENT for what is no ack id of this subscription."""
        tag, _, rest = ack_id.partition("-")
        number, _, lease = rest.partition("-")
        if tag != self._tag or not (number.isdecimal() and lease.isdecimal()):
            raise errors.invalid(f"Invalid ack id (ack_id={ack_id})")
        return int(number), int(lease)


def acknowledge(broker: Broker, backlog: Backlog, ack_ids: list[str]) -> None:
    """Acknowledge deliveries; all ids are checked first."""
    ids = AckIds(backlog.name)
    for number, lease in [ids.parse(ack_id) for ack_id in ack_ids]:
        backlog.ack(number, lease)
    backlog.notify()  # what waited behind an acknowledged message of its ordering key
    broker.journal.flush()


def modify(broker: Broker, backlog: Backlog, deadlines: list[tuple[str, int]]) -> None:
    """Set ack deadlines, given as (ack id, seconds from now); 0 is a nack."""
    ids = AckIds(backlog.name)
    now = broker.now_ns()
    parsed = [(ids.parse(ack_id), seconds) for ack_id, seconds in deadlines]
    for _, seconds in parsed:
        check_deadline(seconds)
    for (number, lease), seconds in parsed:
        if seconds == 0:
            backlog.nack(number, lease, now)
        else:
            backlog.extend(number, lease, now + seconds * _SECOND)
    backlog.notify()
    broker.journal.flush()


def check_deadline(seconds: int) -> None:
    """0 to 600 seconds."""
    if not 0 <= seconds <= 600:
        raise errors.outside("ack_deadline_seconds", str(seconds), "0", "600")


class Waiter:
    """Wakes one coroutine whenever a subscription may have something for it."""

    def __init__(self, subscription: SubscriptionState) -> None:
        self._listeners = subscription.backlog.listeners
        self._event = asyncio.Event()

    def __enter__(self) -> Waiter:
        self._listeners.append(self._event.set)
        return self

    def __exit__(self, *_: object) -> None:
        self._listeners.remove(self._event.set)

    def wake(self) -> None:
        """Let the coroutine look again."""
        self._event.set()

    async def wait(self) -> None:
        """Wait for the next wake-up after the last."""
        await self._event.wait()
        self._event.clear()


async def pull(broker: Broker, request: Any) -> Any:
    """Answer Pull: what there is, or the first that comes within 90 s (at once if asked so)."""
    subscription = broker.subscription(request.subscription)
    if request.max_messages <= 0:
        raise errors.invalid("The value for max_messages must be greater than 0.")
    answer = PullResponse()
    limit = min(request.max_messages, _MAX_PULL)
    if _fill(broker, subscription, answer, limit) or request.return_immediately:
        broker.journal.flush()
        return answer
    with Waiter(subscription) as waiter:
        deadline = clock.now_ns() + int(_PULL_WAIT_S * _SECOND)
        while not answer.received_messages and (left := (deadline - clock.now_ns()) / _SECOND) > 0:
            try:
                await asyncio.wait_for(waiter.wait(), left)
            except TimeoutError:
                break
            if subscription.deleted:
                raise errors.not_found(request.subscription)
            _fill(broker, subscription, answer, limit)
    broker.journal.flush()
    return answer


def _fill(broker: Broker, subscription: SubscriptionState, answer: Any, limit: int) -> bool:
    backlog = subscription.backlog
    if backlog.policy.endpoint:
        return False  # the pusher takes them
    entries = backlog.take(broker.now_ns(), limit, _ANSWER_BYTES)
    add_received(backlog, answer, entries)
    return bool(entries)


def add_received(backlog: Backlog, answer: Any, entries: list[Entry]) -> None:
    """Append deliveries to a PullResponse or StreamingPullResponse."""
    ids = AckIds(backlog.name)
    counted = backlog.policy.max_attempts > 0
    add = answer.received_messages.add
    for entry in entries:
        received = add(ack_id=ids.of(entry), message=entry.message.proto)
        if counted:
            received.delivery_attempt = entry.failures + 1


class Stream:
    """One StreamingPull: takes as much as its flow control allows, listens for acks meanwhile."""

    def __init__(self, broker: Broker, faults: Faults, first: Any) -> None:
        _check_first(first)
        self._broker = broker
        self._faults = faults
        self._subscription = broker.subscription(first.subscription)
        self._backlog = self._subscription.backlog
        self._deadline_ns = first.stream_ack_deadline_seconds * _SECOND
        # 0 or less: no limit, as documented.
        self._max_messages = first.max_outstanding_messages
        self._max_bytes = first.max_outstanding_bytes
        self._messages = 0
        self._bytes = 0
        self._waiter = Waiter(self._subscription)
        self._failure: Exception | None = None
        self._closed = False

    def released(self, entry: Entry) -> None:
        """A message of this stream is acked, nacked or expired: there is room again."""
        self._messages -= 1
        self._bytes -= entry.message.size
        self._waiter.wake()

    async def run(self, first: Any, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The answers of the stream, until the client closes it or something is wrong."""
        with self._waiter:
            reader = asyncio.ensure_future(self._read(first, requests))
            try:
                yield self._answer([])
                while not self._closed:
                    if entries := self._take():
                        self._faults.after("StreamingPull")
                        yield self._answer(entries)
                    await self._waiter.wait()
                    self._check()
                self._check()
            finally:
                reader.cancel()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._subscription.deleted:
            raise errors.not_found(self._backlog.name)

    def _take(self) -> list[Entry]:
        limit, space = _MAX_PULL, _ANSWER_BYTES
        if self._max_messages > 0:
            limit = min(limit, self._max_messages - self._messages)
        if self._max_bytes > 0:
            space = min(space, self._max_bytes - self._bytes)
        if limit <= 0 or space <= 0 or self._closed or self._backlog.policy.endpoint:
            return []
        entries = self._backlog.take(
            self._broker.now_ns(), limit, space, holder=self, deadline_ns=self._deadline_ns
        )
        self._messages += len(entries)
        self._bytes += sum(entry.message.size for entry in entries)
        if entries:
            self._waiter.wake()  # there may be more than fits one answer
        return entries

    def _answer(self, entries: list[Entry]) -> Any:
        answer = StreamingPullResponse()
        answer.subscription_properties.message_ordering_enabled = self._backlog.policy.ordered
        add_received(self._backlog, answer, entries)
        return answer

    async def _read(self, first: Any, requests: AsyncIterator[Any]) -> None:
        try:
            self._apply(first)
            async for request in requests:
                if request.subscription:
                    raise errors.invalid("subscription may only be set in the first message of the stream.")
                if request.stream_ack_deadline_seconds:
                    _check_stream_deadline(request.stream_ack_deadline_seconds)
                    self._deadline_ns = request.stream_ack_deadline_seconds * _SECOND
                self._apply(request)
        except StatusError as error:
            self._failure = error
        self._closed = True
        self._waiter.wake()

    def _apply(self, request: Any) -> None:
        if request.ack_ids:
            acknowledge(self._broker, self._backlog, request.ack_ids)
        ids, seconds = request.modify_deadline_ack_ids, request.modify_deadline_seconds
        if len(ids) != len(seconds):
            raise errors.invalid("modify_deadline_ack_ids and modify_deadline_seconds differ in length.")
        if ids:
            modify(self._broker, self._backlog, list(zip(ids, seconds, strict=True)))


def _check_first(first: Any) -> None:
    if not first.subscription:
        raise errors.invalid("The first message of the stream must set subscription.")
    if not first.stream_ack_deadline_seconds:
        raise errors.invalid("The first message of the stream must set stream_ack_deadline_seconds.")
    _check_stream_deadline(first.stream_ack_deadline_seconds)


def _check_stream_deadline(seconds: int) -> None:
    if not 10 <= seconds <= 600:
        raise errors.outside("stream_ack_deadline_seconds", str(seconds), "10", "600")
