"""The delivery rules of one subscription: leases, ack deadlines, back-off, order, dead letters.

Times are nanoseconds of ``shared.clock``, given by the caller. Nothing here waits: whoever consumes
registers a listener, whoever keeps time calls :meth:`Backlog.tick` at :meth:`Backlog.next_due`.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from typing import Protocol

from emulators.pubsub.lanes import GONE, LEASED, WAITING, Entry, Holder, Lane
from emulators.pubsub.messages import Message
from emulators.pubsub.settings import Policy

_ANY_NUMBER = 1 << 62


class Owner(Protocol):
    """What a backlog tells the rest of the emulator."""

    def removed(self, backlog: Backlog, entry: Entry) -> None:
        """A message has left the subscription for good."""

    def failed(self, backlog: Backlog, entry: Entry) -> None:
        """A message has failed once more and stays."""

    def dead_letter(self, backlog: Backlog, entry: Entry) -> bool:
        """Forward a message that has failed too often; False if there is nowhere to."""

    def due(self, due_ns: int) -> None:
        """Something will have to happen at ``due_ns``."""


class Backlog:
    """The messages of a subscription that are not acknowledged."""

    def __init__(self, name: str, policy: Policy, owner: Owner) -> None:
        self.name = name
        self.policy = policy
        self.outstanding = 0
        self.listeners: list[Callable[[], None]] = []
        self._owner = owner
        self._entries: dict[int, Entry] = {}
        self._ready: deque[Entry | Lane] = deque()
        self._lanes: dict[str, Lane] = {}
        self._leases: list[tuple[int, int, Entry, int]] = []
        self._delayed: list[tuple[int, int, Entry | Lane]] = []
        self._ties = count()

    def __len__(self) -> int:
        return len(self._entries)

    def undelivered(self) -> int:
        """How many messages wait: for a consumer, for their back-off, for their ordering key."""
        return len(self._entries) - self.outstanding

    def oldest_ns(self) -> int | None:
        """The publish time of the oldest message."""
        return min((entry.message.publish_ns for entry in self._entries.values()), default=None)

    def add(self, message: Message, failures: int = 0) -> None:
        """Take in a message; call :meth:`notify` after the last one."""
        key = message.proto.ordering_key if self.policy.ordered else ""
        if not key:
            entry = Entry(message, failures, None)
            self._ready.append(entry)
        else:
            lane = self._lanes.get(key) or self._lanes.setdefault(key, Lane(key))
            entry = Entry(message, failures, lane)
            lane.queue.append(entry)
            self._offer(lane)
        self._entries[message.number] = entry

    def notify(self) -> None:
        """Tell the consumers, if there is anything for them."""
        if self._ready:
            for listener in tuple(self.listeners):
                listener()

    def take(
        self,
        now: int,
        limit: int,
        max_bytes: int = _ANY_NUMBER,
        *,
        holder: Holder | None = None,
        deadline_ns: int = 0,
        lane_limit: int = _ANY_NUMBER,
    ) -> list[Entry]:
        """Lease up to ``limit`` messages, stopping after the one that reaches ``max_bytes``.

        ``lane_limit`` bounds how many of one ordering key go out together. ``deadline_ns`` is the ack
        deadline, the subscription's own if 0.
        """
        taken: list[Entry] = []
        ready = self._ready
        while ready and len(taken) < limit and max_bytes > 0:
            item = ready.popleft()
            if isinstance(item, Lane):
                before = len(taken)  # the lane counts as offered meanwhile: dropping must not offer it again
                while item.queue and len(taken) < min(limit, before + lane_limit) and max_bytes > 0:
                    entry = item.queue.popleft()
                    if self._deliverable(entry, now):
                        item.out.append(entry)
                        max_bytes -= entry.message.size
                        taken.append(entry)
                item.offered = False
                self._offer(item)
            elif self._deliverable(item, now):
                max_bytes -= item.message.size
                taken.append(item)
        due = now + (deadline_ns or self.policy.ack_deadline_ns)
        for entry in taken:
            entry.state = LEASED
            entry.lease += 1
            entry.holder = holder
            self._lease_until(entry, due)
        self.outstanding += len(taken)
        if taken:
            self._compact()
            self._owner.due(due)
        return taken

    def ack(self, number: int, lease: int) -> None:
        """Acknowledge a message. A late ack counts too: better than delivering again what is done.

        Not so in a lane: what was taken back behind a failed message has to follow it once more.
        """
        entry = self._entries.get(number)
        if entry is None or (entry.lane is not None and not self._present(entry, lease)):
            return
        self._release(entry)
        self._remove(entry)

    def nack(self, number: int, lease: int, now: int) -> None:
        """Fail a delivery, if it is the present one; call :meth:`notify` after the last one."""
        entry = self._entries.get(number)
        if entry is not None and self._present(entry, lease):
            self._fail(entry, now)

    def extend(self, number: int, lease: int, due: int) -> None:
        """Move the ack deadline of a delivery, if it is the present one, to ``due``."""
        entry = self._entries.get(number)
        if entry is not None and self._present(entry, lease):
            earlier = due < entry.due_ns
            entry.due_ns = due
            if earlier:
                self._lease_until(entry, due)
                self._owner.due(due)

    def next_due(self) -> int | None:
        """When :meth:`tick` is to be called next."""
        dues = [heap[0][0] for heap in (self._leases, self._delayed) if heap]
        return min(dues, default=None)

    def tick(self, now: int) -> None:
        """Expire ack deadlines and end back-offs that are due."""
        while self._delayed and self._delayed[0][0] <= now:
            item = heapq.heappop(self._delayed)[2]
            if isinstance(item, Lane):
                item.delayed = False
                self._offer(item)
            else:
                self._ready.append(item)
        while self._leases and self._leases[0][0] <= now:
            _, _, entry, lease = heapq.heappop(self._leases)
            if entry.state != LEASED or entry.lease != lease:
                continue
            if entry.due_ns > now:
                self._lease_until(entry, entry.due_ns)
            else:
                self._fail(entry, now)
        self.notify()

    def drop_expired(self, now: int) -> None:
        """Drop what has waited longer than the retention."""
        for entry in [e for e in self._entries.values() if e.state == WAITING and self._expired(e, now)]:
            self._remove(entry)
        self._ready = deque(item for item in self._ready if isinstance(item, Lane) or item.state == WAITING)

    def entries(self) -> Iterable[Entry]:
        """All messages, in order of arrival."""
        return self._entries.values()

    def _present(self, entry: Entry, lease: int) -> bool:
        return entry.state == LEASED and entry.lease == lease

    def _expired(self, entry: Entry, now: int) -> bool:
        return now - entry.message.publish_ns > self.policy.retention_ns

    def _deliverable(self, entry: Entry, now: int) -> bool:
        if entry.state != WAITING:
            return False  # acknowledged late, while it waited
        if self._expired(entry, now):
            self._remove(entry)
            return False
        return True

    def _lease_until(self, entry: Entry, due: int) -> None:
        entry.due_ns = due
        heapq.heappush(self._leases, (due, next(self._ties), entry, entry.lease))

    def _compact(self) -> None:
        """Acknowledged leases stay in the heap until due: drop them when they outnumber the rest."""
        if len(self._leases) > 1024 and len(self._leases) > 4 * self.outstanding:
            self._leases = [
                item for item in self._leases if item[2].state == LEASED and item[2].lease == item[3]
            ]
            heapq.heapify(self._leases)

    def _release(self, entry: Entry) -> None:
        if entry.state == LEASED:
            entry.state = WAITING
            self.outstanding -= 1
            holder, entry.holder = entry.holder, None
            if holder is not None:
                holder.released(entry)

    def _remove(self, entry: Entry) -> None:
        entry.state = GONE
        del self._entries[entry.message.number]
        self._owner.removed(self, entry)
        lane = entry.lane
        if lane is not None:
            lane.settle()
            self._offer(lane)

    def _offer(self, lane: Lane) -> None:
        if lane.available():
            lane.offered = True
            self._ready.append(lane)
        elif not (lane.queue or lane.out):
            self._lanes.pop(lane.key, None)

    def _fail(self, entry: Entry, now: int) -> None:
        self._release(entry)
        entry.failures += 1
        policy = self.policy
        if 0 < policy.max_attempts <= entry.failures and self._owner.dead_letter(self, entry):
            if entry.lane is not None:
                entry.lane.out.remove(entry)  # never to come back with an earlier one
            self._remove(entry)
            return
        self._owner.failed(self, entry)
        item: Entry | Lane = entry
        if entry.lane is not None:
            item = entry.lane
            self._revive(entry.lane.take_back(entry))
        delay = policy.delay_ns(entry.failures)
        if delay:
            if isinstance(item, Lane):
                item.delayed = True
            heapq.heappush(self._delayed, (now + delay, next(self._ties), item))
            self._owner.due(now + delay)
        elif isinstance(item, Lane):
            self._offer(item)
        else:
            self._ready.append(item)

    def _revive(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.state == GONE:
                entry.state = WAITING
                self._entries[entry.message.number] = entry
            else:
                self._release(entry)
