"""What outlives the process: topics, subscriptions, messages not yet acknowledged, their failures.

Changes gather here and are written in one transaction by :meth:`Journal.flush`, which every call does
before it answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulators.kit.records import Records
from emulators.pubsub.messages import Message, load


class Journal:
    """Pending puts and deletes in front of :class:`emulators.kit.records.Records`."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.durable = records.durable
        self._puts: dict[tuple[str, str], bytes] = {}
        self._deletes: set[tuple[str, str]] = set()

    def put_resource(self, kind: str, proto: Any) -> None:
        """Keep a topic or subscription as it is now."""
        self._put(kind, proto.name, proto.SerializeToString())

    def delete_resource(self, kind: str, name: str) -> None:
        """Forget a topic or subscription."""
        self._delete(kind, name)

    def put(self, subscription: str, message: Message, failures: int = 0) -> None:
        """Keep a message of a subscription until it is acknowledged."""
        if self.durable:
            self._put("message", _key(subscription, message.number), message.proto.SerializeToString())
            if failures:
                self.count(subscription, message, failures)

    def count(self, subscription: str, message: Message, failures: int) -> None:
        """Keep how often a message has failed."""
        self._put("failures", _key(subscription, message.number), b"%d" % failures)

    def delete(self, subscription: str, message: Message, failures: int) -> None:
        """Forget a message of a subscription."""
        if self.durable:
            key = _key(subscription, message.number)
            self._delete("message", key)
            if failures:
                self._delete("failures", key)

    def _put(self, kind: str, key: str, value: bytes) -> None:
        if self.durable:
            self._deletes.discard((kind, key))
            self._puts[kind, key] = value

    def _delete(self, kind: str, key: str) -> None:
        if self.durable:
            self._puts.pop((kind, key), None)
            self._deletes.add((kind, key))

    @property
    def pending(self) -> bool:
        """Whether there is anything to flush."""
        return bool(self._puts or self._deletes)

    def flush(self) -> None:
        """Write all that has gathered, in one transaction."""
        if not (self._puts or self._deletes):
            return
        puts, deletes = self._puts, self._deletes
        self._puts, self._deletes = {}, set()
        self._records.write([(kind, key, value) for (kind, key), value in puts.items()], deletes)

    def resources(self, kind: str) -> Iterator[bytes]:
        """The topics or subscriptions that were kept, serialised."""
        return (value for _, value in self._records.read(kind))

    def messages(self) -> Iterator[tuple[str, Message, int]]:
        """(subscription, message, failures) in the order of publication within a subscription."""
        failures = {key: int(value) for key, value in self._records.read("failures")}
        for key, data in self._records.read("message"):
            subscription, number = key.split("\n")
            yield subscription, load(int(number), data), failures.get(key, 0)

    def clear(self) -> None:
        """Forget everything."""
        self._puts.clear()
        self._deletes.clear()
        self._records.clear()


def _key(subscription: str, number: int) -> str:
    return f"{subscription}\n{number:020d}"
