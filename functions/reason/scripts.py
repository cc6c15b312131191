"""What is known of scripts: where each is served, what its entry points need, whether it may be called.

Remembered for five seconds at most; what fails is not remembered.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from fulcrum.core import ids
from fulcrum.script import wire
from functions.reason import breaker
from functions.reason.breaker import Breaker
from shared import clock, names, script_documents, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.clients.firestore_pb import messages
from shared.errors import Rejected

KEPT_MS = 5_000
MAX_SCRIPTS = 10_000
_ID = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")
_MASK = ("state", "version", "url", "entries", "breaker", "holder")
_entries = msgspec.json.Decoder(list[wire.Entry])

# A script by its project and what a route calls it: its id or its alias.
Reference = tuple[str, str]


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A script as its state says it is. ``url`` is empty where it is not deployed."""

    project_id: str
    id: str
    version: int = 0
    url: str = ""
    entries: Mapping[str, wire.Entry] = {}
    breaker: Breaker = breaker.CLOSED
    update_time: Any = None

    def needs(self, entry: str) -> frozenset[str]:
        """What an entry point needs, by name; nothing for one that is not there."""
        found = self.entries.get(entry)
        return frozenset(name for name, value in found.needs.items() if value) if found else frozenset()


class _Kept(msgspec.Struct, frozen=True, eq=False):
    until: int
    script: asyncio.Task[Script]


class Scripts:
    """The scripts that an instance knows. Belongs to one event loop."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Reference, _Kept] = OrderedDict()

    async def find(self, reference: Reference) -> Script:
        """The script; Rejected (``script.unknown``) if there is none, Transient where the store fails."""
        now = clock.now_ms()
        kept = self._kept.get(reference)
        if kept is None or not now < kept.until <= now + KEPT_MS or _failed(kept.script):
            kept = _Kept(now + KEPT_MS, asyncio.ensure_future(_read(*reference)))
            self._kept[reference] = kept
            if len(self._kept) > MAX_SCRIPTS:
                self._kept.popitem(last=False)
        # One caller that gives up must not end it for the others.
        return await asyncio.shield(kept.script)

    def forget(self, reference: Reference) -> None:
        """Read it anew at the next need."""
        self._kept.pop(reference, None)


def _failed(task: asyncio.Task[Script]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def _read(project_id: str, reference: str) -> Script:
    if not _ID.match(project_id) or not _ID.match(reference):
        raise Rejected("script.unknown", f"{reference!r} of project {project_id!r} can be no script")
    state = script_documents.state(project_id, reference)
    definition = names.document("projects", project_id, "scripts", reference)
    # Whoever creates a script reserves its alias by this document.
    lock = names.document("projects", project_id, "locks", ids.digest("script", "alias", reference))
    found = await firestore.batch_get([state, definition, lock], _MASK)
    script_id = reference
    if state not in found and definition not in found:
        if lock not in found:
            raise Rejected("script.unknown", f"the project {project_id!r} has no script {reference!r}")
        script_id = str(_plain(found[lock]).get("holder"))
        if not _ID.match(script_id):
            raise Rejected("script.unknown", f"{reference!r} leads to {script_id!r}, which is no script")
        state = script_documents.state(project_id, script_id)
        found = await firestore.batch_get([state], _MASK)
    return _script(project_id, script_id, found.get(state))


def _script(project_id: str, script_id: str, document: Document | None) -> Script:
    if document is None:
        return Script(project_id=project_id, id=script_id)
    fields = _plain(document)
    return Script(
        project_id=project_id,
        id=script_id,
        version=fields.get("version") or 0,
        url=(fields.get("url") or "") if fields.get("state") == "deployed" else "",
        entries=entries_of(fields.get("entries")),
        breaker=breaker.decode(fields.get("breaker")),
        update_time=document.update_time,
    )


def entries_of(text: str | None) -> dict[str, wire.Entry]:
    """Entry points by name, from their JSON text."""
    return {entry.name: entry for entry in _entries.decode(text)} if text else {}


def _plain(document: Document) -> dict[str, Any]:
    return values.from_fields(document.fields)


async def set_breaker(script: Script, wanted: Breaker) -> bool:
    """Write a script's breaker; False if the state has changed since it was read, or is gone."""
    pb = messages()
    write = pb.Write(update=pb.Document(name=script_documents.state(script.project_id, script.id)))
    values.to_fields(write.update.fields, {"breaker": breaker.encode(wanted)})
    write.update_mask.field_paths.append("breaker")
    write.current_document.update_time.CopyFrom(script.update_time)
    try:
        await firestore.commit([write])
    except firestore.PreconditionFailed:
        return False
    return True
