"""One step of a deletion's job: what hangs on some deleted resources goes, and the progress, in one commit.

A process that is killed before the commit has changed nothing; after it, the next step goes on from there.
Two that run at once cannot both commit: each wants the job's document as it has read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from fulcrum.core import ids
from functions.jobs import find, hanging, special
from functions.jobs.effects import MAX_BYTES, MAX_WRITES, MIN_WRITES, Effects, Job, merge
from functions.jobs.special import Tombstone
from shared import clock, device_rows, history, names, values
from shared.cascade import job as jobs
from shared.clients import firestore
from shared.clients import history as client
from shared.clients.firestore_pb import messages
from shared.errors import Rejected, Transient
from shared.history import Row
from shared.store.query import Where


class Outcome(NamedTuple):
    """What became of a step: ``more`` to do, ``done``, or ``elsewhere``: another process runs the job."""

    state: str
    changed: int = 0


class _Plan(NamedTuple):
    writes: list[Any]
    rows: list[Row]
    changed: int
    step: str
    touches_events: bool


async def run(job: Job, limit: int = MAX_WRITES) -> Outcome:
    """Do one step of about ``limit`` writes. Transient or Rejected where a store fails or refuses."""
    pending = await _pending(job)
    if not pending:
        finished = {"state": "done", "step": "", "expireAt": clock.from_ms(job.now) + jobs.KEPT}
        return await _commit(job, [], finished, 0)
    plan = await _plan(job, pending, limit)
    if limit > MIN_WRITES and sum(write.ByteSize() for write in plan.writes) > MAX_BYTES:
        raise Transient("the step is too large for one commit: a smaller one follows")
    if plan.rows:
        await _tell_history(plan.rows)
    writes = list(plan.writes)
    if plan.touches_events and await _is_there(job):
        writes.append(_revision(job.project_id))
    return await _commit(job, writes, {"state": "running", "step": plan.step}, plan.changed)


async def _pending(job: Job) -> list[Tombstone]:
    """Tombstones of one kind on which something may still hang; devices first.

    A device's children are found by its blueprint's relations, which therefore are dealt with after it.
    """
    mine = [Where("jobId", "==", job.id), Where("pending", "==", True)]
    found = await find.page(
        job.project_id, "deletions", [*mine, Where("kind", "==", "device")], hanging.GROUP
    ) or await find.page(job.project_id, "deletions", mine, hanging.GROUP)
    tombstones = [_tombstone(document) for document in found]
    first = tombstones[0].kind if tombstones else ""
    alike = [tombstone for tombstone in tombstones if tombstone.kind == first]
    # These keep a place of their own, or are found one by one.
    return alike[:1] if first in ("attribute", "network", "project") else alike


def _tombstone(document: firestore.Document) -> Tombstone:
    fields = values.from_fields(document.fields)
    return Tombstone(
        document.name,
        str(fields["kind"]),
        str(fields["resourceId"]),
        int(fields.get("time") or 0),
        msgspec.json.decode(fields.get("content") or "{}"),
        str(fields.get("after") or ""),
    )


async def _plan(job: Job, tombstones: Sequence[Tombstone], limit: int) -> _Plan:
    kind, effects = tombstones[0].kind, Effects(limit)
    marks: list[Any] = []
    complete = await _special(job, tombstones, effects, marks)
    resource_ids = [tombstone.resource_id for tombstone in tombstones]
    if complete and kind != "project":
        complete = await _by_rules(job, kind, resource_ids, effects)
    rows = effects.rows(job)
    if complete:
        # Nothing hangs on them any more. A project leaves nothing behind at all but this job.
        marks = [merge(tombstone.name, {"pending": False, "after": None}) for tombstone in tombstones]
        if kind == "device":
            rows += [_gone(job, tombstone) for tombstone in tombstones]
    touches = effects.affects_events() or (complete and kind == "device")
    return _Plan(effects.writes(job) + marks, rows, effects.count, kind, touches and kind != "project")


async def _special(job: Job, tombstones: Sequence[Tombstone], effects: Effects, marks: list[Any]) -> bool:
    """What no rule finds; whether that is all of it."""
    first = tombstones[0]
    if first.kind == "device":
        return await special.children(job, tombstones, effects)
    if first.kind == "project":
        return await special.whole_project(job, first, effects)
    if first.kind == "network":
        return await special.outside_names(job, first.resource_id, effects)
    if first.kind == "script":
        await special.functions_of(job, tombstones)
    if first.kind == "system":
        effects.removed |= {_placement_lock(job, tombstone.resource_id): None for tombstone in tombstones}
    if first.kind == "attribute":
        complete, mark = await special.linked_by(job, first, effects)
        if mark is not None:
            marks.append(mark)
        return complete
    return True


async def _by_rules(job: Job, kind: str, resource_ids: Sequence[str], effects: Effects) -> bool:
    for rule in hanging.rules(kind):
        cost = {"remove": 1, "bury": 3, "edit": 2}[rule.effect]
        limit = effects.room // cost
        if not limit:
            return False
        if rule.collection in hanging.LARGE:
            found, limit = await _large(job, rule, resource_ids, effects, limit)
        else:
            found = await find.by_rule(job.project_id, rule, resource_ids, limit)
        for document in found:
            if rule.effect == "remove":
                effects.remove(document)
            elif rule.effect == "bury":
                effects.bury(rule.kind, document)
            else:
                _edit(rule, document, resource_ids, effects)
        if len(found) == limit:
            return False
    return True


async def _large(
    job: Job, rule: hanging.Rule, resource_ids: Sequence[str], effects: Effects, limit: int
) -> tuple[list[firestore.Document], int]:
    """Documents that may be large, and how many were asked for: few at first, then as many as seem to fit.

    A step that did not fit after all is followed by one with a lower limit, which takes few.
    """
    few = min(limit, hanging.FEW)
    found = await find.by_rule(job.project_id, rule, resource_ids, few)
    if len(found) < few or effects.limit < MAX_WRITES:
        return found, few
    largest = max(sum(value.ByteSize() for value in document.fields.values()) for document in found)
    # Its content is written twice: to the tombstone and to the audit.
    more = min(limit, hanging.GROUP, MAX_BYTES // 3 // (largest + 1_000))
    return (
        (await find.by_rule(job.project_id, rule, resource_ids, more), more) if more > few else (found, few)
    )


def _edit(
    rule: hanging.Rule, document: firestore.Document, resource_ids: Sequence[str], effects: Effects
) -> None:
    fields = effects.edit(rule.kind, document)
    for key in rule.unset:
        if fields.get(key) in resource_ids:
            del fields[key]
        if key in ("networkId", "simNetworkId"):
            for network_id in resource_ids:
                special.forget_network(fields, network_id)
    for key in rule.unlist:
        if isinstance(fields.get(key), list):
            gone = rule.values(resource_ids)
            fields[key] = [value for value in fields[key] if value not in gone]


def _gone(job: Job, tombstone: Tombstone) -> Row:
    """The row that tells the history of a device's end; its time is that of the deletion."""
    version = tombstone.content.get("version")
    fields = {**tombstone.content, "version": (version if isinstance(version, int) else 0) + 1}
    return device_rows.device_row(
        job.project_id, tombstone.resource_id, fields, tombstone.time or job.now, deleted=True
    )


async def _tell_history(rows: list[Row]) -> None:
    refused = await client.append(history.encode_all(rows))
    if refused:
        raise Rejected("history.refused", f"rows of devices were refused: {next(iter(refused.values()))}")


async def _is_there(job: Job) -> bool:
    project = names.project(job.project_id)
    return project in await firestore.batch_get([project], ["revision"])


def _revision(project_id: str) -> Any:
    write = messages().Write()
    write.update.name = names.project(project_id)
    write.update_mask.SetInParent()
    write.update_transforms.add(field_path="revision").increment.integer_value = 1
    write.current_document.exists = True
    return write


def _placement_lock(job: Job, system_id: str) -> str:
    digest = ids.digest("device", "placement", system_id)
    return names.document("projects", job.project_id, "locks", digest)


async def _commit(job: Job, writes: list[Any], progress: dict[str, Any], count: int) -> Outcome:
    fields = {
        "lastModified": job.now,
        "tries": 0,
        "reason": None,
        "done": int(job.fields.get("done") or 0) + count,
        **progress,
    }
    try:
        await firestore.commit([*writes, merge(job.name, fields, job.update_time)])
    except firestore.PreconditionFailed:
        found = (await firestore.batch_get([job.name], ["state"])).get(job.name)
        if found is None or found.update_time != job.update_time:
            return Outcome("elsewhere")
        raise Transient("a resource was changed during the step") from None
    return Outcome("done" if progress["state"] == "done" else "more", count)
