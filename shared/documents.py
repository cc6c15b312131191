"""Writes of documents, as Firestore's BatchWrite and Commit take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import values
from shared.clients.firestore_pb import messages


def whole(name: str, fields: Mapping[str, Any], update_time: Any) -> Any:
    """A write of a whole document, on condition that it is as it was read.

    ``update_time``: the protobuf timestamp that it had; None where there was none, and there shall be none.
    """
    write = messages().Write()
    write.update.name = name
    values.to_fields(write.update.fields, dict(fields))
    if update_time is None:
        write.current_document.exists = False
    else:
        write.current_document.update_time.CopyFrom(update_time)
    return write
