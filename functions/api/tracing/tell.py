"""Gathering what is known of an event, and telling its way. What a caller may not see is not looked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from functions.api.needs import Call
from functions.api.tracing import assembling, following, reading
from functions.api.tracing.facts import Facts
from functions.api.tracing.models import Traces
from functions.api.tracing.reading import Window
from shared.errors import ApiError
from shared.history import EARLIEST_MS
from shared.history_query.source import Scope

T = TypeVar("T")

_DAY_MS = 86_400_000
_DEFAULT_MS = 7 * _DAY_MS
_MINUTE_MS = 60_000
# A device's clock may be ahead, and the event of a device's future is of its received time.
_AHEAD_MS = 2 * _DAY_MS
# What an event ends with, as far as its own way goes.
_ENDS = frozenset({"stored", "input", "ran", "setAside", "unknownDevice"})


async def told(call: Call, event_id: str, scope: Scope, around: Scope, since: int | None, now: int) -> Traces:
    """The ways of all events with an id; ApiError 404 ``trace.notFound``."""
    project_id = scope.project_id
    facts = Facts(project_id, event_id)
    if since is None:
        since = EARLIEST_MS if scope.device_ids is not None else now - _DEFAULT_MS
    # Of a single device the log, quarantine and unknown names are told as far as its rows lead there.
    is_whole = around.readable_devices is None and around.readable_systems is None
    may_list = is_whole and call.principal.allows("quarantine.list")
    may_see_unknown = is_whole and scope.device_ids is None and call.principal.allows("unknownDevice.list")
    window = Window(since, now + _AHEAD_MS)
    truncated, facts.asides, facts.unknown = await asyncio.gather(
        reading.history_of(facts, scope, around, window),
        _if(may_list, reading.asides_of, project_id, event_id),
        _if(may_see_unknown, reading.unknown_of, project_id, event_id, since),
    )
    effects = sorted({effect_id for run in facts.runs for effect_id, _, _ in run.effects})
    if is_whole and effects:
        facts.mails = await reading.mails_of(project_id, effects[: reading.MAX_IDS])
    messages = sorted({each for run in facts.runs for each, kind, _ in run.effects if kind == "sendMessage"})
    if is_whole and messages:
        facts.to_devices = await reading.to_devices_of(project_id, messages[: reading.MAX_IDS])
    named = is_whole and scope.device_ids is None
    logs, notes = await following.follow(facts, *_when(facts, since, now), named)
    traces = assembling.traces(facts)
    if not traces:
        raise _not_found(event_id, scope, since, now, logs)
    if truncated:
        notes.append(
            f"more than {reading.MAX_ROWS} rows or {reading.MAX_RUNS} runs have to do with it: the first "
            "are told"
        )
    if logs == "none":
        notes.append(
            "no line of the log was found: lines come some seconds late and are kept for a time only, 30 "
            "days unless set otherwise; these are the times that were stored"
        )
    if not may_list:
        notes.append("what is in quarantine is not told: that needs quarantine.list on the project")
    if not any(step.what in _ENDS for trace in traces for step in trace.steps):
        notes.append("nothing has stored it yet: it is on its way, or its route ended before the writer")
    return Traces(event_id=event_id, count=len(traces), traces=traces, logs=logs, notes=notes)


async def _if(may: bool, read: Callable[..., Awaitable[list[T]]], *given: object) -> list[T]:
    """What is read, of who may see it."""
    return await read(*given) if may else []


def _when(facts: Facts, since: int, now: int) -> tuple[int, int]:
    """When lines about the event were written, epoch ms: from just before it was received on."""
    received = [row.received for row in facts.rows] + [run.received for run in facts.runs if run.received]
    received += [one.received for one in facts.unknown]
    start = min(received) // 1000 - _MINUTE_MS if received else since
    return start, now + _MINUTE_MS


def _not_found(event_id: str, scope: Scope, since: int, now: int, logs: following.Logs) -> ApiError:
    days = max(1, round((now - since) / _DAY_MS))
    where = (
        "the device's history has none such"
        if scope.device_ids is not None
        else f"looked for among the events of the last {days} day{'s' if days > 1 else ''} (since)"
    )
    unread = "; the log could not be read" if logs == "unavailable" else ""
    return ApiError(
        404,
        "trace.notFound",
        f"nothing that you may read knows an event {event_id[:256]!r}: {where}{unread}",
        "It may be on its way: ask again in a few seconds. Its time may lie before 'since': name an earlier "
        "one, or its device. Its device may be unknown: see unknownDevices. It may be set aside: see "
        "quarantine.",
    )
