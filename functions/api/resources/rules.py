"""What a kind of resource does beyond being stored: its further rules, what its lists are filtered by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from functions.api.needs import Call
from shared.model.base import Kind
from shared.store import cascade
from shared.store.change import Change
from shared.store.query import Where
from shared.store.scope import Stored

Extra = Mapping[str, Any]
# From the resources of a page to what is embedded in each, by its id.
Children = Callable[[Call, Sequence[Stored[Any]]], Awaitable[Mapping[str, list[Any]]]]
# From the resources of a page to further fields of each, by its id.
Beside = Callable[[Call, Sequence[Stored[Any]]], Awaitable[Mapping[str, Extra]]]


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
    beside: Beside | None = None
    # For a kind whose id the caller chooses, in the field "id" of the body: what else must be so of it.
    choosing: Callable[[Call, str], Awaitable[None]] | None = None
    # Who may: holders on the project; for reading, holders on anything in it (``shown``: definitions, without
    # which devices cannot be understood); holders on that one resource (``alone``: a system); or holders on
    # anything, for what is their own (``own``: the hooks ask for more where it is everybody's).
    reach: Literal["project", "shown", "alone", "own"] = "project"

    def anywhere(self, verb: str) -> bool:
        """Whether a permission held on anything in the project is enough to be let in."""
        if self.reach == "alone":
            return verb != "create"
        return self.reach == "own" or (self.reach == "shown" and verb in ("read", "list"))

    def require(self, call: Call, permission: str, resource_id: str) -> None:
        """ApiError 403 for who holds the permission only on other things than this resource."""
        if self.reach == "alone":
            call.require(permission, system=resource_id)
