"""The three roles that every project begins with. Their ids are their names.

``admin`` may do everything; ``member`` reads and writes what is modelled, and sees who is there; ``account``
is for end users, to be given on a system or a device.
"""

from __future__ import annotations

from typing import Any

from functions.api.roles import catalogue
from functions.api.roles.giving import user_role_id
from shared.model.role import ACCOUNT, ADMIN, EVERYTHING, MEMBER, ROLE, USER_ROLE
from shared.store.audit import Actor
from shared.store.change import Change

_SEEN_BY_MEMBERS = frozenset({"project.read", "user.read", "user.list", "role.read", "role.list"})
_OF_ACCOUNTS = frozenset(
    {
        *("device.read", "device.list", "device.readData", "device.readHistory", "device.readEvents"),
        *("device.updateEvents", "device.readByNetworkAlias", "system.read", "system.list"),
        *("blueprint.read", "blueprint.list", "attribute.read", "attribute.list"),
        *("dashboard.read", "dashboard.list", "view.create", "view.read", "view.update", "view.list"),
    }
)


def roles() -> dict[str, dict[str, Any]]:
    """Id → wire fields of the standard roles."""
    modelled = {item.name for item in catalogue.general() if item.category == "imagine"}
    return {
        ADMIN: _role(ADMIN, "Administrator", "May do everything in the project", [EVERYTHING]),
        MEMBER: _role(
            MEMBER,
            "Member",
            "Reads and writes all that is modelled; changes nobody's rights",
            sorted(modelled | _SEEN_BY_MEMBERS),
        ),
        ACCOUNT: _role(
            ACCOUNT,
            "Account",
            "Reads the devices of the systems or devices on which it is given",
            sorted(_OF_ACCOUNTS),
        ),
    }


def add(change: Change, creator: Actor | None) -> None:
    """Create the standard roles within the change that creates their project.

    ``creator``, a user of the platform, becomes the project's administrator.
    """
    for role_id, fields in roles().items():
        change.create(ROLE, fields, role_id)
    if creator is None or creator.kind != "user" or not creator.id:
        return
    fields = {
        "subjectKind": creator.kind,
        "subjectId": creator.id,
        "roleId": ADMIN,
        "resourceKind": "project",
        "resourceId": change.scope.project_id,
    }
    change.create(USER_ROLE, fields, user_role_id(fields))


def _role(name: str, display_name: str, desc: str, permissions: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "displayName": display_name,
        "desc": desc,
        "category": "project",
        "permissions": permissions,
    }
