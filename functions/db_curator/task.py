"""How far the curation of one store is: its document, which two processes cannot both go on with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared import clock, names, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.errors import Transient
from shared.retention import curation
from shared.retention.curation import CurateStore

_encode = msgspec.json.Encoder().encode


class Elsewhere(Exception):
    """Another process has gone on with the task meanwhile."""


@dataclass
class Task:
    """A store's curation. ``progress`` is the store's own; ``result`` is what went so far."""

    project_id: str
    run: str
    store: str
    # The instant by which things go; the same however long it takes.
    now: int
    state: str = "running"
    progress: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    tries: int = 0
    reason: str | None = None
    started: int = 0
    update_time: Any = None

    def add(self, **counts: int) -> None:
        """Count what went."""
        for name, count in counts.items():
            self.result[name] = self.result.get(name, 0) + count

    async def save(self, state: str = "running") -> None:
        """Write how far it is; Elsewhere if somebody else has."""
        self.state = state
        if state == "done":
            self.reason = None
        fields = {
            "run": self.run,
            "store": self.store,
            "now": self.now,
            "state": state,
            "progress": None if state == "done" else _encode(self.progress).decode(),
            "result": _encode(self.result).decode(),
            "tries": self.tries,
            "reason": self.reason,
            "started": self.started,
            "lastModified": clock.now_ms(),
            "expireAt": clock.now() + curation.KEPT,
        }
        pb = messages()
        write = pb.Write(update=pb.Document(name=curation.name(self.project_id, self.run, self.store)))
        values.to_fields(write.update.fields, {key: one for key, one in fields.items() if one is not None})
        if self.update_time is None:
            write.current_document.exists = False
        else:
            write.current_document.update_time.CopyFrom(self.update_time)
        try:
            (self.update_time,) = await firestore.commit([write])
        except firestore.PreconditionFailed:
            raise Elsewhere from None


async def open_task(message: CurateStore) -> Task | None:
    """The task of a message, begun if it is new; None if its project is gone."""
    name = curation.name(message.project_id, message.run, message.store)
    project = names.project(message.project_id)
    found = await firestore.batch_get(
        [name, project], ["run", "now", "state", "progress", "result", "tries", "started"]
    )
    if project not in found:
        return None
    task = Task(message.project_id, message.run, message.store, message.now, started=clock.now_ms())
    document = found.get(name)
    if document is None:
        try:
            await task.save()
        except Elsewhere:
            raise Transient("two processes have begun with one store at once") from None
        return task
    fields = values.from_fields(document.fields)
    task.now, task.state = int(fields["now"]), str(fields["state"])
    task.progress = msgspec.json.decode(fields.get("progress") or "{}")
    task.result = msgspec.json.decode(fields.get("result") or "{}")
    task.tries, task.started = int(fields.get("tries") or 0), int(fields["started"])
    task.update_time = document.update_time
    return task
