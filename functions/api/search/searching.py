"""From a body to the answer: what the routes, the interface walk and lists of a past instant call."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from functions.api.needs import Call
from functions.api.search import answering, exporting
from functions.api.search.models import SearchPage
from shared import names, values
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.system import SYSTEM
from shared.search.body import Search, read_search
from shared.search.conditions import EVERYTHING, Condition, Equals, both
from shared.search.fields import definition_field
from shared.search.reading import unsupported
from shared.store import query as queries

# Attributes whose values are texts.
_TEXT_TYPES = ("string", "enum", "resourceEnum")
_MAX_TEXT_PATHS = 15


def within(
    system_id: str | None = None, blueprint_id: str | None = None, parents: tuple[tuple[str, str], ...] = ()
) -> Condition:
    """What a path asks for: a system, a blueprint, links to parents as (attribute id, device id)."""
    parts: list[Condition] = []
    for name, value in (("systemId", system_id), ("blueprintId", blueprint_id)):
        if value is not None:
            parts.append(Equals(definition_field(name), (value,)))
    if parents:
        links = tuple(f"{attribute_id}:{device_id}" for attribute_id, device_id in parents)
        parts.append(Equals(definition_field("links"), links))
    return both(*parts) if parts else EVERYTHING


async def must_have_been(call: Call, system_id: str, at: int | str | None) -> None:
    """ApiError 404 for a system that there never was; 410 for a deleted one, unless the past is asked for."""
    try:
        await call.scope.get(SYSTEM, system_id)
    except ApiError as error:
        if at is None or error.status != 410:
            raise


async def body_of(request: Request) -> Any:
    """The JSON of a request's body; an empty one asks for everything."""
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(
            400, "search.invalid", f"body: the JSON cannot be read: {error}", "Send a JSON object."
        ) from None


async def answer(
    call: Call, body: Any, base: Condition = EVERYTHING, system_id: str | None = None
) -> SearchPage:
    """The page that a body asks for, of the devices that ``base`` leaves and the caller may read.

    ``system_id``: the system that ``base`` says all of them are in. ApiError 400 with the place of a mistake.
    """
    search = await _read(call, body)
    found, aggregations = await asyncio.gather(
        answering.page(call, search, base, system_id), _aggregations(call, search, base, system_id)
    )
    return SearchPage(
        count=len(found.items),
        per_page=search.per_page,
        total=found.total,
        next=found.next,
        items=found.items,
        aggregations=aggregations,
        source=found.source,
        at=search.at,
    )


async def export(
    call: Call, body: Any, format_: str, base: Condition = EVERYTHING, system_id: str | None = None
) -> Response:
    """All that matches, as a stream of ``csv`` or ``jsonl``."""
    search = await _read(call, body)
    return await exporting.streamed(call, search, base, system_id, format_)


async def _aggregations(
    call: Call, search: Search, base: Condition, system_id: str | None
) -> dict[str, Any] | None:
    if not search.aggregations or search.cursor is not None:
        return None
    return await answering.aggregated(call, search, base, system_id)


async def _read(call: Call, body: Any) -> Search:
    """The search of a body; ``text`` without fields looks into the project's attributes of text as well."""
    search = read_search(body)
    if not _asks_everywhere(body):
        return search
    return read_search(body, await _text_paths(call))


def _asks_everywhere(body: Any) -> bool:
    waiting = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if one.get("type") == "text" and not one.get("fields"):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


async def _text_paths(call: Call) -> tuple[str, ...]:
    """The paths of the project's attributes of text: at most so many reads and one."""
    where = queries.Where("type", "in", list(_TEXT_TYPES))
    asked = queries.conditions("attributes", queries.Query((where,)))
    asked.limit.value = 4 * _MAX_TEXT_PATHS
    found = await firestore.run_query(names.project(call.scope.project_id), asked)
    paths = {values.from_fields(document.fields).get("path") for document in found}
    texts = tuple(sorted(path for path in paths if isinstance(path, str)))
    if len(texts) > _MAX_TEXT_PATHS:
        raise unsupported(
            "filter",
            f"text without fields would look into more than {_MAX_TEXT_PATHS} attributes",
            "Name the fields to look into",
        )
    return texts
