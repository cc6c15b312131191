"""Push delivery: one pusher a subscription, one HTTP session for all."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import Any

import aiohttp
from aiohttp import payload
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from emulators.kit.faults import Faults, InjectedFault
from emulators.pubsub.backlog import Backlog
from emulators.pubsub.lanes import Entry
from emulators.pubsub.messages import rfc3339
from emulators.pubsub.state import Broker, SubscriptionState

# Outstanding pushes of one subscription: the window opens by one with each success, halves with each
# failure. The service's own slow start is of this kind and goes up to 3,000.
FIRST_WINDOW, MAX_WINDOW = 16, 256

_ACK = frozenset({102, 200, 201, 202, 204})
_JSON = {"Content-Type": "application/json", "User-Agent": "APIs-Google"}
_ONE_WRITE = 32 * 1024


class Pushing:
    """The pushers of all push subscriptions."""

    def __init__(self, broker: Broker, faults: Faults) -> None:
        self._broker = broker
        self._faults = faults
        self._pushers: dict[str, Pusher] = {}
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
            timeout=aiohttp.ClientTimeout(total=None),  # the ack deadline ends a push, on the movable clock
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding"),
        )
        broker.changed = self.changed

    def changed(self, subscription: SubscriptionState) -> None:
        """Start, change or end the pusher of a subscription."""
        name = subscription.proto.name
        endpoint = "" if subscription.deleted else subscription.backlog.policy.endpoint
        pusher = self._pushers.get(name)
        if pusher is not None and not endpoint:
            del self._pushers[name]
            pusher.end(abort=subscription.deleted)
        elif pusher is not None:
            pusher.url = URL(endpoint)
        elif endpoint:
            pusher = Pusher(subscription.backlog, URL(endpoint), self.session, self._broker, self._faults)
            self._pushers[name] = pusher
            pusher.wake()

    async def close(self) -> None:
        """End all pushes and the session."""
        for pusher in self._pushers.values():
            pusher.end(abort=True)
        self._pushers.clear()
        await self.session.close()


class Pusher:
    """Pushes the messages of one subscription, many at a time, one of each ordering key."""

    def __init__(
        self, backlog: Backlog, url: URL, session: aiohttp.ClientSession, broker: Broker, faults: Faults
    ) -> None:
        self.url = url
        self._backlog = backlog
        self._session = session
        self._broker = broker
        self._faults = faults
        self._window = FIRST_WINDOW
        self._tasks: dict[Entry, asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()
        self._ended = False
        self._flushing = False
        backlog.listeners.append(self.wake)

    def wake(self) -> None:
        """Push what is ready, as far as the window is open."""
        free = self._window - len(self._tasks)
        if self._ended or free <= 0:
            return
        now = self._broker.now_ns()
        for entry in self._backlog.take(now, free, holder=self, lane_limit=1):
            self._tasks[entry] = self._loop.create_task(self._push(entry, entry.lease))

    def released(self, entry: Entry) -> None:
        """The ack deadline has passed (or the message is acknowledged): stop pushing it."""
        task = self._tasks.pop(entry, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def end(self, *, abort: bool) -> None:
        """Take no more; let those under way finish unless ``abort``."""
        self._ended = True
        self._backlog.listeners.remove(self.wake)
        if abort:
            for task in self._tasks.values():
                task.cancel()
            self._tasks.clear()

    async def _push(self, entry: Entry, lease: int) -> None:
        policy = self._backlog.policy
        try:
            await self._faults.before("Push")
            if policy.wrapped:
                data, headers = wrapped(self._backlog, entry), _JSON
            else:
                data, headers = entry.message.proto.data, _unwrapped_headers(self._backlog, entry)
            async with self._session.post(
                self.url, data=data, headers=headers, allow_redirects=False
            ) as response:
                await response.read()
            self._faults.after("Push")
            accepted = response.status in _ACK
        except (aiohttp.ClientError, OSError, InjectedFault):
            accepted = False  # nobody listens, the connection broke: a failed delivery like any other
        if accepted:
            self._window = min(MAX_WINDOW, self._window + 1)
            self._backlog.ack(entry.message.number, lease)
        else:
            self._window = max(1, self._window // 2)
            self._backlog.nack(entry.message.number, lease, self._broker.now_ns())
            self._backlog.notify()
        if self._broker.journal.pending and not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)  # one transaction for all pushes that end in this turn
        self.wake()

    def _flush(self) -> None:
        self._flushing = False
        self._broker.journal.flush()


class _Body(payload.Payload):
    """A large body in parts, so that the base64 text is never copied into a whole."""

    def __init__(self, parts: list[bytes]) -> None:
        super().__init__(parts, content_type="application/json")
        self._size = sum(map(len, parts))

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        for part in self._value:
            await writer.write(part)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        await self.write(writer)


def wrapped(backlog: Backlog, entry: Entry) -> bytes | _Body:
    """The body of a push: the message in the service's JSON wrapper."""
    proto = entry.message.proto
    fields: dict[str, Any] = {}
    if proto.attributes:
        fields["attributes"] = dict(proto.attributes)
    published = rfc3339(entry.message.publish_ns, "Z")
    fields["messageId"] = fields["message_id"] = proto.message_id
    if proto.ordering_key:
        fields["orderingKey"] = proto.ordering_key
    fields["publishTime"] = fields["publish_time"] = published
    whole: dict[str, Any] = {"subscription": backlog.name}
    if backlog.policy.max_attempts:
        whole["deliveryAttempt"] = entry.failures + 1
    head = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))[:-1].encode()
    tail = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))[1:].encode()
    data = proto.data
    if not data:
        return b'{"message":' + head + b"}," + tail
    parts = [b'{"message":' + head + b',"data":"', b64encode(data), b'"},' + tail]
    return b"".join(parts) if len(parts[1]) < _ONE_WRITE else _Body(parts)


def _unwrapped_headers(backlog: Backlog, entry: Entry) -> dict[str, str]:
    """The headers of a push without wrapper: metadata and attributes, if they are asked for."""
    if not backlog.policy.write_metadata:
        return {}
    proto = entry.message.proto
    headers = {
        "x-goog-pubsub-subscription-name": backlog.name,
        "x-goog-pubsub-message-id": proto.message_id,
        "x-goog-pubsub-publish-time": rfc3339(entry.message.publish_ns, "Z"),
    }
    if proto.ordering_key:
        headers["x-goog-pubsub-ordering-key"] = proto.ordering_key
    if backlog.policy.max_attempts:
        headers["x-goog-pubsub-delivery-attempt"] = str(entry.failures + 1)
    for key, value in proto.attributes.items():
        if key.isascii() and value.isprintable() and key.replace("-", "").replace("_", "").isalnum():
            headers[key] = value  # what is no header stays behind
    return headers
