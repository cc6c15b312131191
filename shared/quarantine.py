"""Setting aside what cannot be processed: the message to the topic ``quarantine``.

Its data are the original bytes: of the one message, or of the whole delivery where that cannot be split.
Its attributes say why and from where:

- ``errorType``, ``message`` (at most 900 bytes), ``service``, ``time`` (epoch ms),
- ``topic``: where re-driving publishes the bytes again,
- ``sourceMessageId``, ``index``: the delivery and the place in it, so that a repeat is the same entry,
- ``projectId`` if it is known,
- ``scriptId`` and ``scriptVersion``: of the script that failed on it,
- ``options`` and ``route``: JSON text of what the routeMsg around it said; re-driving wraps it again. Where
  they are too long for an attribute, the data are that routeMsg with this one message in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared import clock, names
from shared.clients import pubsub
from shared.errors import Rejected
from shared.log import log

TOPIC = "quarantine"
# A document holds 1 MiB, attributes included: longer data stand in parts below their entry.
PART_BYTES = 800_000
MAX_MESSAGE_BYTES = 900
# Pub/Sub takes values of 1,024 bytes.
MAX_ATTRIBUTE_BYTES = 1_000

_encode = msgspec.json.encode


class SetAside(msgspec.Struct, frozen=True):
    """One message that cannot be processed, why, and where it came from.

    ``data``: its original bytes. ``topic``: the topic that ``service`` read it from. ``index``: its place in
    the delivery, 0 for the whole of one that cannot be split. ``options`` and ``route``: of the routeMsg
    around it. ``script_id`` and ``script_version``: where a script is to blame.
    """

    error: Rejected
    data: bytes
    service: str
    topic: str
    message_id: str
    index: int = 0
    project_id: str | None = None
    options: Mapping[str, Any] = {}
    route: Any = None
    script_id: str | None = None
    script_version: int | None = None


def to_message(entry: SetAside) -> tuple[bytes, dict[str, str]]:
    """The Pub/Sub message (data, attributes) that sets an entry aside."""
    attributes = {
        "errorType": _cut(entry.error.error_type, 200),
        "message": _cut(entry.error.message, MAX_MESSAGE_BYTES),
        "service": entry.service,
        "topic": entry.topic,
        "time": str(clock.now_ms()),
        "sourceMessageId": _cut(entry.message_id, 200),
        "index": str(entry.index),
    }
    if entry.project_id and len(entry.project_id.encode(errors="replace")) <= MAX_ATTRIBUTE_BYTES:
        attributes["projectId"] = _cut(entry.project_id, MAX_ATTRIBUTE_BYTES)
    if entry.script_id:
        attributes["scriptId"] = _cut(entry.script_id, 200)
    if entry.script_version is not None:
        attributes["scriptVersion"] = str(entry.script_version)
    options = _encode(entry.options) if entry.options else b""
    route = _encode(entry.route) if entry.route else b""
    if max(len(options), len(route)) > MAX_ATTRIBUTE_BYTES:
        return wrap(entry.data, options, route), attributes
    if options:
        attributes["options"] = options.decode()
    if route:
        attributes["route"] = route.decode()
    return entry.data, attributes


def wrap(data: bytes, options: bytes, route: bytes) -> bytes:
    """A routeMsg around ``data`` from the JSON texts of its options and the rest of its route; maybe none."""
    if not options and not route:
        return data
    parts = [b'{"type":"routeMsg","message":', data]
    if options:
        parts += [b',"options":', options]
    if route:
        parts += [b',"route":', route]
    return b"".join((*parts, b"}"))


async def set_aside(entries: Sequence[SetAside], trace: str | None = None) -> None:
    """Publish entries to the topic ``quarantine``; returns when they are confirmed. Transient otherwise.

    One log line for each, once they are safe.
    """
    messages = [to_message(entry) for entry in entries]
    ids: list[str] = []
    start = size = 0
    for index, (data, attributes) in enumerate(messages):
        # Names, values and framing of the attributes are below 8 KB in all.
        more = len(data) + 8_000 if attributes else len(data)
        if index > start and (size + more > pubsub.MAX_BYTES or index - start >= pubsub.MAX_MESSAGES):
            ids += await pubsub.publish(TOPIC, messages[start:index])
            start, size = index, 0
        size += more
    if start < len(messages):
        ids += await pubsub.publish(TOPIC, messages[start:])
    for entry, published in zip(entries, ids, strict=True):
        log(
            "WARNING",
            "message set aside",
            trace=trace,
            errorType=entry.error.error_type,
            error=entry.error.message[:500],
            messageId=entry.message_id,
            index=entry.index,
            published=[published],
            **({"projectId": entry.project_id} if entry.project_id else {}),
        )


def part_name(project_id: str, entry_id: str, number: int) -> str:
    """The document of one part of an entry's bytes; the first is number 0."""
    return f"{names.quarantined(project_id, entry_id)}/parts/{number:04d}"


def _cut(text: str, limit: int) -> str:
    """Text of at most ``limit`` bytes, valid Unicode whatever it was."""
    return text.encode(errors="replace")[:limit].decode(errors="ignore")
