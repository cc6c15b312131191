"""What a batch of a script's runs needs to know: records, and what the entry point names in ``needs``.

One call of Firestore for all of it; one more where runs do not say themselves of which system or blueprint
their device is. Definitions of projects, systems and blueprints may be five seconds old; the rest is as it
is now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fulcrum.script import wire
from functions.reason.decode import Done, Run
from functions.reason.definitions import Definitions, Owners
from functions.reason.scripts import Script
from shared import clock, device_rows, names, run_records, script_documents, values
from shared.clients.firestore import Document

_OWNERS = ("systemId", "blueprintId")


class Reading(msgspec.Struct, frozen=True):
    """What was read; devices, systems and blueprints that do not exist are absent.

    ``times``: update times of the caches' documents, None for one that is not there yet.
    """

    recorded: dict[str, Done]
    project: dict[str, Any]
    systems: dict[str, dict[str, Any]]
    blueprints: dict[str, dict[str, Any]]
    devices: dict[str, wire.Device]
    caches: dict[str, Any]
    script_cache: Any
    times: dict[str, Any]


async def read(script: Script, entry: str, runs: Sequence[Run], definitions: Definitions) -> Reading:
    """Read for runs of one entry point. Transient where the store fails."""
    needs, project_id, now = script.needs(entry), script.project_id, clock.now_ms()
    devices = list(dict.fromkeys(run.message.device_id for run in runs if run.message.device_id))
    owned = _unowned(runs) if needs & {"system", "blueprint"} else set()
    wanted: dict[str, Sequence[str]] = {
        script_documents.run(project_id, run.key): run_records.MASK for run in runs
    }
    for device_id in devices:
        if mask := _device_mask(needs, device_id in owned):
            wanted[names.device(project_id, device_id)] = mask
        if "cache" in needs:
            wanted[script_documents.device_cache(project_id, script.id, device_id)] = ("value",)
    if "scriptCache" in needs:
        wanted[script_documents.script_cache(project_id, script.id)] = ("value",)
    owners = Owners.of(runs)
    found = await definitions.read(project_id, needs, owners, wanted, now)
    if owned:
        owners = owners.joined(_device_owners(found, project_id, owned))
        await definitions.read(project_id, needs, owners, {}, now)
    times: dict[str, Any] = {}
    caches: dict[str, Any] = {}
    for device_id in devices if "cache" in needs else ():
        name = script_documents.device_cache(project_id, script.id, device_id)
        _take_cache(name, found, times, caches, device_id)
    if "scriptCache" in needs:
        name = script_documents.script_cache(project_id, script.id)
        _take_cache(name, found, times, caches, "")
    return Reading(
        recorded=_recorded(project_id, runs, found),
        project=definitions.project(project_id, needs),
        systems=definitions.systems(project_id, needs, owners),
        blueprints=definitions.blueprints(project_id, needs, owners),
        devices=_devices(project_id, needs, devices, found),
        script_cache=caches.pop("", None),
        caches=caches,
        times=times,
    )


def _device_mask(needs: frozenset[str], is_owned: bool) -> tuple[str, ...]:
    mask: tuple[str, ...] = ()
    if "deviceData" in needs:
        mask += ("registers",)
    if "device" in needs:
        mask += device_rows.DEFINITION
    # One that is being deleted is gone.
    return (*mask, *_OWNERS, "deleted") if mask or is_owned else ()


def _unowned(runs: Sequence[Run]) -> set[str]:
    """The devices of which a run does not say the system or the blueprint."""
    return {
        run.message.device_id
        for run in runs
        if run.message.device_id
        and not (run.message.system_id and getattr(run.message, "blueprint_id", None))
    }


def _device_owners(found: Mapping[str, Document], project_id: str, devices: Iterable[str]) -> Owners:
    systems: set[str] = set()
    blueprints: set[str] = set()
    for device_id in devices:
        document = found.get(names.device(project_id, device_id))
        for key, owners in zip(_OWNERS, (systems, blueprints), strict=True):
            if document is not None and key in document.fields:
                owners.add(document.fields[key].string_value)
    return Owners(frozenset(systems - {""}), frozenset(blueprints - {""}))


def _take_cache(
    name: str, found: Mapping[str, Document], times: dict[str, Any], caches: dict[str, Any], place: str
) -> None:
    document = found.get(name)
    times[name] = None if document is None else document.update_time
    if document is not None and "value" in document.fields:
        caches[place] = msgspec.json.decode(document.fields["value"].string_value)


def _recorded(project_id: str, runs: Sequence[Run], found: Mapping[str, Document]) -> dict[str, Done]:
    recorded = {}
    for run in runs:
        document = found.get(script_documents.run(project_id, run.key))
        if document is not None:
            outcome, version, created, devices = run_records.read(document.fields)
            recorded[run.key] = Done(
                outcome=outcome, version=version, started=created, repeated=True, devices=devices
            )
    return recorded


def _devices(
    project_id: str, needs: frozenset[str], devices: Iterable[str], found: Mapping[str, Document]
) -> dict[str, wire.Device]:
    made = {}
    shown = device_rows.DEFINITION if "device" in needs else _OWNERS
    for device_id in devices:
        document = found.get(names.device(project_id, device_id))
        if document is None or ("deleted" in document.fields and document.fields["deleted"].boolean_value):
            continue
        fields = document.fields
        definition = {key: values.from_value(fields[key]) for key in shown if key in fields}
        registers = ""
        if "deviceData" in needs and "registers" in fields:
            registers = fields["registers"].bytes_value.decode()
        made[device_id] = wire.Device(device={"id": device_id, **definition}, registers=registers)
    return made
