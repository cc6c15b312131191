"""One change of a project: written all together or not at all, with its audit entries.

A change gathers writes and :meth:`Change.commit` sends them as one commit. Each carries a precondition, so
that nothing is overwritten that was not read; whoever loses a race gets :class:`Lost` and starts again from a
fresh read (:func:`update` does that), or a 409 where a name is taken for good.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from fulcrum.core import ids
from shared import clock, names, values
from shared.cascade import job
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.errors import ApiError, Transient
from shared.model.base import Kind, Resource
from shared.store.audit import Actor, differences, same
from shared.store.scope import Scope, Stored
from shared.store.unique import Lock, unique_text
from shared.store.unique import lock_name as lock_name
from shared.store.unique import taken as taken

R = TypeVar("R", bound=Resource)

# Of one request. A commit takes any number, of 10 MiB in all: who changes more at once says so.
MAX_WRITES = firestore.MAX_WRITES
MAX_BYTES = 9_500_000
_TRIES = 10
_COMMIT_TRIES = 3
_json = msgspec.json.Encoder().encode


class Lost(Exception):
    """Somebody else was faster: read again and decide anew."""


@dataclass
class Change:
    """Writes of one request to one project. ``actor`` and ``request_id`` go into the audit."""

    scope: Scope
    actor: Actor
    request_id: str
    now: int = field(default_factory=clock.now_ms)
    most: int = MAX_WRITES
    writes: list[Any] = field(default_factory=list)
    # Of a creation with an Idempotency-Key: the key's document, and the id that it says.
    once: str | None = None
    planned_id: str | None = None
    # Of a deletion: the job that clears what hung on what is deleted; see shared.store.cascade.
    job_id: str | None = None
    # Called once the change may have been written: what is remembered of it is to be read anew.
    after: list[Callable[[], None]] = field(default_factory=list)
    _locks: list[Lock] = field(default_factory=list)
    _audit: list[dict[str, Any]] = field(default_factory=list)
    _events_affected: bool = False
    _project: tuple[Stored[Any], Mapping[str, Any]] | None = None

    def create(
        self,
        kind: Kind[Any],
        fields: Mapping[str, Any],
        resource_id: str | None = None,
        *,
        chosen: bool = False,
    ) -> str:
        """Create a resource with the given wire fields, and take its unique names; returns its id.

        ``chosen``: somebody chose the id, so that it can be taken: 409 ``<kind>.idTaken`` at commit.
        """
        resource_id = resource_id or ids.new_id()
        stored = {key: value for key, value in fields.items() if value is not None and key != "id"}
        stored |= {"created": self.now, "lastModified": self.now, "version": 1}
        if kind.top_level:
            stored["projectId"] = self.scope.project_id
        name = self.scope.name(kind, resource_id)
        self.put(name, _encoded(kind, stored), exists=False)
        if chosen:
            self._locks.append(Lock(name, kind.name, "id", resource_id, None))
        for unique in kind.unique:
            self._lock(kind, unique.field, unique_text(unique, stored), resource_id)
        self.note("created", kind, resource_id, {}, stored)
        self._events_affected |= kind.affects_events
        return resource_id

    def update(self, stored: Stored[Any], fields: Mapping[str, Any]) -> bool:
        """Set wire fields (None removes one) of a resource as it was read; False if nothing differs."""
        kind = stored.kind
        changed = {key: value for key, value in fields.items() if not same(stored.fields.get(key), value)}
        if not changed:
            return False
        after = {key: value for key, value in (stored.fields | changed).items() if value is not None}
        for unique in kind.unique:
            before_text, after_text = unique_text(unique, stored.fields), unique_text(unique, after)
            if before_text != after_text:
                self._unlock(kind, unique.field, before_text)
                self._lock(kind, unique.field, after_text, stored.id)
        self.note("updated", kind, stored.id, stored.fields, after, changed)
        changed |= {"lastModified": self.now, "version": stored.version + 1}
        self.keep(stored, changed)
        self._events_affected |= kind.affects_events
        return True

    def keep(self, stored: Stored[Any], fields: Mapping[str, Any]) -> None:
        """Set fields (None removes one) of a resource as it was read: no new version, no audit entry.

        For what the server itself keeps beside the resource; whoever changes it meanwhile loses the race.
        """
        pb = messages()
        write = pb.Write(update=pb.Document(name=stored.name))
        write.update_mask.field_paths.extend(sorted(fields))
        kept = {key: value for key, value in fields.items() if value is not None}
        values.to_fields(write.update.fields, _encoded(stored.kind, kept))
        write.current_document.update_time.CopyFrom(stored.update_time)
        self.writes.append(write)

    def delete(self, stored: Stored[Any]) -> None:
        """Delete a resource as it was read, free its unique names and leave a tombstone."""
        kind = stored.kind
        pb = messages()
        write = pb.Write(delete=stored.name)
        write.current_document.update_time.CopyFrom(stored.update_time)
        self.writes.append(write)
        for unique in kind.unique:
            self._unlock(kind, unique.field, unique_text(unique, stored.fields))
        tombstone = {
            "kind": kind.name,
            "resourceId": stored.id,
            "time": self.now,
            "requestId": self.request_id,
            "content": _json(stored.content()).decode(),
        }
        if self.job_id is not None and job.is_for(kind.name, stored.fields):
            tombstone |= {"jobId": self.job_id, "pending": True}
        self.put(self.scope.tombstone(kind.name, stored.id), tombstone)
        self.note("deleted", kind, stored.id, stored.fields, {})
        self._events_affected |= kind.affects_events

    def put(self, name: str, fields: Mapping[str, Any], *, exists: bool | None = None) -> None:
        """Write a whole document that is no resource; ``exists=False``: only if there is none yet."""
        pb = messages()
        write = pb.Write(update=pb.Document(name=name))
        values.to_fields(write.update.fields, dict(fields))
        if exists is not None:
            write.current_document.exists = exists
        self.writes.append(write)

    def remove(self, name: str) -> None:
        """Delete a document that is no resource, if it is there."""
        self.writes.append(messages().Write(delete=name))

    def take(self, kind: str, field_name: str, *parts: str, holder: str) -> None:
        """Reserve a name within the project: 409 ``<kind>.<field>Taken`` at commit if somebody has it."""
        name = lock_name(self.scope, kind, field_name, *parts)
        fields = {"kind": kind, "field": field_name, "holder": holder}
        self.take_document(name, fields, kind, field_name, parts[-1] if parts else "")

    def free(self, kind: str, field_name: str, *parts: str) -> None:
        """Give up a name that :meth:`take` reserved."""
        self.remove(lock_name(self.scope, kind, field_name, *parts))

    def take_document(
        self, name: str, fields: Mapping[str, Any], kind: str, field_name: str, text: str
    ) -> None:
        """Like :meth:`take`, with a document of its own (an alias, a network's id)."""
        self._locks.append(Lock(name, kind, field_name, text, fields))
        self.put(name, fields, exists=False)

    def guard(self, project: Stored[Any], fields: Mapping[str, Any]) -> None:
        """Have the commit hold only if the project is as it was read; ``fields`` are set on it.

        Whatever the event path must learn of changes the project, so nothing of that happens in between.
        """
        self._project = (project, fields)
        self._events_affected = True

    def affect_events(self) -> None:
        """Have the event path look again at what it knows of this project."""
        self._events_affected = True

    def note(
        self,
        verb: str,
        kind: Kind[Any],
        resource_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        only: Mapping[str, Any] | None = None,
    ) -> None:
        """An audit entry; secrets of the kind never go into it."""
        changes = differences(before, after, kind.secret, only)
        system = after.get("systemId") or before.get("systemId")
        entry = {
            "verb": verb,
            "kind": kind.name,
            "resourceId": resource_id,
            "name": after.get("name") or before.get("name"),
            "systemId": resource_id if kind.name == "system" else system,
            # Of what is one person's alone, so that nobody else hears of it.
            "owner": after.get("owner") or before.get("owner") or None,
            "changes": _json(changes).decode(),
        }
        self._audit.append(entry)

    async def commit(self) -> None:
        """Write everything. :class:`Lost` if a resource changed meanwhile, ApiError 409 for a taken name."""
        if not self.writes:
            return
        try:
            await self._write()
        finally:
            # Of a commit whose answer was lost, nobody knows whether it is written.
            for forget in self.after:
                forget()

    async def _write(self) -> None:
        audit_names = self._add_audit()
        if self._events_affected:
            self.writes.append(self._revision())
        self._hand_over()
        if len(self.writes) > self.most:
            raise ApiError(
                400,
                "change.tooLarge",
                f"the change needs {len(self.writes)} writes, and one change has at most {self.most}",
                "split it into smaller ones",
            )
        if len(self.writes) > MAX_WRITES and (size := sum(w.ByteSize() for w in self.writes)) > MAX_BYTES:
            raise ApiError(
                400,
                "change.tooLarge",
                f"the change has {size} bytes, and one change has at most {MAX_BYTES}",
                "split it into smaller ones",
            )
        tries = 0
        while True:
            tries += 1
            try:
                await firestore.commit(self.writes)
                return
            except firestore.PreconditionFailed:
                # After a lost answer, the failed precondition may be our own doing.
                if tries > 1 and await self._written(audit_names):
                    return
                await self._refuse_taken()
                raise Lost from None
            except Transient:
                if tries >= _COMMIT_TRIES:
                    if await self._written(audit_names):
                        return
                    raise
                await asyncio.sleep(0.02 * 2**tries * (0.5 + random.random()))

    async def _written(self, audit_names: list[str]) -> bool:
        """Whether the commit has taken place, by an audit entry, whose id nobody else can have."""
        return bool(audit_names and await firestore.batch_get(audit_names[:1], ["time"]))

    async def _refuse_taken(self) -> None:
        if self.once and await firestore.batch_get([self.once], ["resourceId"]):
            raise Lost  # the same request was faster: what it made is the answer
        if self._project is not None:
            name = self._project[0].name
            now = (await firestore.batch_get([name], ["revision"])).get(name)
            if now is None or now.update_time != self._project[0].update_time:
                raise Lost
        held = await firestore.batch_get(lock.name for lock in self._locks)
        for lock in self._locks:
            if lock.name not in held:
                continue
            # The same resource may have taken it, by the same change of another request: not a clash.
            if lock.fields is None or values.from_fields(held[lock.name].fields) != dict(lock.fields):
                raise taken(lock.kind, lock.field, lock.text)

    def _add_audit(self) -> list[str]:
        added = []
        for entry in self._audit:
            name = names.document("projects", self.scope.project_id, "audit", ids.new_id())
            fields = entry | {
                "time": self.now,
                "requestId": self.request_id,
                "actor": self.actor.fields(),
            }
            self.put(name, {k: v for k, v in fields.items() if v is not None}, exists=False)
            added.append(name)
        self._audit = []
        return added

    def _revision(self) -> Any:
        pb = messages()
        write = pb.Write(update=pb.Document(name=names.project(self.scope.project_id)))
        # An empty mask: no field but the incremented one is touched.
        write.update_mask.SetInParent()
        write.update_transforms.add(field_path="revision").increment.integer_value = 1
        write.current_document.exists = True
        if self._project is not None:
            project, fields = self._project
            write.update_mask.field_paths.extend(sorted(fields))
            kept = {key: value for key, value in fields.items() if value is not None}
            values.to_fields(write.update.fields, kept)
            write.current_document.update_time.CopyFrom(project.update_time)
        return write

    def _hand_over(self) -> None:
        """A name that one resource frees and another takes changes hands: one write instead of two."""
        freed = {write.delete for write in self.writes if write.WhichOneof("operation") == "delete"}
        taken_again = {
            write.update.name
            for write in self.writes
            if write.update.name in freed and write.current_document.WhichOneof("condition_type") == "exists"
        }
        if not taken_again:
            return
        self.writes = [write for write in self.writes if write.delete not in taken_again]
        self._locks = [lock for lock in self._locks if lock.name not in taken_again]
        for write in self.writes:
            if write.update.name in taken_again:
                write.ClearField("current_document")

    def _lock(self, kind: Kind[Any], field_name: str, parts: tuple[str, ...] | None, holder: str) -> None:
        if parts is not None:
            self.take(kind.name, field_name, *parts, holder=holder)

    def _unlock(self, kind: Kind[Any], field_name: str, parts: tuple[str, ...] | None) -> None:
        if parts is not None:
            self.free(kind.name, field_name, *parts)


async def retrying(attempt: Callable[[], Awaitable[R | Any]]) -> Any:
    """Run an attempt anew each time that it loses a race; ApiError 409 after ten losses in a row."""
    for turn in range(_TRIES):
        try:
            return await attempt()
        except Lost:
            await asyncio.sleep(0.01 * 2 ** min(turn, 6) * random.random())
    raise ApiError(
        409, "change.contended", "others keep changing the same resource", "send the same request again", 1
    )


def check_match(stored: Stored[Any], if_match: str | None) -> None:
    """ApiError 412 unless a resource still is what the caller's ``If-Match`` says."""
    if if_match is None or if_match.strip() == "*":
        return
    wanted = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    if stored.etag not in wanted:
        raise ApiError(
            412,
            f"{stored.kind.name}.changed",
            f"the {stored.kind.name} {stored.id!r} is at version {stored.etag}, not at {if_match}",
            "read it again, apply your change to what it is now, and send that with its ETag",
        )


def _encoded(kind: Kind[Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _json(value).decode() if key in kind.json_text else value for key, value in fields.items()}
