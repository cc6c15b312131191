"""A curation: its messages, and the documents that say how far it is.

``projects/{p}/curations/{run}-{store}``: ``run``, ``store``, ``state`` (running, done, failed), ``now`` (the
instant by which it goes), ``progress`` (JSON text of the store's own), ``result`` (JSON text of what went),
``tries``, ``reason``, ``started``, ``lastModified``, ``expireAt``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from shared import names
from shared.clients import pubsub
from shared.errors import Rejected
from shared.messages import VERSION

TOPIC = "curation"
KEPT = timedelta(days=90)

# Everything that a curation deals with, each by itself. ``snapshot`` writes, all others delete.
STORES = (
    *("snapshot", "history", "events", "runs", "logs", "outbound", "outbox", "unknownDevices"),
    *("quarantine", "timers", "scriptVersions"),
)


class CurateAll(msgspec.Struct, frozen=True, tag="curateMsg", tag_field="type", rename="camel", kw_only=True):
    """All projects, those behind the id ``after``. Cloud Scheduler's has neither run nor time."""

    run: str = ""
    now: int = 0
    after: str = ""


class CurateProject(
    msgspec.Struct, frozen=True, tag="curateProjectMsg", tag_field="type", rename="camel", kw_only=True
):
    """All stores of a project."""

    project_id: str
    run: str
    now: int


class CurateStore(
    msgspec.Struct, frozen=True, tag="curateStoreMsg", tag_field="type", rename="camel", kw_only=True
):
    """One store of a project goes on."""

    project_id: str
    run: str
    now: int
    store: str


Message = CurateAll | CurateProject | CurateStore
_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def decode(data: bytes) -> Message:
    """A message of the topic, or of Cloud Scheduler; Rejected ``message.undecodable`` if it is none."""
    try:
        found = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("message.undecodable", f"not a curation's message: {error}") from None
    if isinstance(found, CurateAll):
        return found
    for part in (found.project_id, found.run):
        if not part or "/" in part or len(part) > 200 or part in (".", ".."):
            raise Rejected("curation.badId", f"{part[:200]!r} is no id")
    if isinstance(found, CurateStore) and found.store not in STORES:
        raise Rejected("curation.unknownStore", f"a store {found.store[:100]!r} is none of ours")
    return found


async def publish(*messages: Message) -> None:
    """Have curations go on. Transient or Rejected where Pub/Sub does not take them."""
    made = []
    for message in messages:
        attributes = {"v": VERSION, "hops": "1"}
        if not isinstance(message, CurateAll):
            attributes["projectId"] = message.project_id
        made.append((_encode(message), attributes))
    await pubsub.publish(TOPIC, made)


def run_of(now: int) -> str:
    """The name of the nightly run at an instant: however often it is asked for, it is one run a day."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%d")


def name(project_id: str, run: str, store: str) -> str:
    """The document of a store's curation."""
    return names.document("projects", project_id, "curations", f"{run}-{store}")
