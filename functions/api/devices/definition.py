"""What a device's definition refers to, checked when it is made or changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from functions.api.devices import aliases, external_ids, holding, placement
from functions.api.needs import Call
from functions.api.resources.references import check_route, check_scripts
from shared import names, values
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.device import EVENT_FIELDS
from shared.store.change import Change

_MASK = ("projectId", "purpose", "aliasKeys", "deviceId", "name", "systemId")


async def creating(
    call: Call, change: Change, device_id: str, system_id: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of a new device; its aliases are taken and what it refers to is held, by the change.

    ApiError 404 without the system, 400 for what is not in the project, 409 for an alias that is taken.
    """
    project = change.scope.project_id
    system = names.document("projects", project, "systems", _id(system_id))
    blueprint = names.document("projects", project, "blueprints", _id(given["blueprintId"]))
    wanted = aliases.triples(given)
    aliases.check(wanted)
    references = [system, blueprint, *_references(project, given), *(t.document for t in wanted)]
    found = await firestore.batch_get(references, _MASK)
    if system not in found:
        raise ApiError(
            404,
            "system.notFound",
            f"there is no system {system_id[:128]!r}",
            "check the id, and that the token is of the right project",
        )
    _check_references(project, given, found, wanted)
    await check_scripts(call.scope, "device", "messageRoute", given.get("messageRoute"))
    if blueprint not in found:
        raise _unknown("blueprint", str(given["blueprintId"]))
    if given.get("parentDeviceId"):
        await placement.check(change, device_id, system_id, str(given["parentDeviceId"]), new=True)
    aliases.check_free(wanted, found)
    aliases.move(change, device_id, set(), wanted)
    external_ids.move(change, device_id, {}, given)
    holding.exists(change, system, blueprint, *_references(project, given))
    purpose = values.from_fields(found[blueprint].fields).get("purpose") or "device"
    return {**given, "systemId": system_id, "purpose": purpose, "links": given.get("links") or []}


async def updating(
    call: Call, change: Change, device_id: str, before: Mapping[str, Any], after: dict[str, Any]
) -> None:
    """Check a change of a device's definition and move its aliases; ``after`` may lose some of them.

    ``before`` are the fields as stored, ``after`` as they will be. ApiErrors as for :func:`creating`.
    """
    project = change.scope.project_id
    aliases.left(before, after)
    old, new = aliases.triples(before), aliases.triples(after)
    aliases.check(new)
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    if "networkAliases" in changed:
        # A network whose aliases stay as they are need not be looked at.
        touched = {triple.network_id for triple in new - old}
        changed["networkAliases"] = {
            key: value for key, value in changed["networkAliases"].items() if key in touched
        }
    references = _references(project, changed)
    found = await firestore.batch_get([*references, *(t.document for t in new - old)], _MASK)
    _check_references(project, changed, found, new - old)
    await check_scripts(call.scope, "device", "messageRoute", changed.get("messageRoute"))
    aliases.check_free(new - old, found)
    if before.get("parentDeviceId") != after.get("parentDeviceId"):
        await placement.move(change, device_id, before, after.get("parentDeviceId"))
    aliases.move(change, device_id, old, new)
    external_ids.move(change, device_id, before, after)
    holding.exists(change, *references)
    if any(before.get(key) != after.get(key) for key in EVENT_FIELDS):
        change.affect_events()


def _id(text: str) -> str:
    """An id as part of a document's name; what can be none leads to a document that is not there."""
    plain = text.replace("-", "").replace("_", "")
    return text if plain.isalnum() and plain.isascii() and not text.startswith("__") else "-"


def _networks(fields: Mapping[str, Any]) -> set[str]:
    named = {fields.get("networkId"), fields.get("simNetworkId"), *(fields.get("networkAliases") or {})}
    return {network_id for network_id in named if network_id}


def _references(project: str, fields: Mapping[str, Any]) -> list[str]:
    found = [names.network(_id(network_id)) for network_id in sorted(_networks(fields))]
    if fields.get("messageRouteId"):
        found.append(names.message_route(project, _id(fields["messageRouteId"])))
    return found


def _check_references(
    project: str, fields: Mapping[str, Any], found: Mapping[str, Any], added: Iterable[aliases.Triple]
) -> None:
    networks = {}
    for network_id in sorted(_networks(fields)):
        document = found.get(names.network(_id(network_id)))
        network = values.from_fields(document.fields) if document else {}
        if network.get("projectId") != project:
            raise _unknown("network", network_id)
        networks[network_id] = network
    for triple in added:
        keys = networks[triple.network_id].get("aliasKeys") or []
        if keys and triple.alias_key not in keys:
            raise ApiError(
                400,
                "device.unknownAliasKey",
                f"the network {triple.network_id!r} has no alias key {triple.alias_key!r}",
                f"use one of: {', '.join(keys)}",
            )
    route_id = fields.get("messageRouteId")
    if route_id and names.message_route(project, _id(route_id)) not in found:
        raise _unknown("messageRoute", route_id)
    if fields.get("messageRoute"):
        check_route("device", "messageRoute", fields["messageRoute"])


def _unknown(kind: str, resource_id: str) -> ApiError:
    return ApiError(
        400,
        f"device.unknown{kind[0].upper()}{kind[1:]}",
        f"this project has no {kind} {resource_id[:128]!r}",
        f"name a {kind} of the project, or create it first",
    )
