"""API keys of a project: made, rotated and revoked. A secret is answered once, and never read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Response

from functions.api.access import api_keys, grants, sealing
from functions.api.access.principal import EVERYTHING
from functions.api.needs import Call, denied, needs
from functions.api.resources import items, lists, once, plain
from functions.api.resources.answers import GONE, etag, problem
from functions.api.resources.rules import Extra, Rules
from functions.api.router import Router
from shared import keys
from shared.model.api_access import API_ACCESS, ApiAccess, ApiAccessCreate, ApiAccessSecret
from shared.model.page import Page
from shared.store import cascade
from shared.store.change import Change, check_match, retrying
from shared.store.query import Query
from shared.store.scope import Stored

router = Router("apiAccess")

_EXAMPLE = {"name": "Nightly export", "narrowed": True}


@router.post(
    "/project/{project_id}/apiAccess",
    status_code=201,
    operation_id="apiAccess_create",
    summary="Create an API key",
    description="The answer shows the secret, this once. Without roles the key may do everything in the "
    "project, so only who may do everything makes one; a narrowed key may do what its roles say.",
    responses=GONE
    | {409: problem("Others keep changing it"), 422: problem("The key was used for another body")},
    openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}},
)
async def api_access_create(
    project_id: str,
    body: ApiAccessCreate,
    response: Response,
    call: Annotated[Call, needs("apiAccess.create")],
    idempotency_key: once.Key = None,
) -> ApiAccessSecret:
    """The key with its secret."""
    if not body.narrowed:
        _require_everything(call)

    async def attempt() -> tuple[Stored[ApiAccess], keys.Credential | None]:
        await call.scope.must_exist()
        change = call.change()
        fields = body.model_dump(by_alias=True, exclude_none=True, mode="json")
        known = await once.known_id(call, change, idempotency_key, "api_access_create", fields)
        if known is not None:
            return await call.scope.get(API_ACCESS, known), None
        made = keys.make("fa")
        made = keys.Credential(made.prefix, change.planned_id or made.id, made.secret)
        change.create(API_ACCESS, fields | _secret(call, made), made.id)
        await change.commit()
        return await call.scope.get(API_ACCESS, made.id), made

    stored, made = await retrying(attempt)
    return _shown(response, stored, made)


@router.get(
    "/project/{project_id}/apiAccess",
    operation_id="apiAccess_list",
    summary="List the API keys of a project",
    description="A page of the project's API keys, without their secrets.",
    responses=GONE,
)
async def api_access_list(
    project_id: str,
    call: Annotated[Call, needs("apiAccess.list")],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[ApiAccess]:
    """A page of keys."""
    query = Query(limit=per_page, after=cursor)
    return await plain.page(call.scope, API_ACCESS, query, total)


@router.post(
    "/apiAccess/{apiAccess_id}/rotate",
    operation_id="apiAccess_rotate",
    summary="Give an API key a new secret",
    description="The answer shows the new secret, this once; the old one stops within 10 s. Only by who "
    "holds all that the key does. With If-Match, only if nobody was faster.",
    responses=GONE | {409: problem("Others keep changing it"), 412: problem("It was changed meanwhile")},
)
async def api_access_rotate(
    api_access_id: Annotated[
        str, Path(alias="apiAccess_id", max_length=200, description="The id of the apiAccess")
    ],
    response: Response,
    call: Annotated[Call, needs("apiAccess.update")],
    if_match: lists.IfMatch = None,
) -> ApiAccessSecret:
    """The key with its new secret."""

    async def attempt() -> tuple[Stored[ApiAccess], keys.Credential]:
        stored = await call.scope.get(API_ACCESS, api_access_id)
        check_match(stored, if_match)
        await _require_power(call, stored)
        made = keys.make("fa")
        made = keys.Credential(made.prefix, stored.id, made.secret)
        change = call.change()
        change.update(stored, _secret(call, made))
        _look_again(change, stored.id)
        await change.commit()
        return await call.scope.get(API_ACCESS, stored.id), made

    stored, made = await retrying(attempt)
    return _shown(response, stored, made)


async def _updating(call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]) -> Extra:
    """What a key may do grows only by who may do everything, and it is changed by who holds as much."""
    if stored.fields.get("narrowed") and not fields.get("narrowed"):
        _require_everything(call)
    await _require_power(call, stored)
    _look_again(change, stored.id)
    return {}


async def _deleting(call: Call, change: Change, stored: Stored[Any]) -> str | None:
    _look_again(change, stored.id)
    return await cascade.begin(change, stored)


items.add(router, API_ACCESS, Rules(updating=_updating, deleting=_deleting))


def _look_again(change: Change, key_id: str) -> None:
    change.after.append(lambda: api_keys.forget(key_id))


def _require_everything(call: Call) -> None:
    if not call.principal.allows(EVERYTHING):
        raise denied(f"{EVERYTHING} (everything in the project); or make the key narrowed")


async def _require_power(call: Call, stored: Stored[Any]) -> None:
    """ApiError 403 unless the caller holds all that a key does: who has its secret acts as the key."""
    held = await grants.read("apiAccess", stored.id, call.scope.project_id)
    if not held and not stored.fields.get("narrowed"):
        _require_everything(call)
    elif not call.principal.covers(held):
        raise denied("apiAccess.update, and every permission that the key holds")


def _secret(call: Call, made: keys.Credential) -> dict[str, str]:
    context = api_keys.sealing_context(call.scope.project_id, made.id)
    return {"keyId": made.id, "secretHash": made.hash, "sealedSecret": sealing.seal(made.secret, context)}


def _shown(response: Response, stored: Stored[ApiAccess], made: keys.Credential | None) -> ApiAccessSecret:
    etag(response, stored)
    if made is None:
        return ApiAccessSecret(key=stored.model())
    return ApiAccessSecret(key=stored.model(), secret=made.secret, token=made.text)
