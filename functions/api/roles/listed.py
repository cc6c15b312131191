"""Lists of roles: a project has few, so that any filter and order is answered from all of them."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Body
from pydantic import Field

from fulcrum.core import ids
from shared.errors import ApiError
from shared.model.base import Model
from shared.model.page import Page
from shared.model.role import ROLE, Category, PermissionName, Role
from shared.store import query as queries
from shared.store.query import DEFAULT_PER_PAGE, MAX_PER_PAGE, Query
from shared.store.scope import Scope, Stored

# Of a project; a list reads them all.
MAX_ROLES = 500
MAX_PERMISSIONS = 2000
Names = Annotated[list[PermissionName], Body(min_length=1, max_length=200, description="Permissions")]
_encode = msgspec.json.Encoder(order="deterministic").encode


class Asked(Model):
    """What a list of roles can be asked for."""

    project_id: str | None = Field(default=None, description="The project, if the token is of none")
    id: str | None = Field(default=None, max_length=200, description="Only this one")
    name: str | None = Field(default=None, max_length=200, description="Only the one with this name")
    category: Category | None = Field(default=None, description="Only those of this category")
    display_name: str | None = Field(default=None, max_length=200, description="Only those called so")
    include_permissions: bool = Field(default=False, description="Say the permissions of each")
    order: Literal["name", "displayName", "category", "created", "lastModified"] = Field(
        default="name", description="By what they are sorted"
    )
    descending: bool = Field(default=False, description="The other way round")
    limit: int | None = Field(default=None, ge=1, le=MAX_PER_PAGE, description="The older name of perPage")
    per_page: int = Field(
        default=DEFAULT_PER_PAGE, ge=1, le=MAX_PER_PAGE, description="How many items a page has at most"
    )
    offset: int = Field(default=0, ge=0, le=MAX_ROLES, description="How many to leave out before the page")
    cursor: str | None = Field(
        default=None, max_length=4000, description="The 'next' of the page before; leave out for the first"
    )

    @property
    def size(self) -> int:
        """How many items a page has at most."""
        return self.limit or self.per_page


async def everyone(scope: Scope) -> list[Stored[Role]]:
    """All roles of a project."""
    found: list[Stored[Role]] = []
    after: str | None = None
    while len(found) <= MAX_ROLES:
        page = await scope.page(ROLE, Query(limit=MAX_PER_PAGE, after=after))
        found += page.items
        after = page.next
        if after is None:
            break
    return found


async def check_room(scope: Scope) -> None:
    """ApiError 409 if a project has as many roles as it may."""
    if await scope.count(ROLE, queries.Query()) >= MAX_ROLES:
        raise ApiError(
            409,
            "role.tooMany",
            f"a project has at most {MAX_ROLES} roles",
            "delete what nobody holds, or give one role to several people",
        )


async def page(scope: Scope, asked: Asked) -> Page[Role]:
    """A page of the roles that meet what was asked."""
    every = await everyone(scope)
    if not every:
        await scope.must_exist()
    wanted = {
        "id": asked.id,
        "name": asked.name,
        "category": asked.category,
        "displayName": asked.display_name,
    }
    meeting = [
        stored
        for stored in every
        if all(value is None or _value(stored, wire) == value for wire, value in wanted.items())
    ]
    meeting.sort(key=lambda stored: _key(stored, asked.order), reverse=asked.descending)
    fingerprint = ids.digest("roles", scope.project_id, _encode([wanted, asked.order, asked.descending]))
    start = asked.offset if asked.cursor is None else _start(asked, fingerprint, meeting)
    items = meeting[start : start + asked.size]
    more = start + len(items) < len(meeting)
    return Page(
        count=len(items),
        per_page=asked.size,
        total=len(meeting),
        next=_cursor(fingerprint, asked.order, items[-1]) if more and items else None,
        items=[_shown(stored, asked.include_permissions) for stored in items],
    )


def _shown(stored: Stored[Role], with_permissions: bool) -> Role:
    model = stored.model()
    return model if with_permissions else model.model_copy(update={"permissions": None})


def _value(stored: Stored[Role], wire: str) -> Any:
    return stored.id if wire == "id" else stored.fields.get(wire)


def _key(stored: Stored[Role], order: str) -> tuple[int, str, str]:
    value = stored.fields.get(order)
    number = value if isinstance(value, int) else 0
    return number, value if isinstance(value, str) else "", stored.id


def _cursor(fingerprint: str, order: str, last: Stored[Role]) -> str:
    return base64.urlsafe_b64encode(_encode([fingerprint, *_key(last, order)])).decode().rstrip("=")


def _start(asked: Asked, fingerprint: str, meeting: list[Stored[Role]]) -> int:
    """How many roles stand before the page; ApiError 400 for the cursor of another list."""
    text = asked.cursor or ""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        of, *last = msgspec.json.decode(raw, type=tuple[str, int, str, str])
    except (binascii.Error, ValueError):
        raise queries.invalid_cursor() from None
    if of != fingerprint:
        raise queries.invalid_cursor()
    position = tuple(last)
    if asked.descending:
        return sum(_key(stored, asked.order) >= position for stored in meeting)
    return sum(_key(stored, asked.order) <= position for stored in meeting)
