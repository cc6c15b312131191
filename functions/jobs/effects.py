"""What one step writes: documents that go, are buried or are edited, each at most once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fulcrum.core import ids
from shared import device_rows, names, values
from shared.clients.firestore import Document
from shared.clients.firestore_pb import messages
from shared.history import Row
from shared.store.audit import differences

# One commit takes 500 writes and 10 MiB; a step stays well below both.
MAX_WRITES = 360
# Firestore takes requests of 10 MiB, its emulator of 4 MiB.
MAX_BYTES = 3_500_000
# With less than this nothing might fit.
MIN_WRITES = 12
# What the event path must learn of: the project's revision grows with a change of any of these.
EVENT_COLLECTIONS = frozenset({"devices", "aliases", "blueprints", "attributes", "messageRoutes", "networks"})
# What is read of a device: never its state, which may be large.
DEVICE_FIELDS = (*device_rows.DEFINITION, "messageRoute", "forwardTo", "lastModified")
# Fields that are stored as JSON text.
_TEXTS = frozenset({"messageRoute", "tracks", "action", "layout", "settings"})
_json = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Job:
    """A job as its step sees it."""

    project_id: str
    id: str
    fields: Mapping[str, Any]
    update_time: Any
    now: int

    @property
    def name(self) -> str:
        """The job's document."""
        return names.document("projects", self.project_id, "jobs", self.id)


@dataclass
class Edit:
    """A document that stays, with its fields as read and as they will be."""

    kind: str
    document: Document
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass
class Effects:
    """The effects of one step. A document that goes is not edited as well."""

    limit: int = MAX_WRITES
    removed: dict[str, None] = field(default_factory=dict)
    buried: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    edits: dict[str, Edit] = field(default_factory=dict)

    @property
    def room(self) -> int:
        """How many more writes the step takes."""
        used = len(self.removed) + 3 * len(self.buried) + 2 * len(self.edits)
        return max(0, self.limit - used)

    @property
    def count(self) -> int:
        """How many documents are changed."""
        return len(self.removed) + len(self.buried) + sum(1 for edit in self.edits.values() if _differs(edit))

    def remove(self, document: Document) -> None:
        """Delete a document that is no resource."""
        self.removed[document.name] = None

    def bury(self, kind: str, document: Document) -> None:
        """Delete a resource and leave a tombstone that waits for what hangs on it."""
        self.buried[document.name] = (kind, values.from_fields(document.fields))
        self.edits.pop(document.name, None)

    def edit(self, kind: str, document: Document) -> dict[str, Any]:
        """The fields of a resource, to be changed in place."""
        if document.name in self.buried:
            return {}
        known = self.edits.get(document.name)
        if known is None:
            fields = values.from_fields(document.fields)
            known = self.edits[document.name] = Edit(kind, document, fields, dict(fields))
        return known.after

    def rows(self, job: Job) -> list[Row]:
        """The rows that tell the history of devices' new definitions."""
        return [
            device_rows.device_row(
                job.project_id, edit.document.id, edit.after | {"version": _version(edit) + 1}, job.now
            )
            for edit in self.edits.values()
            if edit.kind == "device" and _differs(edit)
        ]

    def writes(self, job: Job) -> list[Any]:
        """All writes, with an audit entry for each resource."""
        pb = messages()
        made = [pb.Write(delete=name) for name in (*self.removed, *self.buried)]
        for name, (kind, fields) in self.buried.items():
            resource_id = name.rpartition("/")[2]
            made.append(_tombstone(job, kind, resource_id, fields))
            made.append(_audit(job, "deleted", kind, resource_id, fields, {}, fields))
        for edit in self.edits.values():
            if not _differs(edit):
                continue
            made.append(_update(job, edit))
            # A project that goes leaves no audit behind.
            if job.fields.get("kind") != "project":
                before, after = edit.before, edit.after
                made.append(_audit(job, "updated", edit.kind, edit.document.id, before, after, before))
        return made

    def affects_events(self) -> bool:
        """Whether the event path must look again at what it knows of the project."""
        touched = (*self.removed, *self.buried, *self.edits)
        return any(name.split("/")[-2] in EVENT_COLLECTIONS for name in touched)


def put(name: str, fields: Mapping[str, Any]) -> Any:
    """A write of a whole document."""
    write = messages().Write(update=messages().Document(name=name))
    values.to_fields(write.update.fields, dict(fields))
    return write


def merge(name: str, fields: Mapping[str, Any], update_time: Any = None) -> Any:
    """A write of some fields (None removes one) of a document that must be there, as it was read."""
    pb = messages()
    write = pb.Write(update=pb.Document(name=name))
    write.update_mask.field_paths.extend(sorted(fields))
    values.to_fields(write.update.fields, {key: value for key, value in fields.items() if value is not None})
    if update_time is None:
        write.current_document.exists = True
    else:
        write.current_document.update_time.CopyFrom(update_time)
    return write


def content(fields: Mapping[str, Any]) -> str:
    """What a tombstone keeps of a resource, as JSON text."""
    plain = {
        key: msgspec.json.decode(value) if key in _TEXTS and isinstance(value, str) else value
        for key, value in fields.items()
    }
    return _json(plain).decode()


def _tombstone(job: Job, kind: str, resource_id: str, fields: Mapping[str, Any]) -> Any:
    name = names.deletion(job.project_id, kind, resource_id)
    return put(
        name,
        {
            "kind": kind,
            "resourceId": resource_id,
            "time": job.now,
            "jobId": job.id,
            "pending": True,
            "content": content(fields),
        },
    )


def _update(job: Job, edit: Edit) -> Any:
    changed = {
        key: edit.after.get(key)
        for key in {*edit.before, *edit.after}
        if edit.before.get(key) != edit.after.get(key)
    }
    changed |= {"lastModified": job.now, "version": _version(edit) + 1}
    # As it was read: what somebody else has set meanwhile is not undone.
    return merge(edit.document.name, changed, edit.document.update_time)


def _audit(
    job: Job,
    verb: str,
    kind: str,
    resource_id: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    named: Mapping[str, Any],
) -> Any:
    changes = differences(before, after, frozenset())
    entry = {
        "verb": verb,
        "kind": kind,
        "resourceId": resource_id,
        "name": named.get("name"),
        "systemId": named.get("systemId"),
        "changes": _json(changes).decode(),
        "time": job.now,
        # The request that deleted what this hung on.
        "requestId": job.fields.get("requestId"),
        "actor": {"kind": "platform", "id": job.id, "name": "jobs"},
    }
    # The same entry, should the step come again after a lost answer.
    name = names.document(
        "projects", job.project_id, "audit", ids.digest("job", job.id, verb, kind, resource_id, str(job.now))
    )
    return put(name, {key: value for key, value in entry.items() if value is not None})


def _differs(edit: Edit) -> bool:
    return edit.before != edit.after


def _version(edit: Edit) -> int:
    version = edit.before.get("version")
    return version if isinstance(version, int) else 0
