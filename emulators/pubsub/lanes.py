"""What waits in a subscription: single messages, and lanes of messages with one ordering key."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from emulators.pubsub.messages import Message

WAITING, LEASED, GONE = 0, 1, 2


class Holder(Protocol):
    """Who has taken messages: told of each that is no longer its own (acked, failed or expired)."""

    def released(self, entry: Entry) -> None:
        """``entry`` is no longer outstanding with this holder."""


class Entry:
    """One message in one subscription. ``lease`` numbers its deliveries; ``failures`` its nacks."""

    __slots__ = ("due_ns", "failures", "holder", "lane", "lease", "message", "state")

    def __init__(self, message: Message, failures: int, lane: Lane | None) -> None:
        self.message = message
        self.failures = failures
        self.lane = lane
        self.lease = 0
        self.due_ns = 0
        self.state = WAITING
        self.holder: Holder | None = None


class Lane:
    """The messages of one ordering key, oldest first.

    ``out`` has those handed out, those acknowledged out of order included (GONE): if an earlier one
    fails they are all delivered again. Nothing more is handed out before ``out`` is empty.
    """

    __slots__ = ("delayed", "key", "offered", "out", "queue")

    def __init__(self, key: str) -> None:
        self.key = key
        self.queue: deque[Entry] = deque()
        self.out: deque[Entry] = deque()
        self.offered = False
        self.delayed = False

    def available(self) -> bool:
        """Whether its first message may be handed out and nobody has been told yet."""
        return bool(self.queue) and not (self.out or self.offered or self.delayed)

    def settle(self) -> None:
        """Forget the acknowledged messages at the front of those handed out."""
        while self.out and self.out[0].state == GONE:
            self.out.popleft()

    def take_back(self, entry: Entry) -> list[Entry]:
        """Put a failed message and all handed out after it back in front; return those."""
        out = list(self.out)
        at = out.index(entry)
        self.out = deque(out[:at])
        self.queue.extendleft(reversed(out[at:]))
        return out[at:]
