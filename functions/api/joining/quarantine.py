"""Operations on what could not be processed: look at it, send it again, throw it away."""

import base64
from typing import Annotated, Any

from fastapi import Path
from fastapi import Query as Parameter

from functions.api.joining import setting_free
from functions.api.needs import Call, needs
from functions.api.resources import lists, plain
from functions.api.resources.answers import GONE, problem
from functions.api.router import Router
from shared import quarantine_entries
from shared.errors import ApiError
from shared.model.base import EpochMs
from shared.model.page import Deleted, Page
from shared.model.quarantine import (
    QUARANTINE,
    QuarantineChoice,
    QuarantineContent,
    QuarantineDone,
    QuarantineEntry,
    Redrive,
    RedriveMany,
)
from shared.model.role import EVERYTHING
from shared.names import NO_PROJECT
from shared.store.scope import Stored, not_found

router = Router("quarantine")

ProjectId = Annotated[str, Path(max_length=200, description="The id of the project; none: of no project")]
EntryId = Annotated[str, Path(max_length=200, description="The id of the entry")]
ErrorType = Annotated[
    str | None, Parameter(alias="errorType", max_length=200, description="Only of this type")
]
Service = Annotated[str | None, Parameter(max_length=100, description="Only what this service set aside")]
Since = Annotated[EpochMs | None, Parameter(description="Only set aside then or later, epoch ms")]
Until = Annotated[EpochMs | None, Parameter(description="Only set aside before, epoch ms")]
_CHOICE = {"ids": ["3Vc8Qn0kZ5tWb1yLr7sXe2"]}


def _body(example: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


@router.get(
    "/project/{project_id}/quarantine",
    operation_id="quarantine_list",
    summary="List what is in quarantine",
    description="A page of what could not be processed, the latest first. What names no project is in the "
    "project 'none', for administrators of the platform.",
    responses=GONE,
)
async def list_(
    project_id: ProjectId,
    call: Annotated[Call, needs("quarantine.list")],
    error_type: ErrorType = None,
    service: Service = None,
    since: Since = None,
    until: Until = None,
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[QuarantineEntry]:
    setting_free.check_project(call)
    choice = QuarantineChoice(error_type=error_type, service=service, since=since, until=until)
    query = setting_free.query(choice, per_page, cursor)
    return await plain.page(call.scope, QUARANTINE, query, total, must_exist=project_id != NO_PROJECT)


@router.get(
    "/quarantine/{entry_id}",
    operation_id="quarantine_get",
    summary="Show what is in quarantine",
    description="One entry with its original bytes: as text, or in base64 if they are no UTF-8. A mail holds "
    "links that let people in: only who may do everything in the project sees one.",
    responses=GONE,
)
async def get(entry_id: EntryId, call: Annotated[Call, needs("quarantine.read")]) -> QuarantineContent:
    stored = await _entry(call, entry_id)
    if quarantine_entries.is_mail(setting_free.plain(call, stored)):
        call.require(EVERYTHING)
    try:
        data = await quarantine_entries.read_data(setting_free.plain(call, stored))
    except quarantine_entries.Missing:
        raise not_found("quarantine", entry_id) from None
    try:
        encoding, text = "utf-8", data.decode()
    except UnicodeDecodeError:
        encoding, text = "base64", base64.b64encode(data).decode()
    return QuarantineContent.model_validate(
        stored.model().model_dump() | {"encoding": encoding, "data": text}
    )


@router.delete(
    "/quarantine/{entry_id}",
    operation_id="quarantine_delete",
    summary="Throw away what is in quarantine",
    description="Deletes an entry and its bytes for good.",
    responses=GONE,
)
async def delete(entry_id: EntryId, call: Annotated[Call, needs("quarantine.delete")]) -> Deleted:
    await setting_free.purge(call, await _entry(call, entry_id))
    return Deleted(status="deleted", id=entry_id)


@router.post(
    "/quarantine/{entry_id}/redrive",
    operation_id="quarantine_redrive",
    summary="Send again what is in quarantine",
    description="Publishes the original bytes where they came from, then deletes the entry: at least once.",
    responses=GONE | {409: problem("It does not say where it came from")},
    openapi_extra=_body({}),
)
async def redrive(
    entry_id: EntryId, body: Redrive, call: Annotated[Call, needs("quarantine.update")]
) -> QuarantineDone:
    _check_topic(call, body)
    await setting_free.redrive(call, await _entry(call, entry_id), body.topic)
    return QuarantineDone(done=1)


@router.post(
    "/project/{project_id}/quarantine/redrive",
    operation_id="quarantine_redrive_many",
    summary="Send again much of what is in quarantine",
    description="Entries by their ids, or all that the filters leave, at most 500 at a time, the latest "
    "first. One that fails does not stop the others.",
    openapi_extra=_body({"all": True, "errorType": "message.undecodable"}),
)
async def redrive_many(
    project_id: ProjectId, body: RedriveMany, call: Annotated[Call, needs("quarantine.update")]
) -> QuarantineDone:
    setting_free.check_project(call)
    _check_topic(call, body)

    async def one(stored: Stored[Any]) -> None:
        await setting_free.redrive(call, stored, body.topic)

    return await setting_free.each(call, body, one)


@router.post(
    "/project/{project_id}/quarantine/purge",
    operation_id="quarantine_purge_many",
    summary="Throw away much of what is in quarantine",
    description="Deletes entries by their ids, or all that the filters leave, at most 500 at a time.",
    openapi_extra=_body(_CHOICE),
)
async def purge_many(
    project_id: ProjectId, body: QuarantineChoice, call: Annotated[Call, needs("quarantine.delete")]
) -> QuarantineDone:
    setting_free.check_project(call)

    async def one(stored: Stored[Any]) -> None:
        await setting_free.purge(call, stored)

    return await setting_free.each(call, body, one)


def _check_topic(call: Call, body: Redrive) -> None:
    """ApiError 403: the bytes are somebody's text, and another topic takes them for the platform's."""
    if body.topic is not None and not call.principal.admin:
        raise ApiError(
            403,
            "quarantine.topic",
            "only administrators of the platform send an entry to another topic",
            "leave the topic out: it goes where it came from",
        )


async def _entry(call: Call, entry_id: str) -> Stored[Any]:
    setting_free.check_project(call)
    return await call.scope.get(QUARANTINE, entry_id)
