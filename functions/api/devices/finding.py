"""Devices by their outside names, parts of their data, and whether what they refer to is there."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from fulcrum.core import paths
from functions.api.devices import access, aliases
from functions.api.needs import Call
from shared import names, values
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.device import DEVICE, Device
from shared.model.page import Verified
from shared.store.scope import Stored

NetworkId = Annotated[
    str, Query(alias="networkId", min_length=1, max_length=128, description="The network of the alias")
]
AliasKey = Annotated[
    str, Query(alias="aliasKey", min_length=1, max_length=128, description="The key of the alias")
]
AliasValue = Annotated[str, Query(min_length=1, max_length=128, description="The value of the alias")]


async def by_alias(call: Call, network_id: str, alias_key: str, value: str) -> Stored[Device]:
    """The device of an alias triple, for who may look it up; 404 alike for none, another project's and a
    deleted one's. Two reads."""
    name = names.alias(network_id, alias_key, value)
    document = (await firestore.batch_get([name])).get(name)
    found = values.from_fields(document.fields) if document else {}
    stored = None
    if found.get("projectId") == call.scope.project_id and found.get("networkId") == network_id:
        stored = await call.scope.find(DEVICE, str(found.get("deviceId")))
    if stored is None:
        raise ApiError(
            404,
            "device.notFound",
            f"no device of this project has the alias {network_id[:128]}/{alias_key}/{value}",
            "check the network, the key and the value",
        )
    await access.require(call, ["device.readByNetworkAlias"], stored)
    return stored


def selected(data: dict[str, Any], text: str) -> dict[str, Any]:
    """The parts of nested data at some paths, joined by commas; ApiError 400 for what is no path."""
    found: dict[str, Any] = {}
    for path in filter(None, (part.strip() for part in text.split(","))):
        if problem := paths.leaf_problem(path):
            raise ApiError(400, "device.path", problem, "name paths of its data, joined by commas")
        source: Any = data
        *upper, last = path.split("/")
        for key in upper:
            source = source.get(key) if isinstance(source, dict) else None
        if isinstance(source, dict) and last in source:
            target = found
            for key in upper:
                target = target.setdefault(key, {})
            target[last] = source[last]
    return found


async def verified(call: Call, stored: Stored[Device]) -> Verified:
    """Read all that a device refers to, in one call."""
    project, fields = call.scope.project_id, stored.fields
    wanted: dict[str, str] = {}
    for kind, collection, field in (
        ("blueprint", "blueprints", "blueprintId"),
        ("system", "systems", "systemId"),
        ("message route", "messageRoutes", "messageRouteId"),
        ("parent device", "devices", "parentDeviceId"),
    ):
        if fields.get(field):
            wanted[names.document("projects", project, collection, fields[field])] = (
                f"{kind} {fields[field]!r}"
            )
    for link in fields.get("links") or []:
        attribute_id, _, parent_id = link.partition(":")
        wanted[names.document("projects", project, "attributes", attribute_id)] = f"relation {attribute_id!r}"
        wanted[names.device(project, parent_id)] = f"related device {parent_id!r}"
    if fields.get("networkId"):
        wanted[names.network(fields["networkId"])] = f"network {fields['networkId']!r}"
    triples = sorted(aliases.triples(fields))
    found = await firestore.batch_get(
        [*wanted, *(t.document for t in triples)], ["name", "projectId", "deviceId"]
    )
    problems = [f"its {what} is gone" for name, what in wanted.items() if name not in found]
    for triple in triples:
        document = found.get(triple.document)
        owner = values.from_fields(document.fields) if document else {}
        if (owner.get("projectId"), owner.get("deviceId")) != (project, stored.id):
            problems.append(f"its alias {triple.text!r} does not lead to it")
    return Verified(id=stored.id, ok=not problems, problems=problems)
