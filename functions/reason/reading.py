"""What a batch of a script's runs needs to know: records, and what the entry point names in ``needs``.

One call of Firestore for all of it where it is little; otherwise caches and records are asked for by thirty
each, which are fewer messages than documents. One call more where runs do not say themselves of which system
or blueprint their device is. Definitions may be five seconds old; states and caches are as they are now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from fulcrum.script import wire
from functions.reason import caches as kept_caches
from functions.reason import queries
from functions.reason.caches import Cache, Caches
from functions.reason.decode import Done, Run
from functions.reason.definitions import Definitions, Owners
from functions.reason.scripts import Script
from shared import clock, device_rows, names, run_records, script_documents, values
from shared.clients import firestore
from shared.clients.firestore import Document

# So many records, and so many caches, are read with the rest; of more it is asked first which there are.
FEW = 10
_OWNERS = ("systemId", "blueprintId")


# A digest that is the same each time the device reports.
_cache_name = lru_cache(maxsize=20_000)(script_documents.device_cache)


class Reading(msgspec.Struct, frozen=True):
    """What was read; devices, systems and blueprints that do not exist are absent.

    ``caches`` are JSON text as it stands. ``times``: update times of the caches' documents, None for one that
    is not there yet.
    """

    recorded: dict[str, Done]
    project: dict[str, Any]
    systems: dict[str, dict[str, Any]]
    blueprints: dict[str, dict[str, Any]]
    devices: dict[str, wire.Device]
    caches: dict[str, msgspec.Raw]
    script_cache: Any
    times: dict[str, Any]


async def read(
    script: Script, entry: str, runs: Sequence[Run], definitions: Definitions, caches: Caches
) -> Reading:
    """Read for runs of one entry point. Transient where the store fails."""
    needs, project_id, now = script.needs(entry), script.project_id, clock.now_ms()
    devices = list(dict.fromkeys(run.message.device_id for run in runs if run.message.device_id))
    owned = _unowned(runs) if needs & {"system", "blueprint"} else set()
    owners = Owners.of(runs)
    records = {script_documents.run(project_id, run.key): run.key for run in runs}
    cached = _caches(script, needs, devices)
    # The script's own is changed too often to be asked for by its mark.
    many = [name for name, device_id in cached.items() if device_id is not None] if len(devices) > FEW else []
    wanted: dict[str, Sequence[str]] = dict.fromkeys(cached.keys() - set(many), ("value",))
    if "deviceData" in needs:
        mask = ("registers", "deleted", *(device_rows.DEFINITION if "device" in needs else _OWNERS))
        wanted |= {names.device(project_id, device_id): mask for device_id in devices}
        defined: Iterable[str] = ()
    else:
        # Without their state, devices are definitions like others.
        defined = devices if "device" in needs else owned
    if len(records) <= FEW:
        wanted |= dict.fromkeys(records, run_records.MASK)
    found, stored = await asyncio.gather(
        definitions.read(project_id, needs, owners, wanted, now, defined),
        caches.read(project_id, script.id, many),
    )
    if len(records) > FEW:
        # After the caches: what these have of a run that somebody else commits meanwhile is recorded by then.
        found |= await _existing(project_id, records)
    known = _devices(project_id, needs, devices, found)
    known |= definitions.devices(project_id, defined)
    if owned:
        owners = owners.joined(_owners_of(known, owned))
        await definitions.read(project_id, needs, owners, {}, now)
    stored |= {name: kept_caches.of(found[name]) for name in cached if name in found}
    own = stored.get(script_documents.script_cache(project_id, script.id))
    return Reading(
        recorded={key: _done(found[name]) for name, key in records.items() if name in found},
        project=definitions.project(project_id, needs),
        systems=definitions.systems(project_id, needs, owners),
        blueprints=definitions.blueprints(project_id, needs, owners),
        devices=known,
        script_cache=_json(own) if own is not None else None,
        caches={
            device_id: _json(stored[name])
            for name, device_id in cached.items()
            if device_id is not None and name in stored
        },
        times={name: stored[name].update_time if name in stored else None for name in cached},
    )


async def _existing(project_id: str, records: Mapping[str, str]) -> dict[str, Document]:
    """The records that there are. Mostly there is none, and a query says that in one answer for thirty."""
    parent = names.project(project_id)
    found = await asyncio.gather(
        *(
            firestore.run_query(parent, queries.named("runs", part, run_records.MASK))
            for part in queries.parts(list(records))
        )
    )
    return {document.name: document for part in found for document in part}


def _json(cache: Cache) -> msgspec.Raw:
    return msgspec.Raw(cache.value.encode())


def _caches(script: Script, needs: frozenset[str], devices: Iterable[str]) -> dict[str, str | None]:
    """The documents of the caches that are needed, each with its device, None for the script's own."""
    made: dict[str, str | None] = {}
    if "cache" in needs:
        for device_id in devices:
            made[_cache_name(script.project_id, script.id, device_id)] = device_id
    if "scriptCache" in needs:
        made[script_documents.script_cache(script.project_id, script.id)] = None
    return made


def _unowned(runs: Sequence[Run]) -> set[str]:
    """The devices of which a run does not say the system or the blueprint."""
    return {
        run.message.device_id
        for run in runs
        if run.message.device_id
        and not (run.message.system_id and getattr(run.message, "blueprint_id", None))
    }


def _owners_of(known: Mapping[str, wire.Device], devices: Iterable[str]) -> Owners:
    definitions = [known[device_id].device for device_id in devices if device_id in known]
    systems, blueprints = ({each.get(key) for each in definitions} - {None} for key in _OWNERS)
    return Owners(frozenset(map(str, systems)), frozenset(map(str, blueprints)))


def _done(document: Document) -> Done:
    found = run_records.read(document.fields)
    return Done(
        outcome=found.outcome,
        version=found.version,
        started=found.created,
        received=found.received,
        repeated=True,
        devices=found.devices,
    )


def _devices(
    project_id: str, needs: frozenset[str], devices: Iterable[str], found: Mapping[str, Document]
) -> dict[str, wire.Device]:
    """Devices with their state."""
    made: dict[str, wire.Device] = {}
    if "deviceData" not in needs:
        return made
    shown = device_rows.DEFINITION if "device" in needs else _OWNERS
    for device_id in devices:
        document = found.get(names.device(project_id, device_id))
        if document is None or ("deleted" in document.fields and document.fields["deleted"].boolean_value):
            continue
        fields = document.fields
        definition = {key: values.from_value(fields[key]) for key in shown if key in fields}
        registers = fields["registers"].bytes_value.decode() if "registers" in fields else ""
        made[device_id] = wire.Device(device={"id": device_id, **definition}, registers=registers)
    return made
