"""The record that is kept of an outside name that no device has, so that it can be adopted later. Pure.

One document for each (network, alias key, value): ``firstSeen`` (minimum), ``lastSeen`` (maximum) and
``count`` (increment) are transforms, so that any number of instances may write it at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Raw

from functions.message_processor.events import Key
from shared import clock, names, values
from shared.clients.firestore_pb import messages

KEPT_DAYS = 30
MAX_SAMPLE_BYTES = 16_384
MAX_NAME_CHARACTERS = 1_000


def write(key: Key, received_times: Sequence[int], sample: Raw) -> Any:
    """The Firestore write for the events of one unknown name; ``sample`` is the last of them."""
    pb = messages()
    project = key.project or names.NO_PROJECT
    document = pb.Document(
        name=names.unknown_device(project, key.network or "", key.alias_key or "", key.value)
    )
    last = max(received_times)
    fields = {
        "networkId": _cut(key.network),
        "aliasKey": _cut(key.alias_key),
        "value": _cut(key.value),
        "sample": _sample(bytes(sample)),
        "expireAt": clock.from_ms(last) + timedelta(days=KEPT_DAYS),
    }
    values.to_fields(document.fields, fields)
    result = pb.Write(update=document, update_mask=pb.DocumentMask(field_paths=list(fields)))
    for field, transform, number in (
        ("firstSeen", "minimum", min(received_times)),
        ("lastSeen", "maximum", last),
        ("count", "increment", len(received_times)),
    ):
        added = result.update_transforms.add(field_path=field)
        getattr(added, transform).integer_value = number
    return result


def _cut(name: str | None) -> str | None:
    return name if name is None else name[:MAX_NAME_CHARACTERS]


def _sample(raw: bytes) -> str:
    """The event's JSON text; of one that is too long, its beginning in an object that says so."""
    if len(raw) > MAX_SAMPLE_BYTES:
        head = raw[: MAX_SAMPLE_BYTES // 4].decode(errors="replace")
        return msgspec.json.encode({"truncated": len(raw), "head": head}).decode()
    return raw.decode(errors="replace")
