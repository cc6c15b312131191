"""From outside names to devices, remembered for as long as their project's revision stays the same.

A project's document is looked at at most every five seconds, by one reader at a time; when its ``revision``
has changed, all that was learned of the project is dropped. Names that no device has are remembered for five
seconds at most. What is read while a revision changes is used once and not kept.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from functions.message_processor import definitions
from functions.message_processor.definitions import ID, Definitions, Generation
from functions.message_processor.events import Device, Key
from functions.message_processor.plan import Plan, plan
from shared import clock, names, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.errors import Rejected, Transient

if TYPE_CHECKING:
    from shared.attributes.checks import Checks

CHECK_MS = 5_000
MAX_ENTRIES = 200_000
MAX_PROJECTS = 10_000

_FACTS = ("name", "blueprintId", "systemId", "networkId", "simulated", "parentDeviceId")
# Never the state and the registers: they are large, and change with every event.
_MASK = (
    *("revision", "projectId", "deviceId", "deleted", "messageRoute", "messageRouteId", "simNetworkId"),
    *_FACTS,
)


class Resolved(msgspec.Struct, frozen=True):
    """A known device: the ids for its messages, its routes, what conditions may read of it, its checks."""

    device: Device
    data_plan: Plan
    ack_plan: Plan
    facts: dict[str, Any]
    checks: Checks | None = None


Result = Resolved | Rejected | None


class _Project(msgspec.Struct):
    revision: int | None = None
    checked_ms: int = -CHECK_MS
    generation: Generation = msgspec.field(default_factory=Generation)
    checking: asyncio.Future[bool] | None = None


class _Entry(msgspec.Struct, frozen=True):
    result: Resolved | None
    generation: Generation
    until_ms: int | None


class Directory:
    """The devices that this instance knows. Belongs to one event loop."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._projects: OrderedDict[str, _Project] = OrderedDict()

    async def resolve(self, keys: Iterable[Key]) -> dict[Key, Result]:
        """The device of each key, or None for an unknown one, or Rejected for what can be no name.

        Reads nothing if all is known and fresh. Transient where the store fails.
        """
        now = clock.now_ms()
        results: dict[Key, Result] = {}
        valid: list[Key] = []
        projects: dict[str, _Project] = {}
        for key in keys:
            name = key.project
            if name is not None and name not in projects:
                if not re.match(ID, name):
                    results[key] = Rejected("message.badProject", f"{name!r} is no project's id")
                    continue
                projects[name] = self._project(name)
            valid.append(key)
        missing = self._known(valid, projects, now, results)
        stale = [name for name, project in projects.items() if not 0 <= now - project.checked_ms < CHECK_MS]
        if missing or stale:
            await self._learn(missing, valid, projects, stale, now, results)
        return results

    def _project(self, name: str) -> _Project:
        project = self._projects.get(name)
        if project is None:
            project = self._projects[name] = _Project()
            if len(self._projects) > MAX_PROJECTS:
                self._projects.popitem(last=False)
        return project

    def _known(
        self, keys: Iterable[Key], projects: Mapping[str, _Project], now: int, results: dict[Key, Result]
    ) -> list[Key]:
        """Put what is known into ``results`` and return the rest."""
        entries, missing = self._entries, []
        for key in keys:
            entry = entries.get(key)
            if (
                entry is not None
                and entry.generation is projects[key.project or ""].generation
                and (entry.until_ms is None or now < entry.until_ms)
            ):
                entries.move_to_end(key)
                results[key] = entry.result
            else:
                missing.append(key)
        return missing

    async def _learn(
        self,
        missing: list[Key],
        keys: list[Key],
        projects: Mapping[str, _Project],
        stale: list[str],
        now: int,
        results: dict[Key, Result],
    ) -> None:
        own, others = self._claim(projects, stale)
        if not own and any(projects[name].revision is None for name in stale):
            # The first look at a project begins its first generation: what is read before that ends could not
            # be kept. (Whoever looks at one itself never waits here: two might wait for each other.)
            await _looked_at(others)
            others = []
        before = {name: project.generation for name, project in projects.items()}
        try:
            documents = await self._read(missing, own)
            for name, project in own.items():
                self._take_revision(project, documents.get(names.project(name)), now)
                # Read at the same instant as what is missing: the new generation may keep that.
                before[name] = project.generation
        finally:
            for project in own.values():
                if project.checking is not None and not project.checking.done():
                    project.checking.set_result(project.checked_ms >= now)
                project.checking = None
        await _looked_at(others)
        sought = set(missing)
        outdated = [key for key in self._known(keys, projects, now, results) if key not in sought]
        if outdated:
            before = {name: project.generation for name, project in projects.items()}
            documents |= await self._read(outdated, {})
        await self._find_devices([*missing, *outdated], documents, before, now, results)

    def _claim(
        self, projects: Mapping[str, _Project], stale: list[str]
    ) -> tuple[dict[str, _Project], list[asyncio.Future[bool]]]:
        """Which projects this call looks at, and whom it waits for about the others."""
        own: dict[str, _Project] = {}
        others: list[asyncio.Future[bool]] = []
        for name in stale:
            project = projects[name]
            if project.checking is None:
                project.checking = asyncio.get_running_loop().create_future()
                own[name] = project
            else:
                others.append(project.checking)
        return own, others

    async def _read(self, keys: Iterable[Key], own: Iterable[str]) -> dict[str, Document]:
        wanted = [names.project(name) for name in own]
        wanted += [name for key in keys if (name := _first_document(key))]
        return await firestore.batch_get(wanted, _MASK) if wanted else {}

    def _take_revision(self, project: _Project, document: Document | None, now: int) -> None:
        revision = 0 if document is None else _plain(document).get("revision") or 0
        if revision != project.revision:
            project.revision, project.generation = revision, Generation()
        project.checked_ms = now

    async def _find_devices(
        self,
        keys: list[Key],
        documents: dict[str, Document],
        generations: Mapping[str, Generation],
        now: int,
        results: dict[Key, Result],
    ) -> None:
        targets = {key: _device_name(key, documents) for key in keys}
        further = {name for name in targets.values() if name and name not in documents}
        if further:
            documents |= await firestore.batch_get(further, _MASK)
        found: dict[Key, tuple[str, str, dict[str, Any]]] = {}
        for key, name in targets.items():
            fields = _plain(documents[name]) if name and name in documents else {"deleted": True}
            elsewhere = key.alias_key is None and key.network not in (None, *_networks(fields))
            if fields.get("deleted") or elsewhere or (key.simulated and not fields.get("simulated")):
                self._keep(key, None, generations, now)
                results[key] = None
            else:
                project_id, device_id = name.split("/")[-3], name.split("/")[-1]
                found[key] = (project_id, device_id, fields)
        known = await definitions.learn(
            ((project_id, fields) for project_id, _, fields in found.values()), generations
        )
        for key, (project_id, device_id, fields) in found.items():
            if key.alias_key is None and key.network is not None:
                fields = {**fields, "networkId": key.network}
            resolved = _resolved(project_id, device_id, fields, known)
            self._keep(key, resolved, generations, now)
            results[key] = resolved

    def _keep(
        self, key: Key, result: Resolved | None, generations: Mapping[str, Generation], now: int
    ) -> None:
        if key.project is None:
            return  # no revision would tell when it changes
        until = now + CHECK_MS if result is None else None
        # Only the value differs from one device to the next.
        generation = generations[key.project]
        key = key._replace(
            project=sys.intern(key.project), network=_shared(key.network), alias_key=_shared(key.alias_key)
        )
        self._entries[key] = _Entry(result, generation, until)
        self._entries.move_to_end(key)
        if len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)


async def _looked_at(checks: Iterable[asyncio.Future[bool]]) -> None:
    for check in checks:
        if not await check:
            raise Transient("the project's revision could not be read")


def _first_document(key: Key) -> str | None:
    if key.alias_key is not None:
        return names.alias(key.network or "", key.alias_key, key.value)
    return names.device(key.project, key.value) if key.project and re.match(ID, key.value) else None


def _device_name(key: Key, documents: Mapping[str, Document]) -> str:
    """The document of the device that a key leads to; empty if it leads nowhere, or to another project."""
    first = _first_document(key)
    if first is None or first not in documents:
        return ""
    if key.alias_key is None:
        return first
    alias = _plain(documents[first])
    project_id, device_id = str(alias.get("projectId", "")), str(alias.get("deviceId", ""))
    ours = key.project in (None, project_id) and alias.get("networkId") == key.network
    return (
        names.device(project_id, device_id)
        if ours and re.match(ID, project_id) and re.match(ID, device_id)
        else ""
    )


def _networks(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """The networks under which the platform itself may name a device: simulated traffic has its own."""
    simulated = (fields.get("simNetworkId"),) if fields.get("simulated") else ()
    return (fields.get("networkId"), *simulated)


def _resolved(project_id: str, device_id: str, fields: dict[str, Any], known: Definitions) -> Resolved:
    texts, checks = known.of(project_id, fields)
    project_id = sys.intern(project_id)
    fields = fields | {name: _shared(fields.get(name)) for name in ("systemId", "blueprintId", "networkId")}
    return Resolved(
        Device(project_id, device_id, fields["systemId"], fields["blueprintId"], fields["networkId"]),
        plan("deviceDataEventMsg", texts),
        plan("deviceEventAckMsg", texts),
        {"id": device_id, "projectId": project_id, **{name: fields.get(name) for name in _FACTS}},
        checks,
    )


def _shared(name: Any) -> Any:
    """One text for all devices that have it, which saves memory, and time to get at it."""
    return sys.intern(name) if type(name) is str else name


def _plain(document: Document) -> dict[str, Any]:
    return values.from_fields(document.fields)
