"""Where Google's emulator is known to answer otherwise than ours: the one table, read by the tests.

Ours follows the service's documentation; Google's emulator (0.8.20, ran) leaves these out. An entry is
checked on both sides: when Google's emulator changes, its test fails and the entry can go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """``google`` is what a test sees there; ``reason`` why ours differs."""

    google: Any
    reason: str


_EMPTY = "empty fields are left out in JSON by the service"
_NO_LIMIT = "the documented limit is not enforced there"

DIFFERENCES: dict[str, Difference] = {
    "code.publish.attributes": Difference("OK", _NO_LIMIT),
    "code.publish.attribute-key": Difference("OK", _NO_LIMIT),
    "code.publish.attribute-key-empty": Difference("OK", _NO_LIMIT),
    "code.publish.attribute-key-goog": Difference("OK", _NO_LIMIT),
    "code.publish.attribute-value": Difference("OK", _NO_LIMIT),
    "code.publish.ordering-key": Difference("OK", _NO_LIMIT),
    "code.publish.request-size": Difference("OK", "its limit is 10 MiB and more; the service's is 10 MB"),
    "code.subscription.ack-deadline-9": Difference("OK", _NO_LIMIT),
    "code.subscription.ttl": Difference("OK", _NO_LIMIT),
    "code.subscription.filter-syntax": Difference("OK", "filters are stored there and never read"),
    "code.subscription.filter-size": Difference("OK", "filters are stored there and never read"),
    "code.subscription.dead-letter-empty": Difference("NOT_FOUND", "an empty name is looked up there"),
    "code.subscription.retained-acked": Difference("OK", "only Seek reads it, which ours refuses by name"),
    "code.subscription.exactly-once": Difference("OK", "Fulcrum does not use it; ours refuses it by name"),
    "code.subscription.bigquery": Difference("OK", "ours refuses it by name rather than ignore it"),
    "code.pull.negative": Difference("OK", "a negative max_messages is taken as none there"),
    "code.modack.too-long": Difference("OK", _NO_LIMIT),
    "code.list-topics.project": Difference("UNKNOWN", "it fails on a malformed project"),
    "code.topic-subscriptions.missing": Difference("OK", "an empty list there, NOT_FOUND in the service"),
    "code.snapshot": Difference("OK", "Seek and snapshots: Fulcrum does not use them; refused by name"),
    "topic.update-labels": Difference("INVALID_ARGUMENT", "labels cannot be updated there"),
    "subscription.update-labels": Difference("INVALID_ARGUMENT", "labels cannot be updated there"),
    "subscription.default-expiration": Difference(0, "the documented default of 31 days is not set there"),
    "subscription.long-retention": Difference(
        "INVALID_ARGUMENT", "its maximum is still 7 days; the service's is 31"
    ),
    "filter.delivered": Difference([b"plain", b"wanted"], "filters are stored there and never read"),
    "retry.waits": Difference(False, "a retry policy is stored there and never read"),
    "order.redelivered": Difference([], "a nack there holds the key back until the deadline of the rest"),
    "dead-letter.published": Difference(r"T\d\d:\d\d:\d\d\.\d{3}Z$", "the service writes +00:00"),
    "push.ordering-key": Difference(None, "left out there, documented for the service"),
    "push.delivery-attempt": Difference(None, "left out there, documented for the service"),
    "push.empty-data": Difference("", _EMPTY),
    "push.no-attributes": Difference({}, _EMPTY),
    "push.status-203": Difference(1, "taken for an acknowledgement there; not in the service's list"),
    "push.unwrapped-binary": Difference(b"raw \xef\xbf\xbd", "data is taken for UTF-8 text there"),
    "push.unwrapped-ordering-key": Difference("x-goog-ordering-key", "its header has another name there"),
}  # fmt: skip


def known(kind: str, name: str, ours: Any) -> Any:
    """What to expect of an emulator: ``ours``, or for Google's what the table says, if it does."""
    if kind == "google" and name in DIFFERENCES:
        return DIFFERENCES[name].google
    return ours
