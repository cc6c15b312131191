"""What a kind of resource does beyond being stored: its further rules, what its lists are filtered by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.api.needs import Call
from shared.model.base import Kind
from shared.store import cascade
from shared.store.change import Change
from shared.store.query import Where
from shared.store.scope import Stored

Extra = Mapping[str, Any]
# From the resources of a page to what is embedded in each, by its id.
Children = Callable[[Call, Sequence[Stored[Any]]], Awaitable[Mapping[str, list[Any]]]]


async def _create_as_asked(call: Call, change: Change, fields: Mapping[str, Any]) -> Extra:
    return {}


async def _update_as_asked(
    call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]
) -> Extra:
    return {}


async def _delete_with_all(call: Call, change: Change, stored: Stored[Any]) -> str | None:
    return await cascade.begin(change, stored)


def _all(call: Call) -> tuple[Where, ...]:
    return ()


def _any(call: Call, stored: Stored[Any]) -> bool:
    return True


@dataclass(frozen=True)
class Rules:
    """What a kind does beyond being stored. Hooks may add writes to the change, or refuse it by ApiError.

    ``creating`` and ``updating`` get the wire fields as they will be, and return further fields that the
    server keeps; ``updating`` and ``deleting`` also get the resource as it is. ``deleting`` returns the id of
    a job that clears what hangs on it, if there is one.

    ``listed`` are conditions that every list has, and ``seen`` whether a caller may know of one at all (what
    is somebody's alone). ``filters`` are fields that lists can be asked for by value, beside name, alias and
    tags; ``refs`` the fields that refer to another kind. ``children`` are what a read embeds if asked: from
    the name to the field and what finds it.
    """

    creating: Callable[[Call, Change, Mapping[str, Any]], Awaitable[Extra]] = _create_as_asked
    updating: Callable[[Call, Change, Stored[Any], Mapping[str, Any]], Awaitable[Extra]] = _update_as_asked
    deleting: Callable[[Call, Change, Stored[Any]], Awaitable[str | None]] = _delete_with_all
    listed: Callable[[Call], tuple[Where, ...]] = _all
    seen: Callable[[Call, Stored[Any]], bool] = _any
    filters: tuple[str, ...] = ()
    refs: Mapping[str, Kind[Any]] = field(default_factory=dict)
    children: Mapping[str, tuple[str, Children]] = field(default_factory=dict)
    # The id is the caller's choice: the field "id" of the body.
    chosen_id: bool = False
    # Roles can be held on one such resource alone, as on a system.
    granted_alone: bool = False
