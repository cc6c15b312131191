"""The delivery rules under any order of publishing, taking, acking, nacking and passing time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from emulators.pubsub.backlog import Backlog
from emulators.pubsub.lanes import Entry
from emulators.pubsub.messages import Message, PubsubMessage
from emulators.pubsub.settings import Policy

SECOND = 1_000_000_000


def policy(**changes: Any) -> Policy:
    values: dict[str, Any] = {
        "ack_deadline_ns": 10 * SECOND,
        "retention_ns": 1_000_000 * SECOND,
        "ordered": False,
        "filter": None,
        "backoff_ns": None,
        "dead_letter_topic": "",
        "max_attempts": 0,
        "endpoint": "",
        "wrapped": True,
        "write_metadata": False,
    }
    return Policy(**(values | changes))


@dataclass
class Recorder:
    """The owner of a backlog: what has left it, and how."""

    gone: set[int] = field(default_factory=set)
    dead: set[int] = field(default_factory=set)

    def removed(self, backlog: Backlog, entry: Entry) -> None:
        self.gone.add(entry.message.number)

    def failed(self, backlog: Backlog, entry: Entry) -> None:
        assert entry.message.number not in self.dead

    def dead_letter(self, backlog: Backlog, entry: Entry) -> bool:
        self.dead.add(entry.message.number)
        return True

    def due(self, due_ns: int) -> None:
        assert due_ns > 0


class Delivery(RuleBasedStateMachine):
    """One subscription with one consumer that does anything, on a clock that jumps."""

    @initialize(ordered=st.booleans(), backoff=st.booleans(), dead=st.booleans())
    def start(self, ordered: bool, backoff: bool, dead: bool) -> None:
        self.now = SECOND
        self.number = 0
        self.keys: dict[int, str] = {}
        self.out: dict[int, Entry] = {}
        self.acked: set[int] = set()
        self.old: list[tuple[int, int]] = []
        self.owner = Recorder()
        self.backlog = Backlog(
            "projects/p/subscriptions/s",
            policy(
                ordered=ordered,
                backoff_ns=(10 * SECOND, 40 * SECOND) if backoff else None,
                max_attempts=5 if dead else 0,
            ),
            self.owner,
        )
        for key in ("j", "k", ""):
            self.publish(key, 4)

    def released(self, entry: Entry) -> None:
        del self.out[entry.message.number]

    def take(self, limit: int, lane_limit: int) -> list[int]:
        entries = self.backlog.take(self.now, limit, holder=self, lane_limit=lane_limit)
        for entry in entries:
            assert entry.message.number not in self.out, "delivered twice at once"
            self.out[entry.message.number] = entry
            self.old.append((entry.message.number, entry.lease))
        return [entry.message.number for entry in entries]

    @rule(key=st.sampled_from(["", "j", "k"]), count=st.integers(1, 4))
    def publish_more(self, key: str, count: int) -> None:
        self.publish(key, count)

    def publish(self, key: str, count: int) -> None:
        for _ in range(count):
            self.number += 1
            self.keys[self.number] = key
            self.backlog.add(Message(self.number, self.now, PubsubMessage(data=b"x", ordering_key=key)))

    @rule(limit=st.integers(1, 12), lane_limit=st.sampled_from([1, 1000]))
    def deliver(self, limit: int, lane_limit: int) -> None:
        before = {self.keys[number] for number in self.out}
        taken = self.take(limit, lane_limit)
        if not self.backlog.policy.ordered:
            assert not self.acked & set(taken), "delivered after its ack"
            return
        for key in ("j", "k"):
            group = [number for number in taken if self.keys[number] == key]
            assert not (group and key in before), "more of a key while some of it was out"
            assert group == sorted(group)
            assert len(group) <= lane_limit
            waiting = [
                n for n, k in self.keys.items() if k == key and n not in self.owner.gone | set(self.out)
            ]
            if group and waiting:
                assert group[-1] < min(waiting), "an earlier message of the key was passed over"

    @rule(data=st.data())
    def ack(self, data: st.DataObject) -> None:
        if self.out:
            entry = self.out[data.draw(st.sampled_from(sorted(self.out)))]
            self.backlog.ack(entry.message.number, entry.lease)
            self.acked.add(entry.message.number)

    @rule(data=st.data())
    def ack_an_old_delivery(self, data: st.DataObject) -> None:
        if self.old:
            number, lease = data.draw(st.sampled_from(self.old))
            present = number in self.out and self.out[number].lease == lease
            before = len(self.backlog)
            self.backlog.ack(number, lease)
            if self.backlog.policy.ordered and self.keys[number] and not present:
                assert len(self.backlog) == before, "taken out of its place in the order"
            if number in self.owner.gone:
                self.acked.add(number)

    @rule(data=st.data())
    def nack(self, data: st.DataObject) -> None:
        if self.out:
            entry = self.out[data.draw(st.sampled_from(sorted(self.out)))]
            self.backlog.nack(entry.message.number, entry.lease, self.now)

    @rule(data=st.data(), seconds=st.integers(1, 600))
    def extend(self, data: st.DataObject, seconds: int) -> None:
        if self.out:
            entry = self.out[data.draw(st.sampled_from(sorted(self.out)))]
            self.backlog.extend(entry.message.number, entry.lease, self.now + seconds * SECOND)

    @rule(seconds=st.sampled_from([1, 9, 11, 50, 700]))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.backlog.tick(self.now)
        for entry in self.out.values():
            assert entry.due_ns > self.now, "an expired delivery is still out"

    @invariant()
    def what_is_counted_is_what_is_out(self) -> None:
        if hasattr(self, "backlog"):
            assert self.backlog.outstanding == len(self.out)
            assert self.backlog.undelivered() >= 0

    def teardown(self) -> None:
        """In the end everything is acknowledged or dead: nothing is ever stuck or lost."""
        if not hasattr(self, "backlog"):
            return
        for _ in range(200):
            if not len(self.backlog):
                break
            self.now += 700 * SECOND
            self.backlog.tick(self.now)
            for number in self.take(1000, 1000):
                self.backlog.ack(number, self.out[number].lease)
                self.acked.add(number)
        assert len(self.backlog) == 0
        assert self.acked | self.owner.dead == set(self.keys)


Delivery.TestCase.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
TestDelivery = Delivery.TestCase


def test_a_dead_letter_never_comes_back_with_an_earlier_one_of_its_key() -> None:
    owner = Recorder()
    backlog = Backlog("projects/p/subscriptions/s", policy(ordered=True, max_attempts=5), owner)
    for number, failures in ((1, 0), (2, 4), (3, 0)):
        backlog.add(Message(number, SECOND, PubsubMessage(data=b"x", ordering_key="k")), failures)
    first, second, _ = backlog.take(SECOND, 3)
    backlog.nack(2, second.lease, SECOND)
    assert owner.dead == {2}
    backlog.nack(1, first.lease, SECOND)
    assert [entry.message.number for entry in backlog.take(SECOND, 3)] == [1, 3]
