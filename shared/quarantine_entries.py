"""Entries of a project's quarantine: list them, read their bytes, send them again, delete them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared import names
from shared.clients import firestore, pubsub
from shared.clients.firestore_pb import messages
from shared.errors import FulcrumError, Rejected
from shared.messages import VERSION
from shared.quarantine import part_name, wrap
from shared.values import from_fields, to_value

PAGE = 300
_DEAD = "CloudPubSubDeadLetterSource"
# Subscription → its topic, which Pub/Sub does not say of a dead letter. functions/services.yaml is the list;
# no function has that at hand, so a test holds that these are the same.
TOPICS = {
    "default-processor-message-processor": "default-processor",
    "writer-transponder": "writer",
    "jobs-jobs": "jobs",
    "email-emailer": "email",
}
# All but the bytes, which may be many.
_LISTED = (
    "errorType",
    "message",
    "service",
    "topic",
    "subscription",
    "time",
    "publishTime",
    "sourceMessageId",
    "index",
    "projectId",
    "networkId",
    "attributes",
    "size",
    "parts",
)


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


async def listed(project_id: str, wanted: Callable[[Entry], bool]) -> AsyncIterator[Entry]:
    """The entries of a project that are wanted, the latest first."""
    after: Any = None
    while True:
        page = await firestore.run_query(names.project(project_id), _query(after))
        for document in page:
            entry = Entry(project_id, document.id, from_fields(document.fields))
            if wanted(entry):
                yield entry
        if len(page) < PAGE:
            return
        after = page[-1]


async def get(project_id: str, entry_id: str) -> Entry:
    """One entry by its id; Missing if there is none."""
    name = names.quarantined(project_id, entry_id)
    found = (await firestore.batch_get([name], _LISTED)).get(name)
    if found is None:
        raise Missing(f"project {project_id} has no quarantine entry {entry_id}")
    return Entry(project_id, entry_id, from_fields(found.fields))


async def read_data(entry: Entry) -> bytes:
    """The original bytes; Missing if they are not all there (any more)."""
    count = entry.fields.get("parts")
    documents = [part_name(entry.project_id, entry.id, i) for i in range(count)] if count else [entry.name]
    found = await firestore.batch_get(documents, ["data"])
    if len(found) < len(documents):
        raise Missing(f"entry {entry.id} was deleted meanwhile")
    return b"".join(found[name].fields["data"].bytes_value for name in documents)


def topic_of(entry: Entry, topics_by_subscription: Mapping[str, str]) -> str:
    """Where an entry is sent again; Rejected if nothing tells."""
    topic = entry.text("topic") or topics_by_subscription.get(entry.text("subscription"), "")
    if not topic:
        raise Rejected("redrive.noTopic", f"entry {entry.id} names no topic: say where it goes with --topic")
    return topic


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


async def redrive(entry: Entry, topic: str) -> None:
    """Publish an entry again and then delete it: at least once, as every effect is idempotent."""
    await pubsub.publish(topic, [message_of(entry, await read_data(entry))])
    await delete(entry)


async def delete(entry: Entry) -> None:
    """Delete an entry, then its parts: what is left of a deletion that was cut short expires by itself."""
    pb = messages()
    parts = [part_name(entry.project_id, entry.id, i) for i in range(entry.fields.get("parts") or 0)]
    for documents in ([entry.name], parts):
        codes = await firestore.batch_write([pb.Write(delete=name) for name in documents])
        if any(codes):
            raise FulcrumError(f"entry {entry.id} could not be deleted: status codes {sorted(set(codes))}")


def _query(after: Any) -> Any:
    query = messages().StructuredQuery()
    query.from_.add(collection_id="quarantine")
    for field in _LISTED:
        query.select.fields.add(field_path=field)
    for field in ("time", "__name__"):
        query.order_by.add(direction=2).field.field_path = field
    query.limit.value = PAGE
    if after is not None:
        query.start_at.values.append(to_value(from_fields(after.fields)["time"]))
        query.start_at.values.add().reference_value = after.name
    return query
