"""The five verbs of a kind of resource below its project, made from the kind's description.

No postponed annotations here: the framework reads the handlers' annotations, which are local names.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Response
from pydantic import ValidationError

from functions.api.needs import Call, needs
from functions.api.resources import lists, once, patch
from functions.api.resources.answers import GONE, etag, problem
from shared.errors import ApiError
from shared.model.base import Kind, Resource
from shared.model.page import Deleted, Page
from shared.store import cascade
from shared.store.change import Change, check_match, retrying
from shared.store.query import Query
from shared.store.scope import Stored

R = TypeVar("R", bound=Resource)


async def _nothing(call: Call, change: Change, fields: Mapping[str, Any]) -> None:
    """No further rule."""


async def _delete_with_all(call: Call, change: Change, stored: Stored[Any]) -> str | None:
    return await cascade.begin(change, stored)


@dataclass(frozen=True)
class Rules:
    """What a kind does beyond being stored. Each may add writes to the change, or refuse it by ApiError.

    ``creating`` and ``updating`` get the fields as they will be, ``deleting`` the resource as it is; the
    latter returns the id of a job that clears what hangs on it, if there is one.
    """

    creating: Callable[[Call, Change, Mapping[str, Any]], Awaitable[None]] = _nothing
    updating: Callable[[Call, Change, Mapping[str, Any]], Awaitable[None]] = _nothing
    deleting: Callable[[Call, Change, Stored[Any]], Awaitable[str | None]] = _delete_with_all


def routes(kind: Kind[R], plural: str, example: dict[str, Any], rules: Rules = Rules()) -> APIRouter:
    """A router with ``POST|GET /project/{p}/<plural>`` and ``GET|PATCH|DELETE /<kind>/{id}``."""
    router = APIRouter(tags=[kind.name])
    name = kind.name
    model: Any = kind.model
    create_model: Any = kind.create
    answer = Page[kind.model]  # type: ignore[name-defined]  # a model made at run time

    @router.post(
        f"/project/{{project_id}}/{plural}",
        status_code=201,
        operation_id=f"{name}_create",
        summary=f"Create a {name}",
        description=f"Creates a {name} in the project. With an Idempotency-Key it is created once, however "
        "often the request is sent.",
        responses={409: problem("A unique name is taken"), 422: problem("The key was used for another body")},
        openapi_extra={"requestBody": {"content": {"application/json": {"example": example}}}},
    )
    async def create(
        project_id: str,
        body: create_model,
        response: Response,
        call: Annotated[Call, needs(f"{name}.create")],
        idempotency_key: once.Key = None,
    ) -> model:
        async def attempt() -> Stored[Any]:
            change = call.change()
            fields = body.model_dump(by_alias=True, exclude_none=True, mode="json")
            known = await once.known(call, change, idempotency_key, f"{name}_create", fields, kind)
            if known is not None:
                return known
            await rules.creating(call, change, fields)
            resource_id = change.create(kind, fields, change.planned_id)
            await change.commit()
            return await call.scope.get(kind, resource_id)

        stored = await retrying(attempt)
        etag(response, stored)
        return stored.model()

    @router.get(
        f"/project/{{project_id}}/{plural}",
        operation_id=f"{name}_list",
        summary=f"List the {plural} of a project",
        description=f"A page of the project's {plural}, by id.",
    )
    async def list_(
        project_id: str,
        call: Annotated[Call, needs(f"{name}.list")],
        per_page: lists.PerPage = lists.DEFAULT,
        cursor: lists.Cursor = None,
        total: lists.Total = False,
    ) -> answer:
        query = Query(limit=per_page, after=cursor)
        found = await call.scope.page(kind, query)
        return Page(
            count=len(found.items),
            per_page=per_page,
            total=await call.scope.count(kind, query) if total else None,
            next=found.next,
            items=[stored.model() for stored in found.items],
        )

    @router.get(
        f"/{name}/{{{name}_id}}",
        operation_id=f"{name}_get",
        summary=f"Read a {name}",
        description=f"One {name}; its ETag says its version.",
        responses=GONE,
    )
    async def get(
        response: Response,
        call: Annotated[Call, needs(f"{name}.read")],
        item: _path_id(name),  # type: ignore[valid-type]
    ) -> model:
        stored = await call.scope.get(kind, item)
        etag(response, stored)
        return stored.model()

    @router.patch(
        f"/{name}/{{{name}_id}}",
        operation_id=f"{name}_update",
        summary=f"Change a {name}",
        description=f"Changes what the body names: an array of {{path, value, op}}, or a plain object. "
        f"May be changed: {', '.join(sorted(kind.patchable))}. With If-Match, only if nobody was faster.",
        responses=GONE | {409: problem("A unique name is taken"), 412: problem("It was changed meanwhile")},
    )
    async def update(
        body: patch.Patch,
        response: Response,
        call: Annotated[Call, needs(f"{name}.update")],
        item: _path_id(name),  # type: ignore[valid-type]
        if_match: lists.IfMatch = None,
    ) -> model:
        async def attempt() -> Stored[Any]:
            stored = await call.scope.get(kind, item)
            check_match(stored, if_match)
            changed = patch.apply(name, kind.patchable, stored.fields, body)
            whole = validated(kind, stored, changed)
            change = call.change()
            await rules.updating(call, change, whole)
            if not change.update(stored, {key: whole.get(key) for key in changed}):
                return stored
            await change.commit()
            return await call.scope.get(kind, item)

        stored = await retrying(attempt)
        etag(response, stored)
        return stored.model()

    @router.delete(
        f"/{name}/{{{name}_id}}",
        operation_id=f"{name}_delete",
        summary=f"Delete a {name}",
        description=f"The {name} is gone at once; a job clears what hung on it. With If-Match, only if "
        "nobody changed it meanwhile.",
        responses=GONE | {412: problem("It was changed meanwhile")},
    )
    async def delete(
        call: Annotated[Call, needs(f"{name}.delete")],
        item: _path_id(name),  # type: ignore[valid-type]
        if_match: lists.IfMatch = None,
    ) -> Deleted:
        async def attempt() -> str | None:
            stored = await call.scope.find(kind, item)
            if stored is None:
                # Sent again, maybe because its job could not be started: that is done now.
                job_id = await cascade.resume(call.scope, name, item)
                if job_id is not None:
                    return job_id
                stored = await call.scope.get(kind, item)
            check_match(stored, if_match)
            change = call.change()
            job_id = await rules.deleting(call, change, stored)
            change.delete(stored)
            await change.commit()
            await cascade.publish(call.scope, job_id)
            return job_id

        return Deleted(status="deleted", id=item, job_id=await retrying(attempt))

    return router


def validated(kind: Kind[Any], stored: Stored[Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """The wire fields of a resource with changes applied; ApiError 400 if its model refuses them."""
    fields = {key: value for key, value in (stored.fields | dict(changed)).items() if value is not None}
    wanted = {info.alias or name for name, info in kind.create.model_fields.items()}
    try:
        model = kind.create.model_validate({key: value for key, value in fields.items() if key in wanted})
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(str(part) for part in first["loc"])
        raise ApiError(
            400, f"{kind.name}.invalid", f"{place}: {first['msg']}", "correct the value that is named"
        ) from None
    return model.model_dump(by_alias=True, exclude_none=True, mode="json")


def _path_id(name: str) -> Any:
    from fastapi import Path

    return Annotated[str, Path(alias=f"{name}_id", max_length=200, description=f"The id of the {name}")]
