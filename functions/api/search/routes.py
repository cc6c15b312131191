"""Operations that search devices: in a project, in a system."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from starlette.responses import Response

from functions.api.needs import Call, needs
from functions.api.resources.answers import GONE, problem
from functions.api.router import Router
from functions.api.search import searching
from functions.api.search.models import SearchPage

router = Router("device")
ProjectId = Annotated[str, Path(max_length=200, description="The id of the project")]
SystemId = Annotated[str, Path(max_length=200, description="The id of the system")]
Format = Annotated[
    Literal["json", "csv", "jsonl"],
    Query(alias="format", description="json: a page; csv or jsonl: all that matches, as a stream"),
]
DESCRIPTION = (
    "Devices that match a filter, of those that you may read, in an order, by pages; with aggregations over "
    "all that match. Filters: equals, enum, comparison (<, <=, >, >=, between), exists, notExists, not, "
    "logical (and, or), parent, startsWith, endsWith, contains, geo, text. Fields: id, name, blueprintId, "
    "systemId, tags, metadata/<key>, ... or data/<path>. With `at` (epoch ms or ISO 8601) the answer is of "
    "the fleet as it was then. A page costs at most perPage reads; `source` says which store found it."
)
EXAMPLE = {
    "filter": {
        "type": "logical",
        "operator": "and",
        "conditions": [
            {"type": "equals", "field": "blueprintId", "value": "5kRt0bW1yLr7sXe23Vc8Qn"},
            {"type": "comparison", "field": "data/engine/temperature", "operator": ">", "value": 80},
        ],
    },
    "sort": [{"field": "data/engine/temperature", "order": "desc", "missing": "_last"}],
    "aggregations": {"bySystem": {"terms": {"field": "systemId"}}},
    "perPage": 50,
}


def docs(whose: str) -> dict[str, Any]:
    """How an operation that searches is documented."""
    return {
        "summary": f"Search the devices of {whose}",
        "description": DESCRIPTION,
        "responses": {
            **GONE,
            200: {
                "description": "A page of devices; with csv or jsonl all of them, as a stream",
                "model": SearchPage,
                "content": {
                    "text/csv": {"schema": {"type": "string"}},
                    "application/x-ndjson": {"schema": {"type": "string"}},
                },
            },
            504: problem("The search took too long"),
        },
        "openapi_extra": {
            "requestBody": {
                "required": False,
                "description": "The search; the README of search has all of it",
                "content": {"application/json": {"schema": {"type": "object"}, "example": EXAMPLE}},
            }
        },
        "response_model": None,
    }


@router.post("/project/{project_id}/devices.search", operation_id="device_search", **docs("a project"))
async def of_project(
    project_id: ProjectId,
    call: Annotated[Call, needs("device.read", anywhere=True)],
    format_: Format = "json",
) -> Response:
    return await _answered(call, format_, None)


@router.post("/system/{system_id}/devices.search", operation_id="system_devices_search", **docs("a system"))
async def of_system(
    system_id: SystemId,
    call: Annotated[Call, needs("device.read", anywhere=True)],
    format_: Format = "json",
) -> Response:
    return await _answered(call, format_, system_id)


async def _answered(call: Call, format_: str, system_id: str | None) -> Response:
    body = await searching.body_of(call.request)
    base = searching.within(system_id)
    if format_ != "json":
        return await searching.export(call, body, format_, base, system_id)
    page = await searching.answer(call, body, base, system_id)
    if system_id is not None and not page.items:
        await searching.must_have_been(call, system_id, page.at)
    return Response(page.model_dump_json(by_alias=True, exclude_none=True), media_type="application/json")
