"""The operation that gives a replay its input.

No postponed annotations here: the framework reads the handlers' annotations.
"""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Path
from starlette.responses import Response, StreamingResponse

from functions.api.needs import Call, needs
from functions.api.replay import asking, queries
from functions.api.replay.definitions import chunks
from functions.api.replay.input import Input
from functions.api.replay.models import ReplayAsked
from functions.api.replay.queries import Window
from functions.api.replay.selection import PERMISSION, select
from functions.api.resources.answers import GONE, problem
from functions.api.router import Router
from shared import clock
from shared.config import settings
from shared.errors import ApiError
from shared.history_query.instants import instant
from shared.model.script import SCRIPT

router = Router("script")
ScriptId = Annotated[str, Path(max_length=200, description="The id of the script")]
MEDIA_TYPE = "application/x-ndjson"
_WEEK_MS = 7 * 86_400_000
_LONGEST_MS = 400 * 86_400_000
_ANSWER: dict[int | str, dict[str, Any]] = {
    **GONE,
    200: {
        "description": "Lines of JSON: a header, definitions, states and caches as they were, events in "
        "their order with what the script made of them, and an end without which the answer is not whole",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    },
    504: problem("It took too long"),
}


@router.post(
    "/script/{script_id}/replayInput",
    operation_id="script_replay_input",
    summary="Stream what a script met",
    description="What a replay of the script runs over: the version that is deployed, definitions of today, "
    "states and caches as they were at the beginning, then recorded events as the script got them, in the "
    "order in which they were received, each with what its run came to. Of devices that the caller may read.",
    responses=_ANSWER,
    response_class=Response,
)
async def replay_input(
    script_id: ScriptId, body: ReplayAsked, call: Annotated[Call, needs("script.read")]
) -> Response:
    script = await call.scope.get(SCRIPT, script_id)
    if not call.principal.anywhere(PERMISSION):
        call.require(PERMISSION)
    window, before, ran = await _window(call, script_id, body)
    selected = await select(call, window)
    events = body.events or ("ran" if selected.runs else "all")
    made = Input(call, script, selected, events, body.entry, body.params, before, ran)
    await made.start()
    return StreamingResponse(chunks(made.stream()), media_type=MEDIA_TYPE)


async def _window(
    call: Call, script_id: str, body: ReplayAsked
) -> tuple[Window, tuple[int, str] | None, tuple[int, int] | None]:
    """The window of a request; for one event also what stands right behind its states and caches.

    That is its time and id, and when the call of its run began and its place in it, if it ran.
    """
    now = clock.now_ms()
    until = now if body.until is None else instant(body.until, "until")
    since = until - _WEEK_MS if body.since is None else instant(body.since, "since")
    if not since < until:
        raise _invalid("since is not before until")
    if until - since > _LONGEST_MS:
        raise _invalid(f"it is more than {_LONGEST_MS // 86_400_000} days")
    window = Window(
        dataset=settings().bigquery_dataset,
        project_id=call.scope.project_id,
        script_id=script_id,
        since=since,
        until=until,
        devices=None if body.devices is None else tuple(sorted(set(body.devices))),
        blueprint=body.blueprint_id,
        event=body.event_id,
    )
    if body.event_id is None:
        return window, None, None
    found = [row async for row in asking.rows(queries.find_event(window))]
    if not found or found[0][0] is None:
        raise ApiError(
            404,
            "event.notFound",
            f"there is no event {body.event_id[:128]!r} in this time",
            "check the id, its device, and since and until: by default it is the last week",
        )
    received, happened, started, seq = found[0]
    since = int(received or 0)
    ran = None if started is None else (int(started), int(seq or 0))
    return replace(window, since=since, until=since + 1), (int(happened or 0), body.event_id), ran


def _invalid(problem_: str) -> ApiError:
    return ApiError(400, "replay.invalid", problem_, "Say since and until, in epoch ms or ISO 8601.")
