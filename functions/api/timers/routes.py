"""Operations that start and stop timers, and show when they fire.

No postponed annotations here: the framework reads the handlers' annotations.
"""

from typing import Annotated

from fastapi import Path, Query

from functions.api.needs import Call, needs
from functions.api.resources.answers import GONE
from functions.api.router import Router
from functions.api.timers import running
from shared.model.timer_run import TimerAccepted, TimerRun

router = Router("timer")
TimerId = Annotated[str, Path(max_length=200, description="The id of the timer")]


@router.post(
    "/timer/{timer_id}/start",
    status_code=202,
    operation_id="timer_start",
    summary="Start a timer",
    description="Has the timer run as it is defined now, its delay from now on; one that runs starts "
    "anew. A later change of the timer counts once it is started again.",
    responses=GONE,
)
async def start(timer_id: TimerId, call: Annotated[Call, needs("timer.start")]) -> TimerAccepted:
    return await running.start(call, timer_id)


@router.post(
    "/timer/{timer_id}/stop",
    status_code=202,
    operation_id="timer_stop",
    summary="Stop a timer",
    description="The timer fires no more until it is started again.",
    responses=GONE,
)
async def stop(timer_id: TimerId, call: Annotated[Call, needs("timer.start")]) -> TimerAccepted:
    return await running.stop(call, timer_id)


@router.get(
    "/timer/{timer_id}/state",
    operation_id="timer_state",
    summary="Whether a timer runs, and when it fires",
    description="Its state, the next times at which it fires, and how often it has fired since it was "
    "started.",
    responses=GONE,
)
async def state(
    timer_id: TimerId,
    call: Annotated[Call, needs("timer.read")],
    count: Annotated[int, Query(ge=0, le=100, description="How many of the next times to answer")] = 5,
) -> TimerRun:
    return await running.show(call, timer_id, count)
