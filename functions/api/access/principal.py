"""Who calls, and what he may do where. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from functions.api.roles.generated import general_of

# Of a grant: every permission, those that come later included.
EVERYTHING = "*"


class Grant(msgspec.Struct, frozen=True):
    """The permissions of one role, held on one resource: the project, a system or a device."""

    resource_kind: Literal["project", "system", "device"]
    resource_id: str
    permissions: frozenset[str]

    def holds(self, permission: str) -> bool:
        """Whether a permission is among those of the grant."""
        return permission in self.permissions or EVERYTHING in self.permissions


class Readable(msgspec.Struct, frozen=True):
    """Where a permission is held: on everything of the project, or on these systems and devices."""

    everything: bool
    systems: frozenset[str]
    devices: frozenset[str]


class Principal(msgspec.Struct, frozen=True):
    """A caller. ``admin``: of the whole platform, may do everything everywhere. ``project_id`` is the
    project that the request is about; empty if it names none."""

    kind: Literal["user", "apiAccess", "platform"]
    id: str
    name: str
    project_id: str
    admin: bool = False
    grants: tuple[Grant, ...] = ()
    # The session that the token belongs to; empty for an API key.
    session_id: str = ""
    # He is of a project that was deleted, and goes with it: all that he may still do is delete it again.
    of_gone: bool = False

    @classmethod
    def nobody(cls) -> Principal:
        """Who calls an operation for everybody."""
        return cls("user", "", "", "")

    def allows(self, permission: str, *, system: str | None = None, devices: Sequence[str] = ()) -> bool:
        """Whether a permission is held on the project, on the system, or on one of a chain of devices."""
        return self.admin or any(
            grant.holds(permission)
            and (
                grant.resource_kind == "project"
                or (grant.resource_kind == "system" and grant.resource_id == system)
                or (grant.resource_kind == "device" and grant.resource_id in devices)
            )
            for grant in self.grants
        )

    def covers(self, grants: Sequence[Grant]) -> bool:
        """Whether the caller holds all that these grants give, where they give it: who may act on their
        holder without gaining anything by it. What is held on a device alone covers that device alone."""
        return self.admin or all(
            any(
                self.allows(
                    held,
                    system=grant.resource_id if grant.resource_kind == "system" else None,
                    devices=(grant.resource_id,) if grant.resource_kind == "device" else (),
                )
                # One that is generated for something, ``device.create:<id>``, is part of the general one.
                for held in {permission, general_of(permission)}
            )
            for grant in grants
            for permission in grant.permissions
        )

    def anywhere(self, permission: str) -> bool:
        """Whether a permission is held on anything at all; ``device.create:``: one generated from it."""
        if permission.endswith(":"):
            return self.admin or any(
                held.startswith(permission) for grant in self.grants for held in grant.permissions
            )
        return self.admin or any(grant.holds(permission) for grant in self.grants)

    def readable(self, permission: str) -> Readable:
        """Where a permission is held, for lists that show only what the caller may see."""
        if self.allows(permission):
            return Readable(True, frozenset(), frozenset())
        held = [grant for grant in self.grants if grant.holds(permission)]
        return Readable(
            False,
            frozenset(grant.resource_id for grant in held if grant.resource_kind == "system"),
            frozenset(grant.resource_id for grant in held if grant.resource_kind == "device"),
        )
