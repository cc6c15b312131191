"""Who calls, and what he may do where. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec


class Grant(msgspec.Struct, frozen=True):
    """The permissions of one role, held on one resource: the project, a system or a device."""

    resource_kind: Literal["project", "system", "device"]
    resource_id: str
    permissions: frozenset[str]


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

    @classmethod
    def nobody(cls) -> Principal:
        """Who calls an operation for everybody."""
        return cls("user", "", "", "")

    def allows(self, permission: str, *, system: str | None = None, devices: Sequence[str] = ()) -> bool:
        """Whether a permission is held on the project, on the system, or on one of a chain of devices."""
        return self.admin or any(
            permission in grant.permissions
            and (
                grant.resource_kind == "project"
                or (grant.resource_kind == "system" and grant.resource_id == system)
                or (grant.resource_kind == "device" and grant.resource_id in devices)
            )
            for grant in self.grants
        )

    def anywhere(self, permission: str) -> bool:
        """Whether a permission is held on anything at all."""
        return self.admin or any(permission in grant.permissions for grant in self.grants)

    def readable(self, permission: str) -> Readable:
        """Where a permission is held, for lists that show only what the caller may see."""
        if self.allows(permission):
            return Readable(True, frozenset(), frozenset())
        held = [grant for grant in self.grants if permission in grant.permissions]
        return Readable(
            False,
            frozenset(grant.resource_id for grant in held if grant.resource_kind == "system"),
            frozenset(grant.resource_id for grant in held if grant.resource_kind == "device"),
        )
