"""A project as code, over HTTP.

No postponed annotations here: the framework reads the handlers' annotations.
"""

from typing import Annotated, Any

from fastapi import Path, Query

from functions.api.needs import Call, needs
from functions.api.project_code import document, revisions
from functions.api.project_code.carry_out import Planned, apply, plan
from functions.api.project_code.current import current
from functions.api.project_code.sections import SECTIONS
from functions.api.resources import lists
from functions.api.resources.answers import problem
from functions.api.router import Router
from shared.model.project_code import (
    Applied,
    ApplyAsked,
    ChangeAsked,
    Exported,
    FieldChange,
    MisfitDevice,
    NamedElsewhere,
    Plan,
    ResourceChange,
    RevisionDetail,
    RevisionList,
    RevisionSummary,
    RollbackAsked,
)

router = Router("project_code")

ProjectId = Annotated[str, Path(max_length=200, description="The id of the project")]
Number = Annotated[int, Path(ge=1, le=99_999_999, description="The number of the revision")]
_STALE = problem("The project has changed since the base, or two resources have one name")
_REFUSED = problem("The base is stale, the change breaks something, or something is still in use")
_NO_PROJECT: dict[int | str, dict[str, Any]] = {
    404: problem("There is no such project"),
    410: problem("It was deleted"),
}


@router.get(
    "/project/{project_id}/export",
    operation_id="project_code_export",
    summary="Export a project as code",
    description="Blueprints with their attributes, relationships and scenarios, networks, message routes, "
    "systems that have an alias, templates, scripts and roles, without ids and secrets: the document fits "
    "any project.",
    responses=_NO_PROJECT | {409: problem("Two resources have one name")},
)
async def project_code_export(
    project_id: ProjectId, call: Annotated[Call, needs("project.read")]
) -> Exported:
    _require_reading(call)
    now = await current(call.scope)
    written = document.write(now.state)
    number, _ = revisions.head(now.project.fields)
    return Exported(revision=number, base=document.digest(written), document=written)


@router.post(
    "/project/{project_id}/plan",
    operation_id="project_code_plan",
    summary="Show what a change would do",
    description="Compares the document with the project, and looks at every device of the blueprints whose "
    "types change: which stored values would not fit. Nothing is changed.",
    responses=_NO_PROJECT | {409: _STALE},
)
async def project_code_plan(
    project_id: ProjectId, body: ChangeAsked, call: Annotated[Call, needs("project.read")]
) -> Plan:
    _require_reading(call)
    call.require("device.readData")
    return _answer(await plan(call, body.document, body.base))


@router.post(
    "/project/{project_id}/apply",
    operation_id="project_code_apply",
    summary="Change a project to what a document says",
    description="All at once or not at all, as a numbered revision. A change that breaks what devices hold "
    "is refused without force. It needs the permission for each kind of resource that it touches.",
    responses=_NO_PROJECT | {409: _REFUSED},
)
async def project_code_apply(
    project_id: ProjectId, body: ApplyAsked, call: Annotated[Call, needs("project.update")]
) -> Applied:
    return await apply(call, body.document, body.base, body.message, body.force)


@router.post(
    "/project/{project_id}/rollback",
    operation_id="project_code_rollback",
    summary="Go back to a revision",
    description="Makes the project what it was at that revision, as a new revision.",
    responses=_NO_PROJECT | {409: _REFUSED},
)
async def project_code_rollback(
    project_id: ProjectId, body: RollbackAsked, call: Annotated[Call, needs("project.update")]
) -> Applied:
    _, wanted = await revisions.load(call.scope, body.revision)
    return await apply(call, wanted, None, f"back to revision {body.revision}", body.force)


@router.get(
    "/project/{project_id}/revisions",
    operation_id="project_code_revisions",
    summary="List revisions",
    description="The newest first, without their documents.",
    responses=_NO_PROJECT,
)
async def project_code_revisions(
    project_id: ProjectId,
    call: Annotated[Call, needs("project.read")],
    per_page: lists.PerPage = lists.DEFAULT,
    before: Annotated[
        int | None, Query(ge=1, le=99_999_999, description="Only those before a number")
    ] = None,
) -> RevisionList:
    found = await revisions.latest(call.scope, per_page, before)
    if not found:
        await call.scope.must_exist()
    return RevisionList(
        count=len(found),
        per_page=per_page,
        next=found[-1].number if len(found) == per_page and found[-1].number > 1 else None,
        items=[_summary(revision) for revision in found],
    )


@router.get(
    "/project/{project_id}/revisions/{number}",
    operation_id="project_code_revision",
    summary="Read a revision",
    description="A revision with its document.",
    responses={404: problem("There is no revision of that number")},
)
async def project_code_revision(
    project_id: ProjectId, number: Number, call: Annotated[Call, needs("project.read")]
) -> RevisionDetail:
    _require_reading(call)
    revision, found = await revisions.load(call.scope, number)
    return RevisionDetail(**_summary(revision).model_dump(), document=found)


def _require_reading(call: Call) -> None:
    """ApiError 403 for who may not read all that a document shows."""
    for section in SECTIONS.values():
        call.require(f"{section.kind.name}.list")


def _summary(revision: revisions.Revision) -> RevisionSummary:
    return RevisionSummary(
        number=revision.number,
        time=revision.time,
        actor=dict(revision.actor),
        message=revision.message,
        base=revision.digest,
    )


def _answer(planned: Planned) -> Plan:
    number, _ = revisions.head(planned.now.project.fields)
    changes = [
        ResourceChange(
            action=edit.action,
            section=edit.key[0],
            name=list(edit.key[1:]),
            fields=[
                FieldChange(field=wire, before=before, after=after)
                for wire, (before, after) in edit.changed.items()
            ],
        )
        for edit in planned.change.edits
    ]
    if planned.change.project:
        fields = [
            FieldChange(field=wire, before=before, after=after)
            for wire, (before, after) in planned.change.project.items()
        ]
        changes.insert(0, ResourceChange(action="update", section="project", name=[], fields=fields))
    fleet = planned.fleet
    return Plan(
        base=planned.base,
        revision=number,
        changes=changes,
        breaking=planned.breaking,
        blocked=fleet.blocked,
        misfits=[
            MisfitDevice(
                blueprint=misfit.blueprint,
                path=misfit.path,
                device_id=misfit.device_id,
                device_name=misfit.device_name,
                value=misfit.value,
                problem=misfit.problem,
            )
            for misfit in fleet.misfits
        ],
        misfit_count=fleet.misfit_count,
        devices_read=fleet.devices_read,
        references=[NamedElsewhere(what=found.what, where=found.where) for found in planned.references],
    )
