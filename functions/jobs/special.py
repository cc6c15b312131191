"""What no single field finds: links of relations, a network's aliases on its devices, a project's everything.

Each returns whether it has found all that there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.jobs import find
from functions.jobs.effects import DEVICE_FIELDS, Effects, Job, merge
from functions.jobs.hanging import GROUP, TOP_LEVEL
from shared import names, script_documents, values
from shared.clients import firestore
from shared.store.query import Where

_SCANNED = 300


class Tombstone(msgspec.Struct, frozen=True):
    """A deleted resource that something may still hang on. ``after``: how far a scan for it has come."""

    name: str
    kind: str
    resource_id: str
    time: int
    content: Mapping[str, Any]
    after: str = ""


async def children(job: Job, tombstones: Sequence[Tombstone], effects: Effects) -> bool:
    """Children by relation of deleted devices: those that were owned go, the others lose the link."""
    relations = await _relations(job, {str(t.content.get("blueprintId")) for t in tombstones})
    gone = {t.resource_id for t in tombstones}
    for attribute_id, relation in relations.items():
        if not effects.room:
            return False
        links = [f"{attribute_id}:{device_id}" for device_id in sorted(gone)]
        limit = max(1, effects.room // 4)
        found = await find.page(
            job.project_id, "devices", [Where("links", "array-contains-any", links)], limit, DEVICE_FIELDS
        )
        for document in found:
            held = values.from_fields(document.fields).get("links") or ()
            _free_places(job, relation, attribute_id, [link for link in links if link in held], effects)
            if relation.get("owned"):
                effects.bury("device", document)
            else:
                _without(effects.edit("device", document), "links", links)
        if len(found) == limit:
            return False
    return True


async def linked_by(job: Job, tombstone: Tombstone, effects: Effects) -> tuple[bool, Any]:
    """Links of a deleted relation on the devices of its target, a page of them; and the write that says
    how far the scan has come, None at its end."""
    target = tombstone.content.get("targetBlueprintId")
    if tombstone.content.get("type") != "relationship" or not isinstance(target, str):
        return True, None
    limit = min(_SCANNED, effects.room // 3)
    if not limit:
        return False, None
    found = await find.page(
        job.project_id,
        "devices",
        [Where("blueprintId", "==", target)],
        limit,
        DEVICE_FIELDS,
        after=tombstone.after,
    )
    prefix = f"{tombstone.resource_id}:"
    for document in found:
        own = values.from_fields(document.fields).get("links") or ()
        links = [link for link in own if isinstance(link, str) and link.startswith(prefix)]
        if links:
            _free_places(job, tombstone.content, tombstone.resource_id, links, effects)
            fields = effects.edit("device", document)
            _without(fields, "links", links)
            parents = [link[len(prefix) :] for link in links]
            await _stop_forwarding(job, tombstone, fields, parents)
            await _take_out(job, tombstone, fields, parents)
    if len(found) < limit:
        return True, None
    return False, merge(tombstone.name, {"after": found[-1].id})


async def _stop_forwarding(
    job: Job, tombstone: Tombstone, fields: dict[str, Any], parents: Sequence[str]
) -> None:
    """Parents get no more copies by a relation that is gone; by another that forwards, they still do."""
    if tombstone.content.get("forwardData") and fields.get("forwardTo"):
        kept = await _still(job, fields, parents, "forwardData")
        _without(fields, "forwardTo", [parent for parent in parents if parent not in kept])


async def _take_out(job: Job, tombstone: Tombstone, fields: dict[str, Any], parents: Sequence[str]) -> None:
    """A device stands no more under who owned it by a relation that is gone; by another, it still does."""
    owned_by = [parent for parent in parents if parent == fields.get("parentDeviceId")]
    if tombstone.content.get("owned") and owned_by and not await _still(job, fields, owned_by, "owned"):
        del fields["parentDeviceId"]


async def _still(job: Job, fields: Mapping[str, Any], parents: Sequence[str], says: str) -> set[str]:
    """Those of some parents that a device is linked to by a relation that says so: owned, or forwardData."""
    links = [str(link).partition(":") for link in fields.get("links") or ()]
    rest = [(attribute, parent) for attribute, _, parent in links if parent in parents]
    found = await firestore.batch_get(
        {names.document("projects", job.project_id, "attributes", attribute) for attribute, _ in rest}, [says]
    )
    saying = {d.id for d in found.values() if values.from_fields(d.fields).get(says)}
    return {parent for attribute, parent in rest if attribute in saying}


async def outside_names(job: Job, network_id: str, effects: Effects) -> bool:
    """The aliases of a deleted network, here and on the devices that have them."""
    limit = effects.room // 3
    if not limit:
        return False
    where = [Where("networkId", "==", network_id), Where("projectId", "==", job.project_id)]
    aliases = await find.page(job.project_id, "aliases", where, limit, ("deviceId",), top_level=True)
    holders = {str(values.from_fields(alias.fields).get("deviceId", "")) for alias in aliases} - {""}
    devices = await firestore.batch_get(
        {names.device(job.project_id, device_id) for device_id in holders}, DEVICE_FIELDS
    )
    for alias in aliases:
        effects.remove(alias)
    for document in devices.values():
        forget_network(effects.edit("device", document), network_id)
    return len(aliases) < limit


def forget_network(fields: dict[str, Any], network_id: str) -> None:
    """Take a network out of a device's fields."""
    known = fields.get("networkAliases")
    if isinstance(known, dict) and network_id in known:
        fields["networkAliases"] = {key: value for key, value in known.items() if key != network_id}
    for key in ("networkId", "simNetworkId"):
        if fields.get(key) == network_id:
            del fields[key]


async def functions_of(job: Job, tombstones: Sequence[Tombstone]) -> None:
    """Have the functions of deleted scripts removed: of those that were ever deployed.

    Published before what says so goes, so that a step that is done again publishes again, and none is lost.
    """
    states = {script_documents.state(job.project_id, one.resource_id): one.resource_id for one in tombstones}
    for name in await firestore.batch_get(states, ["scriptId"]):
        await script_documents.publish(script_documents.Message(job.project_id, script_id=states[name]))


async def whole_project(job: Job, tombstone: Tombstone, effects: Effects) -> bool:
    """All documents below a deleted project, and those beside it that are its own."""
    kept = {job.name, tombstone.name}
    limit = effects.room
    found = await find.below(job.project_id, limit + len(kept))
    for document in found:
        if document.name not in kept and effects.room:
            effects.remove(document)
            if document.name.split("/")[-2] == "scriptStates":
                gone = script_documents.Message(job.project_id, script_id=document.id)
                await script_documents.publish(gone)
    if len(found) == limit + len(kept):
        return False
    mine = [Where("projectId", "==", job.project_id)]
    for collection in TOP_LEVEL:
        limit = effects.room
        if not limit:
            return False
        beside = await find.page(job.project_id, collection, mine, limit, ("projectId",), top_level=True)
        for document in beside:
            effects.remove(document)
        if len(beside) == limit:
            return False
    return await _members(job, effects)


async def _members(job: Job, effects: Effects) -> bool:
    limit = effects.room // 2
    if not limit:
        return False
    where = [Where("projects", "array-contains", job.project_id)]
    found = await find.page(job.project_id, "users", where, limit, ("projects", "version"), top_level=True)
    for document in found:
        _without(effects.edit("user", document), "projects", [job.project_id])
    return len(found) < limit


def _free_places(
    job: Job, relation: Mapping[str, Any], attribute_id: str, links: Sequence[str], effects: Effects
) -> None:
    """A relation to one child keeps a lock for each parent, held by the child."""
    if relation.get("relationshipType") in ("oneToOne", "manyToOne"):
        for link in links:
            digest = ids.digest("device", "child", attribute_id, link.partition(":")[2])
            effects.removed[names.document("projects", job.project_id, "locks", digest)] = None


async def _relations(job: Job, blueprint_ids: set[str]) -> dict[str, Mapping[str, Any]]:
    """The relations of parents' blueprints, with those that this job has deleted."""
    wanted = sorted(blueprint_ids)[:GROUP]
    live = await find.page(
        job.project_id,
        "attributes",
        [Where("blueprintId", "in", wanted), Where("type", "==", "relationship")],
        firestore.MAX_READS,
        ("owned", "relationshipType"),
    )
    found: dict[str, Mapping[str, Any]] = {d.id: values.from_fields(d.fields) for d in live}
    gone = await find.page(
        job.project_id,
        "deletions",
        [Where("jobId", "==", job.id), Where("kind", "==", "attribute")],
        firestore.MAX_READS,
        ("resourceId", "content"),
    )
    for document in gone:
        fields = values.from_fields(document.fields)
        content = msgspec.json.decode(fields.get("content") or "{}")
        if content.get("type") == "relationship" and content.get("blueprintId") in blueprint_ids:
            found[str(fields["resourceId"])] = content
    return found


def _without(fields: dict[str, Any], key: str, gone: Sequence[str]) -> None:
    held = fields.get(key)
    if isinstance(held, list):
        fields[key] = [value for value in held if value not in gone]
