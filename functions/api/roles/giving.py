"""Who may give what to whom: a caller gives and takes only what he holds there himself.

A role is given on the project, a system or a device, and holds for all that is below. Giving or taking it
needs ``user.assignRoles`` and every permission in it, held at that resource or above.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.api.needs import Call, denied
from functions.api.roles import catalogue, chain, generated
from shared import names
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.role import EVERYTHING, ResourceKind
from shared.store.scope import Scope, not_found

ASSIGN = "user.assignRoles"


class Place(msgspec.Struct, frozen=True):
    """A resource on which roles are given: what :meth:`Call.require` takes of it, and its document."""

    kind: ResourceKind
    id: str
    system: str | None = None
    devices: tuple[str, ...] = ()
    document: str = ""


def user_role_id(fields: Mapping[str, Any]) -> str:
    """The id of a role given: the same role is given to one subject on one resource once."""
    parts = ("subjectKind", "subjectId", "roleId", "resourceKind", "resourceId")
    return ids.digest("userRole", *(str(fields[part]) for part in parts))


def whole(scope: Scope) -> Place:
    """The project itself."""
    return Place("project", scope.project_id, document=names.project(scope.project_id))


async def place(scope: Scope, kind: ResourceKind, resource_id: str) -> Place:
    """A resource of the project, as roles are given on it; ApiError 404 if there is none such."""
    if kind == "project":
        if resource_id != scope.project_id:
            raise not_found("project", resource_id)
        return whole(scope)
    if not ids_are_plain(resource_id):
        raise not_found(kind, resource_id)
    collection = {"system": "systems", "device": "devices"}[kind]
    document = names.document("projects", scope.project_id, collection, resource_id)
    if document not in await firestore.batch_get([document], ["systemId", "deleted"]):
        raise not_found(kind, resource_id)
    if kind == "system":
        return Place(kind, resource_id, resource_id, document=document)
    found = await chain.of(scope.project_id, resource_id)
    return Place(kind, resource_id, found.system, found.devices, document)


def ids_are_plain(*texts: str) -> bool:
    """Whether texts can be ids of documents."""
    return all(
        0 < len(text) <= 128 and "/" not in text and not text.startswith((".", "__")) for text in texts
    )


def holds(call: Call, permission: str, at: Place | None = None) -> bool:
    """Whether the caller holds a permission there, or the general one that it is generated from.

    Without a place: on the project. Only who may do everything holds ``*``.
    """
    if at is None:
        return call.allows(permission)
    return call.allows(permission, system=at.system, devices=at.devices)


def require_place(call: Call, permission: str, at: Place) -> None:
    """ApiError 403 unless the caller holds a permission at a resource or above it."""
    if not holds(call, permission, at):
        raise denied(permission)


def require_all(call: Call, permissions: Iterable[str], at: Place | None = None) -> None:
    """ApiError 403 ``role.exceedsYours`` unless the caller holds every one of the permissions there."""
    lacking = sorted(permission for permission in set(permissions) if not holds(call, permission, at))
    if lacking:
        shown = ", ".join(lacking[:5]) + (f" and {len(lacking) - 5} more" if len(lacking) > 5 else "")
        raise ApiError(
            403,
            "role.exceedsYours",
            f"the role holds what you do not hold here: {shown}",
            "give a role within your own rights, or ask who administers the project",
        )


async def check_known(scope: Scope, permissions: Sequence[str]) -> None:
    """ApiError 400 ``role.unknownPermission`` unless all are permissions of the project."""
    known = catalogue.names()
    made: dict[str, str] = {}
    for permission in permissions:
        base, _, of_id = permission.partition(":")
        if not of_id and (permission == EVERYTHING or permission in known):
            continue
        if not of_id or base not in generated.BASES or not ids_are_plain(of_id):
            raise _unknown(permission)
        collection = "blueprints" if base == generated.CREATE_DEVICE else "attributes"
        made[permission] = names.document("projects", scope.project_id, collection, of_id)
    found = await firestore.batch_get(made.values(), ["name"])
    for permission, name in made.items():
        if name not in found:
            raise _unknown(permission)


def _unknown(permission: str) -> ApiError:
    return ApiError(
        400,
        "role.unknownPermission",
        f"there is no permission {permission!r} in this project",
        "see GET /v1/project/{projectId}/permission for all of them",
    )
