"""Entries of a project's quarantine: their bytes, and the message that sends them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared import names
from shared.clients import firestore
from shared.errors import FulcrumError, Rejected
from shared.messages import VERSION
from shared.quarantine import part_name, wrap

_DEAD = "CloudPubSubDeadLetterSource"
# Subscription → its topic, which Pub/Sub does not say of a dead letter. functions/services.yaml is the list;
# no function has that at hand, so a test holds that these are the same.
TOPICS = {
    "default-processor-message-processor": "default-processor",
    "writer-transponder": "writer",
    "reason-reason": "reason",
    "jobs-jobs": "jobs",
    "deploy-deployer": "deploy",
    "email-emailer": "email",
    "messenger-messenger": "messenger",
    "scheduler-scheduler": "scheduler",
    "outbound-rest-outbound": "outbound",
    "simulator-simulator": "simulator",
    "curation-db-curator": "curation",
}
_MAIL = {"email", "messenger"}


@dataclass(frozen=True)
class Entry:
    """One entry as stored, without its bytes."""

    project_id: str
    id: str
    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A field as text, empty if there is none."""
        value = self.fields.get(name)
        return "" if value is None else str(value)

    @property
    def name(self) -> str:
        """The document's full name."""
        return names.quarantined(self.project_id, self.id)


class Missing(FulcrumError):
    """There is no such entry."""


async def read_data(entry: Entry) -> bytes:
    """The original bytes; Missing if they are not all there (any more)."""
    count = entry.fields.get("parts")
    documents = [part_name(entry.project_id, entry.id, i) for i in range(count)] if count else [entry.name]
    found = await firestore.batch_get(documents, ["data"])
    if len(found) < len(documents):
        raise Missing(f"entry {entry.id} was deleted meanwhile")
    return b"".join(found[name].fields["data"].bytes_value for name in documents)


def topic_of(entry: Entry) -> str:
    """Where an entry is sent again; Rejected if nothing tells."""
    topic = entry.text("topic") or TOPICS.get(entry.text("subscription"), "")
    if not topic:
        raise Rejected("redrive.noTopic", f"entry {entry.id} names no topic")
    return topic


def is_mail(entry: Entry) -> bool:
    """Whether an entry is a mail or SMS, which may hold a link that sets somebody's password, or a code."""
    return not _MAIL.isdisjoint((entry.text("topic"), TOPICS.get(entry.text("subscription"), "")))


def message_of(entry: Entry, data: bytes) -> tuple[bytes, dict[str, str]]:
    """The message that sends an entry again: the original bytes, in their route again, as if nothing had
    passed it yet."""
    attributes: dict[str, str] = dict(entry.fields.get("attributes") or {})
    if entry.fields.get("subscription") is not None:
        sent = {key: value for key, value in attributes.items() if not key.startswith(_DEAD)}
        return data, {**sent, "hops": "0"}
    wrapped = wrap(data, attributes.get("options", "").encode(), attributes.get("route", "").encode())
    sent = {"v": VERSION, "hops": "0"}
    if attributes.get("projectId"):
        sent["projectId"] = attributes["projectId"]
    return wrapped, sent
