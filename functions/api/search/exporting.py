"""All devices of a search as CSV or JSON Lines, a page in memory at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.responses import StreamingResponse

from functions.api import csv_text
from functions.api.history.exports import MEDIA_TYPES, cell
from functions.api.needs import Call
from functions.api.search import answering
from shared.search.body import MAX_PAGE, Search
from shared.search.conditions import Condition
from shared.search.fields import Field, definition_field

_COLUMNS = ("name", "blueprintId", "systemId", "networkId", "parentDeviceId", "purpose", "tags")
_json = msgspec.json.Encoder(order="deterministic").encode


async def streamed(
    call: Call, search: Search, base: Condition, system_id: str | None, format_: str
) -> StreamingResponse:
    """The answer of an export. Whatever is wrong with the search is known before it begins."""
    search = msgspec.structs.replace(search, per_page=MAX_PAGE, cursor=None, total=False)
    if format_ == "csv" and search.fields is None:
        search = msgspec.structs.replace(search, fields=tuple(map(definition_field, _COLUMNS)))
    first = await answering.page(call, search, base, system_id)
    return StreamingResponse(
        _lines(call, search, base, system_id, format_, first),
        media_type=MEDIA_TYPES[format_],
        headers={"Content-Disposition": f'attachment; filename="devices.{format_}"'},
    )


async def _lines(
    call: Call,
    search: Search,
    base: Condition,
    system_id: str | None,
    format_: str,
    page: answering.Found,
) -> AsyncIterator[bytes]:
    fields = search.fields or ()
    if format_ == "csv":
        yield csv_text.write([["id", *(field.text for field in fields)]])
    while True:
        if format_ == "csv":
            yield csv_text.write(
                [[cell(item["id"]), *(_cell(item, field) for field in fields)] for item in page.items]
            )
        else:
            yield b"".join(_json(item) + b"\n" for item in page.items)
        if page.next is None:
            return
        search = msgspec.structs.replace(search, cursor=page.next)
        page = await answering.page(call, search, base, system_id)


def _cell(item: dict[str, Any], field: Field) -> str:
    value: Any = item
    for key in ("data", *field.path) if field.is_data else field.path or (field.text,):
        value = value.get(key) if isinstance(value, dict) else None
    return cell(value)
