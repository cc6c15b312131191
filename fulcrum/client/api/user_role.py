"""Operations on ``user_role``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Literal, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class UserRole:
    """Operations on ``user_role``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        *,
        subject_kind: Literal["user", "apiAccess"] | None = None,
        subject_id: str | None = None,
        role_id: str | None = None,
        resource_kind: Literal["project", "system", "device"] | None = None,
        resource_id: str | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.UserRolePage:
        """List the roles given.

        A page of the roles that are given in the project, by subject, role or resource.

        Needs: userRole.list.
        """
        return cast(
            "types.UserRolePage",
            self._sender.send(
                Request(
                    "GET",
                    "/v1/userRole",
                    query={
                        "subjectKind": subject_kind,
                        "subjectId": subject_id,
                        "roleId": role_id,
                        "resourceKind": resource_kind,
                        "resourceId": resource_id,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                    },
                )
            ),
        )

    def list_all(
        self,
        *,
        subject_kind: Literal["user", "apiAccess"] | None = None,
        subject_id: str | None = None,
        role_id: str | None = None,
        resource_kind: Literal["project", "system", "device"] | None = None,
        resource_id: str | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> Iterator[types.UserRole]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                subject_kind=subject_kind,
                subject_id=subject_id,
                role_id=role_id,
                resource_kind=resource_kind,
                resource_id=resource_id,
                per_page=per_page,
                total=total,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(self, body: types.UserRoleCreate | builtins.list[types.UserRoleCreate]) -> types.UserRolePage:
        """Give roles.

        Gives a role to a user or an API key on the project, a system or a device; several at once in an
        array, all or none. Needs user.assignRoles there, and every permission that the role has. Giving
        again what is given already changes nothing.

        Needs: user.assignRoles.
        """
        return cast("types.UserRolePage", self._sender.send(Request("POST", "/v1/userRole", body=body)))

    def delete_many(
        self,
        confirm: Literal["bulkDelete"],
        *,
        subject_kind: Literal["user", "apiAccess"] | None = None,
        subject_id: str | None = None,
        role_id: str | None = None,
        resource_kind: Literal["project", "system", "device"] | None = None,
        resource_id: str | None = None,
    ) -> types.DeletedMany:
        """Take many roles back.

        Takes back all roles given that meet the conditions, at most 80 at once: all or none. At least one
        condition, and confirm=bulkDelete, are needed.

        Needs: user.assignRoles.
        """
        return cast(
            "types.DeletedMany",
            self._sender.send(
                Request(
                    "DELETE",
                    "/v1/userRole",
                    query={
                        "confirm": confirm,
                        "subjectKind": subject_kind,
                        "subjectId": subject_id,
                        "roleId": role_id,
                        "resourceKind": resource_kind,
                        "resourceId": resource_id,
                    },
                )
            ),
        )

    def get(self, user_role_id: str) -> types.UserRole:
        """Read one role given.

        Who has which role on what.

        Needs: userRole.read.
        """
        return cast(
            "types.UserRole", self._sender.send(Request("GET", f"/v1/userRole/{segment(user_role_id)}"))
        )

    def delete(self, user_role_id: str) -> types.Deleted:
        """Take a role back.

        Takes one role from who has it. Needs what giving it needs; nobody takes the role of the project's
        last administrator.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Deleted", self._sender.send(Request("DELETE", f"/v1/userRole/{segment(user_role_id)}"))
        )


class AsyncUserRole:
    """Operations on ``user_role``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        *,
        subject_kind: Literal["user", "apiAccess"] | None = None,
        subject_id: str | None = None,
        role_id: str | None = None,
        resource_kind: Literal["project", "system", "device"] | None = None,
        resource_id: str | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.UserRolePage:
        """List the roles given.

        A page of the roles that are given in the project, by subject, role or resource.

        Needs: userRole.list.
        """
        return cast(
            "types.UserRolePage",
            await self._sender.send(
                Request(
                    "GET",
                    "/v1/userRole",
                    query={
                        "subjectKind": subject_kind,
                        "subjectId": subject_id,
                        "roleId": role_id,
                        "resourceKind": resource_kind,
                        "resourceId": resource_id,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                    },
                )
            ),
        )

    async def list_all(
        self,
        *,
        subject_kind: Literal["user", "apiAccess"] | None = None,
        subject_id: str | None = None,
        role_id: str | None = None,
        resource_kind: Literal["project", "system", "device"] | None = None,
        resource_id: str | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> AsyncIterator[types.UserRole]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                subject_kind=subject_kind,
                subject_id=subject_id,
                role_id=role_id,
                resource_kind=resource_kind,
                resource_id=resource_id,
                per_page=per_page,
                total=total,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, body: types.UserRoleCreate | builtins.list[types.UserRoleCreate]
    ) -> types.UserRolePage:
        """Give roles.

        Gives a role to a user or an API key on the project, a system or a device; several at once in an
        array, all or none. Needs user.assignRoles there, and every permission that the role has. Giving
        again what is given already changes nothing.

        Needs: user.assignRoles.
        """
        return cast("types.UserRolePage", await self._sender.send(Request("POST", "/v1/userRole", body=body)))

    async def delete_many(
        self,
        confirm: Literal["bulkDelete"],
        *,
        subject_kind: Literal["user", "apiAccess"] | None = None,
        subject_id: str | None = None,
        role_id: str | None = None,
        resource_kind: Literal["project", "system", "device"] | None = None,
        resource_id: str | None = None,
    ) -> types.DeletedMany:
        """Take many roles back.

        Takes back all roles given that meet the conditions, at most 80 at once: all or none. At least one
        condition, and confirm=bulkDelete, are needed.

        Needs: user.assignRoles.
        """
        return cast(
            "types.DeletedMany",
            await self._sender.send(
                Request(
                    "DELETE",
                    "/v1/userRole",
                    query={
                        "confirm": confirm,
                        "subjectKind": subject_kind,
                        "subjectId": subject_id,
                        "roleId": role_id,
                        "resourceKind": resource_kind,
                        "resourceId": resource_id,
                    },
                )
            ),
        )

    async def get(self, user_role_id: str) -> types.UserRole:
        """Read one role given.

        Who has which role on what.

        Needs: userRole.read.
        """
        return cast(
            "types.UserRole", await self._sender.send(Request("GET", f"/v1/userRole/{segment(user_role_id)}"))
        )

    async def delete(self, user_role_id: str) -> types.Deleted:
        """Take a role back.

        Takes one role from who has it. Needs what giving it needs; nobody takes the role of the project's
        last administrator.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(Request("DELETE", f"/v1/userRole/{segment(user_role_id)}")),
        )
