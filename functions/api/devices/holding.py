"""Writes that change nothing but hold: the commit is refused if what they name has gone meanwhile."""

from __future__ import annotations

from fulcrum.core import ids
from shared import clock, names
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.store.change import Change


def exists(change: Change, *documents: str) -> None:
    """Have the change committed only if these documents are still there.

    What hangs on a document is cleared after its deletion; nothing may come to hang on it later.
    """
    for name in documents:
        write = messages().Write()
        write.update.name = name
        # An empty mask: no field is touched.
        write.update_mask.SetInParent()
        write.current_document.exists = True
        change.writes.append(write)


async def in_turn(change: Change, system_id: str) -> None:
    """Let placements of existing devices of a system happen one after the other.

    Two of them at once, each harmless by itself, could close a circle. Call it before reading what decides.
    """
    name = names.document(
        "projects", change.scope.project_id, "locks", ids.digest("device", "placement", system_id)
    )
    present = (await firestore.batch_get([name], ["time"])).get(name)
    change.put(name, {"kind": "device", "field": "placement", "time": clock.now_ms()})
    condition = change.writes[-1].current_document
    if present is None:
        condition.exists = False
    else:
        condition.update_time.CopyFrom(present.update_time)
