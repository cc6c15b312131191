"""Keeping an entry: its bytes, in parts where a document cannot hold them, and then the entry itself."""

from __future__ import annotations

from typing import Any

from functions.quarantine.entries import Entry
from shared import names, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.errors import Transient
from shared.quarantine import PART_BYTES, part_name


async def store(entry: Entry) -> None:
    """Write an entry, its parts first: whoever sees an entry sees all of it. Transient if that fails."""
    fields = dict(entry.fields)
    parts = range(0, len(entry.data), PART_BYTES)
    if len(parts) > 1:
        fields["parts"] = len(parts)
        await _write(
            [
                _set(
                    part_name(entry.project_id, entry.id, number),
                    {"data": entry.data[start : start + PART_BYTES], "expireAt": fields["expireAt"]},
                )
                for number, start in enumerate(parts)
            ]
        )
    else:
        fields["data"] = entry.data
    await _write([_set(names.quarantined(entry.project_id, entry.id), fields)])


def _set(name: str, fields: dict[str, Any]) -> Any:
    pb = messages()
    write = pb.Write(update=pb.Document(name=name))
    values.to_fields(write.update.fields, fields)
    return write


async def _write(writes: list[Any]) -> None:
    codes = await firestore.batch_write(writes)
    if any(codes):
        raise Transient(f"quarantine entry not written: status codes {sorted(set(codes))}")
