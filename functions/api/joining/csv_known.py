"""What a table of devices refers to, read in as few calls as its size allows, within one project."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.api.devices.aliases import Triple
from functions.api.devices.external_ids import EXTERNAL_ID
from functions.api.devices.placement import MAX_DEPTH
from functions.api.joining.csv_columns import Said
from shared import values
from shared.clients import firestore
from shared.model.base import Kind
from shared.model.blueprint import BLUEPRINT
from shared.model.device import DEVICE
from shared.model.message_route import MESSAGE_ROUTE
from shared.model.network import NETWORK
from shared.model.system import SYSTEM
from shared.store.change import lock_name
from shared.store.query import Query, Where
from shared.store.scope import Scope, Stored

# A device's definition without its state, which may be large.
DEFINITION: Kind[Any] = dataclasses.replace(
    DEVICE, mask=tuple(name for name in DEVICE.mask or () if name != "data")
)
_ID = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")
_ALTERNATIVES = 30


@dataclass
class Known:
    """What was found. ``holders``: whose an outside name or an external id is, if anybody's."""

    blueprints: dict[str, Stored[Any]] = field(default_factory=dict)
    systems: dict[str, Stored[Any]] = field(default_factory=dict)
    networks: dict[str, Stored[Any]] = field(default_factory=dict)
    routes: dict[str, Stored[Any]] = field(default_factory=dict)
    devices: dict[str, Stored[Any]] = field(default_factory=dict)
    holders: dict[Triple, str] = field(default_factory=dict)
    externals: dict[str, str] = field(default_factory=dict)


def triples(said: Said) -> set[Triple]:
    """The outside names in a row."""
    return {Triple(net, key, value) for net, keys in said.aliases.items() for key, value in keys.items()}


async def read(scope: Scope, rows: Sequence[Said]) -> Known:
    """All that rows refer to; what is not there is absent. The holder of another project is ``""``."""
    known = Known()
    known.blueprints = await _by_id_or_alias(scope, BLUEPRINT, {row.of("blueprint") for row in rows})
    known.systems = await _by_id_or_alias(scope, SYSTEM, {row.of("system") for row in rows})
    networks = {row.fields.get(key) for row in rows for key in ("networkId", "simNetworkId")}
    networks |= {network_id for row in rows for network_id in row.aliases}
    known.networks = await _by_id(scope, NETWORK, networks)
    known.routes = await _by_id(scope, MESSAGE_ROUTE, {row.fields.get("messageRouteId") for row in rows})
    await _read_holders(scope, rows, known)
    wanted = {row.of("id") for row in rows} | {row.of("parent") for row in rows}
    wanted |= set(known.holders.values()) | set(known.externals.values())
    known.devices = await _by_id(scope, DEFINITION, wanted)
    await _read_above(scope, {row.of("parent") for row in rows}, known)
    return known


async def _read_above(scope: Scope, parents: set[str], known: Known) -> None:
    """What stands above the parents that rows name, one call a level."""
    level = {known.externals.get(text, text) for text in parents}
    for _ in range(MAX_DEPTH):
        above = {known.devices[each].fields.get("parentDeviceId") for each in level if each in known.devices}
        level = {str(each) for each in above if each}
        known.devices |= await _by_id(scope, DEFINITION, level - known.devices.keys())


async def _read_holders(scope: Scope, rows: Sequence[Said], known: Known) -> None:
    names = {triple.document: triple for row in rows for triple in triples(row)}
    for name, document in (await firestore.batch_get(names, ["projectId", "deviceId"])).items():
        fields = values.from_fields(document.fields)
        ours = fields.get("projectId") == scope.project_id
        known.holders[names[name]] = str(fields.get("deviceId") or "") if ours else ""
    externals = {row.of(EXTERNAL_ID) for row in rows} | {row.of("parent") for row in rows}
    locks = {lock_name(scope, "device", EXTERNAL_ID, text): text for text in externals if text}
    for name, document in (await firestore.batch_get(locks, ["holder"])).items():
        known.externals[locks[name]] = str(values.from_fields(document.fields).get("holder") or "")


async def _by_id(scope: Scope, kind: Kind[Any], ids: Iterable[Any]) -> dict[str, Stored[Any]]:
    wanted = sorted({text for text in ids if isinstance(text, str) and _ID.match(text)})
    return await scope.find_many(kind, wanted) if wanted else {}


async def _by_id_or_alias(scope: Scope, kind: Kind[Any], texts: set[str]) -> dict[str, Stored[Any]]:
    """Resources by what a cell says: an id, else an alias."""
    texts.discard("")
    found = await _by_id(scope, kind, texts)
    rest = sorted(texts - set(found))
    for start in range(0, len(rest), _ALTERNATIVES):
        some = rest[start : start + _ALTERNATIVES]
        page = await scope.page(kind, Query((Where("alias", "in", some),), limit=_ALTERNATIVES))
        found |= {str(stored.fields["alias"]): stored for stored in page.items}
    return found


def holder(known: Mapping[Triple, str], row: Said) -> set[str]:
    """The devices that have an outside name of a row."""
    return {known[triple] for triple in triples(row) if triple in known}
