"""Reading, changing and deleting one resource of a kind.

No postponed annotations here: the framework reads the handlers' annotations, which are local names.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Path, Response
from pydantic import ValidationError

from functions.api.needs import Call, needs
from functions.api.resources import lists, pages, patch
from functions.api.resources.answers import GONE, etag, problem, with_article
from functions.api.resources.listing import Asked, asked
from functions.api.resources.rules import Rules
from functions.api.router import Router
from shared.errors import ApiError
from shared.model.base import Kind
from shared.model.page import Deleted
from shared.store import cascade
from shared.store.change import check_match, retrying
from shared.store.scope import Stored, not_found


def add(router: Router, kind: Kind[Any], rules: Rules) -> None:
    """Add ``GET|PATCH|DELETE /<kind>/{id}`` to a router."""
    name = kind.name
    model: Any = kind.model
    path = f"/{name}/{{{name}_id}}"
    path_id = Annotated[str, Path(alias=f"{name}_id", max_length=200, description=f"The id of the {name}")]

    async def found(call: Call, item: str, verb: str) -> Stored[Any]:
        rules.require(call, f"{name}.{verb}", item)
        stored = await call.scope.get(kind, item)
        if not rules.seen(call, stored):
            raise not_found(name, item)
        return stored

    @router.get(
        path,
        operation_id=f"{name}_get",
        summary=f"Read {with_article(name)}",
        description=f"One {name}; its ETag says its version.",
        responses=GONE,
    )
    async def get(
        response: Response,
        call: Annotated[Call, needs(f"{name}.read", anywhere=rules.anywhere("read"))],
        item: path_id,
        asked_: Annotated[Asked, Depends(asked(kind, rules, single=True))],
    ) -> model:
        stored = await found(call, item, "read")
        etag(response, stored)
        (answer,) = await pages.models(call, rules, [stored], asked_)
        return answer

    @router.patch(
        path,
        operation_id=f"{name}_update",
        summary=f"Change {with_article(name)}",
        description="Changes what the body names: an array of {path, value, op}, or a plain object. "
        f"May be changed: {', '.join(sorted(kind.patchable))}. With If-Match, only if nobody was faster.",
        responses=GONE | {409: problem("A unique name is taken"), 412: problem("It was changed meanwhile")},
    )
    async def update(
        body: patch.Patch,
        response: Response,
        call: Annotated[Call, needs(f"{name}.update", anywhere=rules.anywhere("update"))],
        item: path_id,
        if_match: lists.IfMatch = None,
    ) -> model:
        async def attempt() -> Stored[Any]:
            stored = await found(call, item, "update")
            check_match(stored, if_match)
            changed = patch.apply(name, kind.patchable, stored.fields, body)
            whole = validated(kind, stored, changed)
            change = call.change()
            further = await rules.updating(call, change, stored, whole)
            if not change.update(stored, {key: whole.get(key) for key in changed} | dict(further)):
                return stored
            await change.commit()
            return await call.scope.get(kind, item)

        stored = await retrying(attempt)
        etag(response, stored)
        (answer,) = await pages.plain(call, rules, [stored])
        return answer

    @router.delete(
        path,
        operation_id=f"{name}_delete",
        summary=f"Delete {with_article(name)}",
        description=f"The {name} is gone at once; a job clears what hung on it. With If-Match, only if "
        "nobody changed it meanwhile.",
        responses=GONE | {409: problem("Others refer to it"), 412: problem("It was changed meanwhile")},
    )
    async def delete(
        call: Annotated[Call, needs(f"{name}.delete", anywhere=rules.anywhere("delete"))],
        item: path_id,
        if_match: lists.IfMatch = None,
    ) -> Deleted:
        async def attempt() -> str | None:
            rules.require(call, f"{name}.delete", item)
            if await call.scope.find(kind, item) is None:
                # Sent again, maybe because its job could not be started: that is done now.
                job_id = await cascade.resume(call.scope, name, item)
                if job_id is not None:
                    return job_id
            stored = await found(call, item, "delete")
            check_match(stored, if_match)
            change = call.change()
            job_id = await rules.deleting(call, change, stored)
            change.delete(stored)
            await change.commit()
            await cascade.publish(call.scope, job_id)
            return job_id

        return Deleted(status="deleted", id=item, job_id=await retrying(attempt))


def validated(kind: Kind[Any], stored: Stored[Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """The wire fields of a resource with changes applied; ApiError 400 if its model refuses them."""
    whole = stored.fields | dict(changed) | {"id": stored.id}
    wanted = {info.alias or name for name, info in kind.create.model_fields.items()}
    fields = {key: value for key, value in whole.items() if value is not None and key in wanted}
    try:
        model = kind.create.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(str(part) for part in first["loc"])
        raise ApiError(
            400,
            f"{kind.name}.invalid",
            f"{place}: {first['msg']}".removeprefix(": "),
            "correct the value that is named",
        ) from None
    return model.model_dump(by_alias=True, exclude_none=True, mode="json")
