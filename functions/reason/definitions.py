"""Definitions of projects, systems, blueprints and devices as scripts see them, kept for five seconds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fulcrum.script import wire
from functions.reason.decode import Run
from functions.reason.scripts import KEPT_MS
from shared import device_rows, names, values
from shared.clients import firestore
from shared.clients.firestore import Document

# What scripts may see of each, as the API answers it; of a device it is its definition (shared.device_rows).
PROJECT_FIELDS = ("name", "desc", "metadata")
SYSTEM_FIELDS = ("name", "alias", "desc", "contacts", "tags", "metadata")
BLUEPRINT_FIELDS = ("name", "alias", "desc", "purpose", "tags", "metadata")
_DEVICE_FIELDS = (*device_rows.DEFINITION, "deleted")
_MAX_KEPT = 20_000


class Owners(NamedTuple):
    """The ids of the systems and the blueprints that devices are of."""

    systems: frozenset[str]
    blueprints: frozenset[str]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Owners:
        """Those that runs name themselves."""
        systems = {run.message.system_id for run in runs}
        blueprints = {getattr(run.message, "blueprint_id", None) for run in runs}
        return cls(
            frozenset(each for each in systems if each), frozenset(each for each in blueprints if each)
        )

    def joined(self, other: Owners) -> Owners:
        """These and others."""
        return Owners(self.systems | other.systems, self.blueprints | other.blueprints)


class Definitions:
    """What one instance remembers, by document name; None for what does not exist."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, dict[str, Any] | None]] = OrderedDict()

    async def read(
        self,
        project_id: str,
        needs: frozenset[str],
        owners: Owners,
        further: Mapping[str, Sequence[str]],
        now: int,
        devices: Iterable[str] = (),
    ) -> dict[str, Document]:
        """Read definitions that are not known, together with further documents (fields by name)."""
        fields = _fields(project_id, needs, owners)
        fields |= {names.device(project_id, device_id): _DEVICE_FIELDS for device_id in devices}
        sought = {name: mask for name, mask in fields.items() if not self._is_fresh(name, now)}
        wanted = {**sought, **further}
        if not wanted:
            return {}
        mask = sorted({field for names in wanted.values() for field in names})
        found = await firestore.batch_get(wanted, mask)
        for name, shown in sought.items():
            document = found.get(name)
            plain = None if document is None else values.from_fields(document.fields)
            kept = None if plain is None else {key: plain[key] for key in shown if key in plain}
            if kept is not None and kept.pop("deleted", False):
                # Its deletion is under way.
                kept = None
            self._kept[name] = (now + KEPT_MS, kept)
            self._kept.move_to_end(name)
        while len(self._kept) > max(_MAX_KEPT, len(fields)):
            self._kept.popitem(last=False)
        return found

    def project(self, project_id: str, needs: frozenset[str]) -> dict[str, Any]:
        """A project, if it is needed."""
        return self._get(names.project(project_id), project_id) or {} if "project" in needs else {}

    def systems(self, project_id: str, needs: frozenset[str], owners: Owners) -> dict[str, dict[str, Any]]:
        """Systems by id, if they are needed."""
        wanted = owners.systems if "system" in needs else ()
        found = {each: self._get(_system(project_id, each), each) for each in wanted}
        return {each: fields for each, fields in found.items() if fields is not None}

    def blueprints(self, project_id: str, needs: frozenset[str], owners: Owners) -> dict[str, dict[str, Any]]:
        """Blueprints by id, if they are needed."""
        wanted = owners.blueprints if "blueprint" in needs else ()
        found = {each: self._get(names.blueprint(project_id, each), each) for each in wanted}
        return {each: fields for each, fields in found.items() if fields is not None}

    def devices(self, project_id: str, wanted: Iterable[str]) -> dict[str, wire.Device]:
        """Devices by id, without their state."""
        found = {each: self._get(names.device(project_id, each), each) for each in wanted}
        return {each: wire.Device(device=fields) for each, fields in found.items() if fields is not None}

    def _is_fresh(self, name: str, now: int) -> bool:
        until, _ = self._kept.get(name, (0, None))
        return now < until <= now + KEPT_MS

    def _get(self, name: str, identity: str) -> dict[str, Any] | None:
        _, fields = self._kept.get(name, (0, None))
        return None if fields is None else {"id": identity, **fields}


def _fields(project_id: str, needs: frozenset[str], owners: Owners) -> dict[str, Sequence[str]]:
    """The documents of what is needed, and what is read of each."""
    fields: dict[str, Sequence[str]] = {}
    if "project" in needs:
        fields[names.project(project_id)] = PROJECT_FIELDS
    if "system" in needs:
        fields |= {_system(project_id, each): SYSTEM_FIELDS for each in owners.systems}
    if "blueprint" in needs:
        fields |= {names.blueprint(project_id, each): BLUEPRINT_FIELDS for each in owners.blueprints}
    return fields


def _system(project_id: str, system_id: str) -> str:
    return names.document("projects", project_id, "systems", system_id)
