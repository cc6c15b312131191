"""Members of a project: users of the platform who work in it. ``/v1/project/{p}/members``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path

from functions.api.needs import Call, needs
from functions.api.resources import lists
from functions.api.resources.answers import problem
from functions.api.roles import giving, grant, holders, membership
from functions.api.router import Router
from shared import names, values
from shared.clients import firestore
from shared.model.base import Identifier
from shared.model.page import Deleted, Page
from shared.model.role import USER_ROLE, Holder, MemberAdd
from shared.store import query as queries
from shared.store.change import retrying
from shared.store.query import Query, Where
from shared.store.scope import not_found

router = Router("member")

_EXAMPLE = {"username": "ada", "roles": ["member"]}
_MAX_ROLES = 100
_ABSENT: dict[int | str, dict[str, Any]] = {404: problem("The project, user or role is not there")}


@router.get(
    "/project/{project_id}/members",
    operation_id="member_list",
    summary="List the members of a project",
    description="A page of the users of the platform who are members of the project, with the roles "
    "that they have on the project itself.",
    responses=_ABSENT,
)
async def member_list(
    project_id: str,
    call: Annotated[Call, needs("user.list")],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
) -> Page[Holder]:
    parent = f"{names.database()}/documents"
    query = Query(
        (Where("projects", "array-contains", project_id),),
        limit=per_page,
        after=cursor,
        within=f"{project_id}/members",
    )
    structured = queries.structured("users", query, parent)
    structured.select.fields.add(field_path="username")
    documents = await firestore.run_query(parent, structured)
    shown = documents[:per_page]
    given = await holders.held_by(call.scope, giving.whole(call.scope), [each.id for each in shown])
    of_user = {each.id: each for each in await holders.holders(call.scope, given)}
    items = [
        of_user.get(document.id)
        or Holder(
            id=document.id,
            username=str(values.from_fields(document.fields).get("username", "")),
            platform=True,
            roles=[],
        )
        for document in shown
    ]
    if not items and cursor is None:
        await call.scope.must_exist()
    following = queries.cursor(query, shown[-1].id, {}) if len(documents) > per_page else None
    return Page(count=len(items), per_page=per_page, next=following, items=items)


@router.post(
    "/project/{project_id}/members",
    status_code=201,
    operation_id="member_add",
    summary="Add a member to a project",
    description="A user of the platform, named by id or user name, gets roles on the project. Needs "
    "user.assignRoles, and every permission of those roles.",
    responses=_ABSENT,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}},
)
async def member_add(
    project_id: str, body: MemberAdd, call: Annotated[Call, needs("user.assignRoles")]
) -> Holder:
    holders.check_named(body.user_id, body.username)

    async def attempt() -> Holder:
        await call.scope.must_exist()
        subject = await membership.of_platform(body.user_id, body.username)
        at = giving.whole(call.scope)
        change = call.change()
        await holders.add(call, change, at, subject.id, body.roles, body.metadata, newcomer=True)
        membership.join(change, subject.id)
        await change.commit()
        return await holders.get(call.scope, at, subject.id)

    made: Holder = await retrying(attempt)
    return made


@router.delete(
    "/project/{project_id}/members/{user_id}",
    operation_id="member_remove",
    summary="Remove a member from a project",
    description="The user is no longer a member, and loses every role that he has anywhere in the project.",
    responses=_ABSENT | {409: problem("No administrator would be left")},
)
async def member_remove(
    project_id: str,
    user_id: Annotated[Identifier, Path(description="The id of the user")],
    call: Annotated[Call, needs("user.assignRoles")],
) -> Deleted:
    async def attempt() -> None:
        subject = await membership.get(call.scope, "user", user_id)
        if not subject.platform:
            raise not_found("user", user_id)
        where = (Where("subjectKind", "==", "user"), Where("subjectId", "==", user_id))
        while True:
            found = await call.scope.page(USER_ROLE, Query(where, limit=_MAX_ROLES))
            change = call.change()
            await grant.take(call, change, found.items)
            if found.next is None:
                membership.leave(change, user_id)
            await change.commit()
            if found.next is None:
                return

    await retrying(attempt)
    return Deleted(status="removed", id=user_id)
