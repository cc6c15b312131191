"""Creation and lists of a kind of resource, below the project or below a resource that it belongs to.

No postponed annotations here: the framework reads the handlers' annotations, which are local names.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Response
from fastapi import Path as PathParameter

from functions.api.needs import Call, needs
from functions.api.resources import lists, once, pages
from functions.api.resources.answers import GONE, etag, problem, with_article
from functions.api.resources.listing import Asked, asked
from functions.api.resources.rules import Rules
from functions.api.router import Router
from shared.model.base import Kind
from shared.model.page import Page
from shared.store.change import retrying
from shared.store.query import Query, Where
from shared.store.scope import Stored


@dataclass(frozen=True)
class Owner:
    """Below what a kind is listed and created: a resource of ``kind``, named in the field ``field``."""

    kind: Kind[Any]
    field: str


def add(
    router: Router,
    kind: Kind[Any],
    plural: str,
    example: dict[str, Any],
    rules: Rules,
    owner: Owner | None,
) -> None:
    """Add ``POST|GET /project/{p}/<plural>``, or ``/<owner>/{id}/<plural>``, to a router."""
    name = kind.name
    create_model: Any = kind.create
    model: Any = kind.model
    answer = Page[kind.model]  # type: ignore[name-defined]  # a model made at run time
    above = owner.kind.name if owner else "project"
    parameter = f"{owner.kind.name}_id" if owner else "project_id"
    path = f"/{above}/{{{parameter}}}/{plural}"
    above_id = Annotated[
        str, PathParameter(alias=parameter, max_length=200, description=f"The id of the {above}")
    ]

    @router.post(
        path,
        status_code=201,
        operation_id=f"{name}_create",
        summary=f"Create {with_article(name)}",
        description=f"Creates {with_article(name)} in the {above}. With an Idempotency-Key it is created "
        "once, however often the request is sent.",
        responses=GONE
        | {409: problem("A unique name is taken"), 422: problem("The key was used for another body")},
        openapi_extra={"requestBody": {"content": {"application/json": {"example": example}}}},
    )
    async def create(
        above_: above_id,
        body: create_model,
        response: Response,
        call: Annotated[Call, needs(f"{name}.create", anywhere=rules.anywhere("create"))],
        idempotency_key: once.Key = None,
    ) -> model:
        async def attempt() -> Stored[Any]:
            if owner is None:
                await call.scope.must_exist()
            change = call.change()
            fields = body.model_dump(by_alias=True, exclude_none=True, mode="json")
            chosen = fields.pop("id") if rules.choosing else None
            if owner is not None:
                fields[owner.field] = above_
            known = await once.known_id(call, change, idempotency_key, f"{name}_create", fields, chosen)
            if known is not None:
                return await call.scope.get(kind, known)
            if rules.choosing is not None and chosen:
                await rules.choosing(call, chosen)
            fields |= await rules.creating(call, change, fields)
            made = change.create(kind, fields, chosen or change.planned_id, chosen=chosen is not None)
            await change.commit()
            return await call.scope.get(kind, made)

        stored = await retrying(attempt)
        etag(response, stored)
        (shown,) = await pages.plain(call, rules, [stored])
        return shown

    @router.get(
        path,
        operation_id=f"{name}_list",
        summary=f"List the {plural} of a {above}",
        description=f"A page of the {above}'s {plural}, by id; by name if asked for a name.",
        responses=GONE,
    )
    async def list_(
        above_: above_id,
        call: Annotated[Call, needs(f"{name}.list", anywhere=rules.anywhere("list"))],
        asked_: Annotated[Asked, Depends(asked(kind, rules))],
        per_page: lists.PerPage = lists.DEFAULT,
        cursor: lists.Cursor = None,
        total: lists.Total = False,
    ) -> answer:
        where: tuple[Where, ...] = ()
        if owner is not None:
            await call.scope.get(owner.kind, above_)
            where = (Where(owner.field, "==", above_),)
        query = Query(where, limit=per_page, after=cursor)
        return await pages.page(call, kind, rules, query, asked_, total)
