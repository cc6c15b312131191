"""Sending entries of the quarantine again, and deleting them: one by one, or all that a filter leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from functions.api.needs import Call
from shared import names, quarantine_entries
from shared.clients import pubsub
from shared.errors import ApiError, FulcrumError, Rejected, Transient
from shared.model.quarantine import (
    MAX_AT_ONCE,
    QUARANTINE,
    QuarantineChoice,
    QuarantineDone,
    QuarantineProblem,
)
from shared.quarantine import part_name
from shared.quarantine_entries import Entry
from shared.store.query import MAX_PER_PAGE, Query, Where
from shared.store.scope import Stored, not_found

_AT_ONCE = 8
_MAX_PROBLEMS = 100


def check_project(call: Call) -> None:
    """ApiError 403 for what is of no project, unless the caller administers the platform."""
    if call.scope.project_id == names.NO_PROJECT and not call.principal.admin:
        raise ApiError(
            403,
            "permission.denied",
            "what belongs to no project is for administrators of the platform",
            "ask one of them",
        )


def plain(call: Call, stored: Stored[Any]) -> Entry:
    """An entry as the shared code knows it."""
    return Entry(call.scope.project_id, stored.id, stored.fields)


def query(choice: QuarantineChoice, per_page: int, cursor: str | None = None) -> Query:
    """The query of a filter, the latest first."""
    found = (
        Where("errorType", "==", choice.error_type),
        Where("service", "==", choice.service),
        Where("time", ">=", choice.since),
        Where("time", "<", choice.until),
    )
    where = tuple(condition for condition in found if condition.value is not None)
    return Query(where, order="time", descending=True, limit=per_page, after=cursor)


async def redrive(call: Call, stored: Stored[Any], topic: str | None) -> None:
    """Publish an entry where it came from, then delete it: at least once, as every effect is idempotent.

    ApiError 409 if nothing says where that is, 404 if its bytes are gone, 503 if it cannot be published.
    """
    entry = plain(call, stored)
    try:
        where = topic or quarantine_entries.topic_of(entry)
        message = quarantine_entries.message_of(entry, await quarantine_entries.read_data(entry))
        await pubsub.publish(where, [message])
    except quarantine_entries.Missing:
        raise not_found("quarantine", stored.id) from None
    except Rejected as error:
        raise ApiError(
            409,
            f"quarantine.{error.error_type.rpartition('.')[2]}",
            error.message[:500],
            "ask an administrator of the platform to name a topic",
        ) from None
    await _remove(call, stored, "redriven")


async def purge(call: Call, stored: Stored[Any]) -> None:
    """Delete an entry and its bytes."""
    await _remove(call, stored, "deleted")


async def _remove(call: Call, stored: Stored[Any], verb: str) -> None:
    change = call.change()
    change.remove(stored.name)
    for number in range(int(stored.fields.get("parts") or 0)):
        change.remove(part_name(call.scope.project_id, stored.id, number))
    told = ("errorType", "service", "topic")
    what: dict[str, Any] = {key: stored.fields[key] for key in told if key in stored.fields}
    change.note(verb, QUARANTINE, stored.id, what, {})
    await change.commit()


async def each(
    call: Call, choice: QuarantineChoice, one: Callable[[Stored[Any]], Awaitable[None]]
) -> QuarantineDone:
    """Do one thing to each entry of a choice; one that fails does not stop the others.

    ApiError 400 unless it says either ids or ``all``.
    """
    chosen, problems, more = await _chosen(call, choice)
    done = 0
    for start in range(0, len(chosen), _AT_ONCE):
        some = chosen[start : start + _AT_ONCE]
        for stored, problem in zip(some, await asyncio.gather(*(_try(one, s) for s in some)), strict=True):
            if problem is None:
                done += 1
            else:
                problems.append(QuarantineProblem(id=stored.id, error=problem[0], message=problem[1][:500]))
    return QuarantineDone(
        done=done, failed=len(problems), problems=problems[:_MAX_PROBLEMS], more=more and done > 0
    )


async def _try(one: Callable[[Stored[Any]], Awaitable[None]], stored: Stored[Any]) -> tuple[str, str] | None:
    try:
        await one(stored)
    except ApiError as error:
        return error.error, error.message
    except Transient as error:
        return "service.unavailable", str(error)
    except FulcrumError as error:
        return "quarantine.failed", str(error)
    return None


async def _chosen(
    call: Call, choice: QuarantineChoice
) -> tuple[list[Stored[Any]], list[QuarantineProblem], bool]:
    filtered = any(v is not None for v in (choice.error_type, choice.service, choice.since, choice.until))
    if (choice.ids is None) is not choice.all or (choice.ids is not None and filtered):
        raise ApiError(
            400,
            "quarantine.choice",
            "it is not clear which entries are meant",
            "send either 'ids', or 'all': true with or without filters",
        )
    if choice.ids is not None:
        found = await call.scope.find_many(QUARANTINE, dict.fromkeys(choice.ids))
        missing = [
            QuarantineProblem(id=entry_id, error="quarantine.notFound", message="there is no such entry")
            for entry_id in dict.fromkeys(choice.ids)
            if entry_id not in found
        ]
        return list(found.values()), missing, False
    chosen: list[Stored[Any]] = []
    cursor: str | None = None
    while len(chosen) < MAX_AT_ONCE:
        page = await call.scope.page(QUARANTINE, query(choice, MAX_PER_PAGE, cursor))
        chosen += page.items
        cursor = page.next
        if cursor is None:
            break
    return chosen[:MAX_AT_ONCE], [], cursor is not None or len(chosen) > MAX_AT_ONCE
