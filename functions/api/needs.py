"""What an operation needs of its caller. Every route declares it, by the annotation of its ``call``.

``call: Annotated[Call, needs("blueprint.read")]`` lets in whoever holds that permission on the whole
project. Devices and systems can be granted one by one: ``needs("device.read", anywhere=True)`` lets in
whoever holds it on anything of the project, and the operation itself asks :meth:`Call.require` once it knows
the resource.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Depends
from starlette.requests import Request

from functions.api.access.callers import authenticate
from functions.api.access.principal import Principal
from functions.api.access.tokens import refused
from functions.api.roles.generated import general_of
from shared.errors import ApiError
from shared.store.audit import Actor
from shared.store.change import Change
from shared.store.scope import Scope


@dataclass(frozen=True)
class Call:
    """One authenticated request: who calls, and what of the request every operation may use."""

    request: Request
    principal: Principal

    @property
    def request_id(self) -> str:
        """The request's name in logs and in the audit."""
        return str(self.request.scope["state"]["request_id"])

    @property
    def scope(self) -> Scope:
        """The project that the request works in."""
        if not self.principal.project_id:
            raise ApiError(
                400,
                "project.missing",
                "the request does not say which project it is about",
                "name it: add ?projectId=... or the header X-Fulcrum-Project",
            )
        return Scope(self.principal.project_id)

    def change(self) -> Change:
        """A change of the project, in the caller's name."""
        actor = Actor(self.principal.kind, self.principal.id, self.principal.name)
        return Change(self.scope, actor, self.request_id)

    def require(self, permission: str, *, system: str | None = None, devices: Sequence[str] = ()) -> None:
        """ApiError 403 unless the caller holds a permission on the project, the system or one of the devices.

        ``devices``: the device itself and its parents.
        """
        if not self.allows(permission, system=system, devices=devices):
            raise denied(permission)

    def allows(self, permission: str, *, system: str | None = None, devices: Sequence[str] = ()) -> bool:
        """Whether :meth:`require` would pass; a general permission includes those generated from it."""
        return any(
            self.principal.allows(held, system=system, devices=devices)
            for held in {permission, general_of(permission)}
        )


class Need:
    """A dependency that lets in whoever has a permission; a test finds it on every route."""

    def __init__(
        self, permission: str, *, anywhere: bool = False, reason: str = "", others: Sequence[str] = ()
    ) -> None:
        self.permission = permission
        self.others = tuple(others)
        self.anywhere = anywhere
        self.reason = reason

    async def __call__(self, request: Request) -> Call:
        """Authenticate, and check the permission as far as it can be without knowing the resource."""
        if self.permission == "public":
            return Call(request, Principal.nobody())
        principal = await authenticate(request)
        if principal.of_gone and self.permission != "project.delete":
            raise refused()
        if self.permission != "signedIn":
            wanted = (self.permission, *self.others)
            if not any(map(principal.anywhere if self.anywhere else principal.allows, wanted)):
                raise denied(self.permission)
        return Call(request, principal)


def needs(permission: str, *, anywhere: bool = False, others: Sequence[str] = ()) -> Any:
    """The declaration of an operation that needs a permission, named ``<module>.<verb>``.

    ``others``: permissions each of which will do as well; ``device.create:`` stands for any that was
    generated from ``device.create``. The operation itself asks which one it is.
    """
    return Depends(Need(permission, anywhere=anywhere, others=others), use_cache=False)


def signed_in(reason: str) -> Any:
    """The declaration of an operation for whoever is signed in; the reason says why that is enough."""
    return Depends(Need("signedIn", reason=reason), use_cache=False)


def public(reason: str) -> Any:
    """The declaration of an operation for everybody; the reason says why that is safe."""
    return Depends(Need("public", reason=reason), use_cache=False)


def denied(permission: str) -> ApiError:
    """403 for a missing permission."""
    return ApiError(
        403,
        "permission.denied",
        f"this needs the permission {permission}",
        "ask who administers the project for a role that holds it",
    )
