"""Operations on history and events: queries of a device, a system and a project; records; a past state."""

from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from functions.api.devices import access
from functions.api.history import reach, records, run
from functions.api.history.models import Ack, AckCreate, DeviceState, Event, EventCreate
from functions.api.history.reading import query_docs
from functions.api.history.state_at import state_at
from functions.api.needs import Call, needs
from functions.api.resources import once
from functions.api.resources.answers import GONE, problem
from functions.api.router import Router
from shared.history_query import Model
from shared.history_query.instants import instant

router = Router("history")
_READ: dict[Model, str] = {"history": "device.readHistory", "events": "device.readEvents"}
DeviceId = Annotated[str, Path(max_length=200, description="The id of the device")]
SystemId = Annotated[str, Path(max_length=200, description="The id of the system")]
ProjectId = Annotated[str, Path(max_length=200, description="The id of the project")]


def _queries(model: Model, path: str, posted: tuple[str, ...]) -> None:
    """The operations that query one model: GET, and POST with the query as its body."""
    permission = _READ[model]
    what = "history" if model == "history" else "event records"

    async def of_device(
        device_id: DeviceId, call: Annotated[Call, needs(permission, anywhere=True)]
    ) -> Response:
        return await run.answer(call, model, await reach.of_device(call, device_id, permission))

    async def of_system(
        system_id: SystemId, call: Annotated[Call, needs(permission, anywhere=True)]
    ) -> Response:
        return await run.answer(call, model, await reach.of_system(call, system_id, permission))

    async def of_project(
        project_id: ProjectId, call: Annotated[Call, needs(permission, anywhere=True)]
    ) -> Response:
        return await run.answer(call, model, await reach.of_project(call, permission))

    for owner, handler, extra in (
        ("device", of_device, GONE),
        ("system", of_system, GONE),
        ("project", of_project, {}),
    ):
        for method, last in (("GET", path), *(("POST", name) for name in posted)):
            docs = query_docs(method, f"{owner}'s {what}", extra)
            operation = f"{owner}_{model}_{'list' if method == 'GET' else 'search'}"
            router.add_api_route(
                f"/{owner}/{{{owner}_id}}/{last}", handler, methods=[method], operation_id=operation, **docs
            )


_queries("history", "history", ("history",))
_queries("events", "events", ("events.search",))


@router.post(
    "/device/{device_id}/events",
    status_code=202,
    operation_id="device_event_create",
    summary="Create an event record",
    description="Creates an event record of the device. It is safe when this is answered, and can be read a "
    "moment later. With an Idempotency-Key it is created once.",
    responses={**GONE, 422: problem("The key was used for another body")},
)
async def create_event(
    device_id: DeviceId,
    body: EventCreate,
    call: Annotated[Call, needs("device.updateEvents", anywhere=True)],
    idempotency_key: once.Key = None,
) -> Event:
    device = await access.load(call, "device.updateEvents", device_id)
    made = await records.create(call, device, body.type, body.time, body.data, idempotency_key)
    return Event.model_validate(made)


@router.post(
    "/device/{device_id}/events/{event_id}/ack",
    status_code=202,
    operation_id="device_event_ack",
    summary="Acknowledge an event record",
    description="Says that the caller took notice of an event record. Of several acknowledgements the first "
    "counts. Whether there is such a record is not looked up: it may be on its way.",
    responses=GONE,
)
async def acknowledge_event(
    device_id: DeviceId,
    event_id: Annotated[
        str, Path(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$", description="The record's id")
    ],
    call: Annotated[Call, needs("device.updateEvents", anywhere=True)],
    body: AckCreate | None = None,
) -> Ack:
    device = await access.load(call, "device.updateEvents", device_id)
    given = body or AckCreate()
    return Ack.model_validate(await records.acknowledge(call, device, event_id, given.type, given.data))


@router.get(
    "/device/{device_id}/getHistorical",
    operation_id="device_get_historical",
    summary="The state of a device at a past instant",
    description="The state of the device at an instant, folded from its history as it is known today.",
    responses={**GONE, 504: problem("It took too long")},
)
async def get_historical(
    device_id: DeviceId,
    at: Annotated[
        str,
        Query(max_length=40, description="Epoch ms, or ISO 8601", examples=["1792649730000"]),
    ],
    call: Annotated[Call, needs("device.readHistory", anywhere=True)],
) -> DeviceState:
    when = instant(at, "at")
    stored = await access.load(call, "device.readHistory", device_id)
    blueprints = [stored.fields["blueprintId"]] if stored.fields.get("blueprintId") else []
    state = (await state_at(call.scope.project_id, [device_id], when, blueprints))[device_id]
    return DeviceState(device_id=device_id, at=when, last_event_time=state.last_event_time, data=state.data)
