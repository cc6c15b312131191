"""Writes of documents that are no project's resources: sessions, counters, users of the platform. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import values
from shared.clients.firestore_pb import messages


def create(name: str, fields: Mapping[str, Any]) -> Any:
    """Write a document that must not be there yet."""
    write = put(name, fields)
    write.current_document.exists = False
    return write


def put(name: str, fields: Mapping[str, Any]) -> Any:
    """Write a whole document, whatever was there."""
    pb = messages()
    write = pb.Write(update=pb.Document(name=name))
    values.to_fields(write.update.fields, {key: value for key, value in fields.items() if value is not None})
    return write


def update(name: str, fields: Mapping[str, Any], update_time: Any = None) -> Any:
    """Set fields (None removes one) of a document that must be there, and be as it was read if told when."""
    write = put(name, fields)
    write.update_mask.field_paths.extend(sorted(fields))
    if update_time is None:
        write.current_document.exists = True
    else:
        write.current_document.update_time.CopyFrom(update_time)
    return write


def delete(name: str, update_time: Any = None) -> Any:
    """Delete a document, if it still is as it was read where it is told when."""
    write = messages().Write(delete=name)
    if update_time is not None:
        write.current_document.update_time.CopyFrom(update_time)
    return write


def increment(name: str, field: str, fields: Mapping[str, Any]) -> Any:
    """Add one to a field and set others, whether the document is there or not."""
    write = put(name, fields)
    write.update_mask.field_paths.extend(sorted(fields))
    write.update_transforms.add(field_path=field).increment.integer_value = 1
    return write
