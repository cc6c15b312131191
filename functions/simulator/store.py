"""Simulations in Firestore: read by device or by shard, changed only as they were read."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from fulcrum.core import ids
from shared import clock, documents, names, simulations, values
from shared.clients import firestore
from shared.clients.firestore import PreconditionFailed
from shared.clients.firestore_pb import messages
from shared.errors import Transient
from shared.simulations import Simulation
from shared.store.query import Query, Where, conditions

SHARDS = 64
# A shard takes new devices until it has so many; with all of them full they are spread.
SHARD_SIZE = 1_000
# Whoever has few devices reads so many of them to find room.
_FEW = 4
# Devices of one commit, with their shards.
_AT_ONCE = 300
_TRIES = 8
_DEVICE_MASK = ("simulated", "simNetworkId", "networkId", "deleted")


class Device(NamedTuple):
    """What counts of a device: whether it may be simulated, and under which network it then sends."""

    simulated: bool
    network_id: str | None


class Stored(NamedTuple):
    """A simulation as read; None for one that is not there."""

    simulation: Simulation | None
    update_time: Any


class Shard(NamedTuple):
    """A shard's document."""

    project_id: str
    number: int
    revision: str
    armed_until: int
    size: int
    update_time: Any


# What a simulation becomes, by device; None where it stays as it is.
Decide = Callable[[str, Simulation | None], Simulation | None]


async def devices(project_id: str, device_ids: Sequence[str]) -> dict[str, Device]:
    """Devices by id; those that are gone are absent."""
    wanted = {names.device(project_id, one): one for one in device_ids}
    found = await firestore.batch_get(wanted, _DEVICE_MASK)
    made: dict[str, Device] = {}
    for name, document in found.items():
        fields = values.from_fields(document.fields)
        if not fields.get("deleted"):
            network = fields.get("simNetworkId") or fields.get("networkId")
            made[wanted[name]] = Device(bool(fields.get("simulated")), network)
    return made


async def scenario(project_id: str, scenario_id: str) -> dict[str, Any] | None:
    """The plain fields of a scenario."""
    name = names.document("projects", project_id, "scenarios", scenario_id)
    found = (await firestore.batch_get([name])).get(name)
    return None if found is None else values.from_fields(found.fields)


async def contents(project_id: str, digests: Iterable[str]) -> dict[str, str]:
    """Scenarios as they were when they were started, by digest: JSON."""
    wanted = {simulations.content_name(project_id, one): one for one in digests}
    found = await firestore.batch_get(wanted)
    return {
        wanted[name]: str(values.from_fields(document.fields)["text"]) for name, document in found.items()
    }


async def forget_contents(project_id: str, before: int) -> int:
    """Remove the scenarios that no device plays, or may play again, asked for last before an epoch ms.

    How many went. One that is asked for at the same time stays, or is written again with what names it.
    """
    query = conditions("simulationContents", Query((Where("used", "<", before),)))
    query.select.fields.add(field_path="used")
    old = await firestore.run_query(names.project(project_id), query)
    if not old:
        return 0
    query = conditions("simulations", Query((Where("active", "==", True),)))
    active = await firestore.run_query(names.project(project_id), query)
    playing = {cast.content for one in active for cast in _simulation(one).casts}
    named = await asyncio.gather(*(_is_named(project_id, one.id) for one in old))
    writes = [
        _removal(one)
        for one, is_named in zip(old, named, strict=True)
        if not is_named and one.id not in playing
    ]
    return (await firestore.batch_write(writes)).count(0)


async def _is_named(project_id: str, digest: str) -> bool:
    query = conditions("simulations", Query((Where("content", "==", digest),)))
    return await firestore.count(names.project(project_id), query, limit=1) > 0


def _removal(document: firestore.Document) -> Any:
    write = messages().Write(delete=document.name)
    write.current_document.update_time.CopyFrom(document.update_time)
    return write


async def change(
    project_id: str, device_ids: Sequence[str], decide: Decide, content: Mapping[str, str] | None = None
) -> dict[str, Simulation]:
    """Change simulations; what somebody else changes meanwhile is read and decided anew.

    ``content``: texts by digest that they will need, written with them. Each as it is afterwards.
    """
    after: dict[str, Simulation] = {}
    for start in range(0, len(device_ids), _AT_ONCE):
        after |= await _change(project_id, device_ids[start : start + _AT_ONCE], decide, content or {})
    return after


async def _change(
    project_id: str, device_ids: Sequence[str], decide: Decide, content: Mapping[str, str]
) -> dict[str, Simulation]:
    for attempt in range(_TRIES):
        stored = await _read(project_id, device_ids)
        after: dict[str, Simulation] = {}
        changed: dict[str, Simulation] = {}
        for one, (before, _) in stored.items():
            decided = decide(one, before)
            if decided is not None:
                changed[one] = decided
            if (kept := decided or before) is not None:
                after[one] = kept
        if not changed:
            return after
        placed = await _placed(project_id, changed, stored)
        writes = [_write(one, stored[one.device_id].update_time) for one in placed.values()]
        writes += [_content(project_id, digest, text) for digest, text in content.items()]
        new = [one.shard for one in placed.values() if stored[one.device_id].simulation is None]
        writes += _shard_writes(project_id, placed.values(), Counter(new))
        try:
            await firestore.commit(writes)
        except PreconditionFailed:
            await asyncio.sleep(0.02 * 2**attempt * random.random())
            continue
        return after | placed
    raise Transient("simulations are changed by others all the time")


async def _read(project_id: str, device_ids: Sequence[str]) -> dict[str, Stored]:
    wanted = {simulations.name(project_id, one): one for one in device_ids}
    found = await firestore.batch_get(wanted)
    return {
        one: Stored(_simulation(found[name]), found[name].update_time)
        if name in found
        else Stored(None, None)
        for name, one in wanted.items()
    }


async def _placed(
    project_id: str, changed: Mapping[str, Simulation], stored: Mapping[str, Stored]
) -> dict[str, Simulation]:
    """Give devices that were never simulated a shard: the first that is not full."""
    new = [one for one in changed if stored[one].simulation is None]
    if not new:
        return dict(changed)
    sizes = {shard.number: shard.size for shard in await shards(project_id, range(_FEW))}
    if sum(sizes.get(number, 0) for number in range(_FEW)) + len(new) > _FEW * SHARD_SIZE:
        sizes = {shard.number: shard.size for shard in await shards(project_id, range(SHARDS))}
    placed = dict(changed)
    for one in new:
        number = next((n for n in range(SHARDS) if sizes.get(n, 0) < SHARD_SIZE), None)
        if number is None:
            number = min(sizes, key=lambda n: sizes[n])
        sizes[number] = sizes.get(number, 0) + 1
        placed[one] = msgspec.structs.replace(changed[one], shard=number)
    return placed


async def shards(project_id: str, numbers: Iterable[int]) -> list[Shard]:
    """Those of a project's shards that are there."""
    found = await firestore.batch_get([simulations.shard_name(project_id, number) for number in numbers])
    return [_shard(document) for document in found.values()]


async def playing_shards() -> list[Shard]:
    """The shards of all projects that may have something to play."""
    query = conditions("simulationShards", Query((Where("playing", "==", True),)))
    query.from_[0].all_descendants = True
    return [_shard(one) for one in await firestore.run_query(f"{names.database()}/documents", query)]


async def of_shard(project_id: str, shard: int) -> list[Simulation]:
    """The simulations of a shard that may have something to send."""
    where = (Where("shard", "==", shard), Where("active", "==", True))
    query = conditions("simulations", Query(where))
    found = await firestore.run_query(names.project(project_id), query)
    return [_simulation(document) for document in found]


async def count(project_id: str, shard: int) -> int:
    """How many devices a shard has."""
    query = conditions("simulations", Query((Where("shard", "==", shard),)))
    return await firestore.count(names.project(project_id), query)


async def armed(shard: Shard, until: int, size: int | None = None) -> None:
    """Note up to when a shard's tasks are made, and how many devices it has where that is counted anew."""
    fields: dict[str, Any] = {"armedUntil": until}
    if size is not None:
        fields["size"] = size
    await firestore.batch_write([_merge(simulations.shard_name(shard.project_id, shard.number), fields)])


async def rest(shard: Shard) -> bool:
    """Note that a shard has nothing to play; False where somebody has just given it something."""
    write = _merge(simulations.shard_name(shard.project_id, shard.number), {"playing": False})
    write.current_document.update_time.CopyFrom(shard.update_time)
    (code,) = await firestore.batch_write([write])
    return code == 0


def _shard(document: firestore.Document) -> Shard:
    fields = values.from_fields(document.fields)
    return Shard(
        document.name.split("/")[-3],
        int(document.id),
        fields.get("revision", ""),
        fields.get("armedUntil", 0),
        fields.get("size", 0),
        document.update_time,
    )


def _simulation(document: firestore.Document) -> Simulation:
    return simulations.from_fields(document.name, values.from_fields(document.fields))


def _write(one: Simulation, update_time: Any) -> Any:
    name = simulations.name(one.project_id, one.device_id)
    return documents.whole(name, simulations.to_fields(one), update_time)


def _content(project_id: str, digest: str, text: str) -> Any:
    write = messages().Write()
    write.update.name = simulations.content_name(project_id, digest)
    # When it was asked for last: whoever is about to remove it sees that.
    values.to_fields(write.update.fields, {"text": text, "used": clock.now_ms()})
    return write


def _shard_writes(project_id: str, changed: Iterable[Simulation], new: Mapping[int, int]) -> list[Any]:
    active: dict[int, bool] = {}
    for one in changed:
        active[one.shard] = active.get(one.shard, False) or one.active
    writes = []
    for number, plays in active.items():
        fields: dict[str, Any] = {"revision": ids.new_id()}
        if plays:
            fields["playing"] = True
        write = _merge(simulations.shard_name(project_id, number), fields)
        if number in new:
            write.update_transforms.add(field_path="size").increment.integer_value = new[number]
        writes.append(write)
    return writes


def _merge(name: str, fields: dict[str, Any]) -> Any:
    write = messages().Write()
    write.update.name = name
    write.update_mask.field_paths.extend(sorted(fields))
    values.to_fields(write.update.fields, fields)
    return write
