"""Planning and carrying out: the steps in order, each of which may refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.api.needs import Call
from functions.api.project_code import document, revisions, role_rules
from functions.api.project_code.apply import MAX_WRITES, Builder, permissions_needed
from functions.api.project_code.current import Current, current
from functions.api.project_code.difference import Difference, difference
from functions.api.project_code.elsewhere import speakers
from functions.api.project_code.fleet import Fleet, look
from functions.api.project_code.references import Reference, references
from functions.api.project_code.sections import TIMERS, State
from functions.api.resources import script_check, template_check
from functions.api.resources.references import check_cleared
from shared.errors import ApiError
from shared.model.project import PROJECT
from shared.model.project_code import Applied
from shared.store import cascade
from shared.store.change import Change, retrying


@dataclass(frozen=True)
class Planned:
    """A plan: the project as it is, as it is to be, and what lies between."""

    now: Current
    base: str
    after: State
    change: Difference
    fleet: Fleet
    references: list[Reference]

    @property
    def breaking(self) -> bool:
        """Whether it breaks what devices hold, or what others name."""
        return bool(self.fleet.misfit_count or self.references)


async def plan(call: Call, wanted: Mapping[str, Any], base: str | None) -> Planned:
    """What it takes to make the project what a document says.

    ApiError 400 for a document with faults, 409 for a base that the project no longer is at.
    """
    after = document.read(wanted)
    now = await current(call.scope)
    if TIMERS.name not in wanted:
        # Written before timers were part of a document: it does not mean that there shall be none.
        after.items |= {key: item for key, item in now.state.items.items() if item.section is TIMERS}
    is_now = document.digest(document.write(now.state))
    if base is not None and base != is_now:
        raise stale(now)
    change = difference(now.state, after)
    await _check_code(change)
    fleet = await look(call.scope, now, change)
    others = await speakers(call.scope, now, change, call.principal.id)
    return Planned(now, is_now, after, change, fleet, references(after, change, others))


async def apply(
    call: Call, wanted: Mapping[str, Any], base: str | None, message: str, force: bool
) -> Applied:
    """Carry a document out, all at once or not at all."""

    async def attempt() -> Applied:
        planned = await plan(call, wanted, base)
        number, digest = revisions.head(planned.now.project.fields)
        if not planned.change:
            # Sent again, maybe because the job of what it deleted could not be started: that is done now.
            open_job = await cascade.resume_job(call.scope, revisions.job(planned.now.project.fields))
            return Applied(revision=number, base=planned.base, changed=0, job_id=open_job)
        await _check(call, planned, force)
        change = call.change()
        change.most = MAX_WRITES
        before = document.write(planned.now.state)
        fields: dict[str, Any] = {}
        if digest != planned.base:
            # What was changed otherwise since the last revision, so that one can come back to it.
            number += 1
            fields = revisions.record(change, number, before, "as it was before the next revision")
        builder = Builder(change, planned.now, planned.after, planned.change)
        await builder.build()
        number += 1
        result = document.write(planned.after)
        fields |= revisions.record(change, number, result, message)
        fields |= _project(change, planned)
        change.guard(planned.now.project, fields)
        await change.commit()
        await cascade.publish(call.scope, change.job_id)
        edits = planned.change.edits
        return Applied(
            revision=number,
            base=document.digest(result),
            changed=len(edits) + bool(planned.change.project),
            deleted=sum(edit.action == "delete" for edit in edits),
            job_id=change.job_id,
        )

    done: Applied = await retrying(attempt)
    return done


def _project(change: Change, planned: Planned) -> dict[str, Any]:
    """The project's own fields that change, with the version and the audit entry that go with that."""
    changed = {wire: after for wire, (_, after) in planned.change.project.items()}
    if not changed:
        return {}
    project = planned.now.project
    change.note("updated", PROJECT, project.id, project.fields, project.fields | changed, changed)
    return changed | {"lastModified": change.now, "version": project.version + 1}


async def _check_code(change: Difference) -> None:
    """ApiError 400 for scripts and templates that are new, or otherwise than before, and wrong."""
    problems = []
    for edit in change.of("templates"):
        if edit.after is None or not set(template_check.FIELDS) & set(edit.changed):
            continue
        try:
            await template_check.check(edit.after.fields)
        except ApiError as error:
            problems.append(f"{' '.join(edit.key)}: {error.message}")
    for edit in change.of("scripts"):
        if edit.after is None or not {"code", "files"} & set(edit.changed):
            continue
        try:
            await script_check.check(edit.after.fields["code"], edit.after.fields["files"])
        except ApiError as error:
            problems.append(f"{' '.join(edit.key)}: code: {error.message}")
    if problems:
        raise document.invalid(problems)


def stale(now: Current) -> ApiError:
    """409: somebody changed the project since the document was made."""
    number, _ = revisions.head(now.project.fields)
    return ApiError(
        409,
        "code.stale",
        f"the project has changed since your base; its latest revision is {number}",
        "export it again, bring your changes into that, and plan anew",
    )


async def _check(call: Call, planned: Planned, force: bool) -> None:
    for permission in sorted(permissions_needed(planned.change)):
        call.require(permission)
    role_rules.require(call, planned.change)
    if planned.fleet.misfits:
        # The refusal says what devices hold.
        call.require("device.readData")
    for edit in planned.change.of("networks"):
        if edit.action == "create":
            await check_cleared(call.scope, edit.key[-1])
    if planned.fleet.blocked:
        raise ApiError(
            409,
            "code.inUse",
            "; ".join(planned.fleet.blocked),
            "move or delete first what has it; force does not get over this",
        )
    if planned.breaking and not force:
        misfits = [f"{m.device_name} ({m.device_id}): {m.problem}" for m in planned.fleet.misfits[:20]]
        named = [f"{r.where} names {r.what}" for r in planned.references[:20]]
        raise ApiError(
            409,
            "code.breaking",
            f"{planned.fleet.misfit_count} devices hold values that would not fit, "
            f"{len(planned.references)} resources name what would go: " + "; ".join([*misfits, *named]),
            "look at the plan; apply with force if that is meant",
        )
