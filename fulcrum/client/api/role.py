"""Operations on ``role``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Role:
    """Operations on ``role``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        *,
        project_id: str | None = None,
        id: str | None = None,
        name: str | None = None,
        category: Literal["custom", "project", "imagine"] | None = None,
        display_name: str | None = None,
        include_permissions: bool | None = None,
        order: Literal["name", "displayName", "category", "created", "lastModified"] | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        per_page: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
    ) -> types.RolePage:
        """List the roles of a project.

        Roles by name, or in another order. Their permissions are left out unless asked for.

        Needs: role.list.
        """
        return cast(
            "types.RolePage",
            self._sender.send(
                Request(
                    "GET",
                    "/v1/role",
                    query={
                        "projectId": project_id,
                        "id": id,
                        "name": name,
                        "category": category,
                        "displayName": display_name,
                        "includePermissions": include_permissions,
                        "order": order,
                        "descending": descending,
                        "limit": limit,
                        "perPage": per_page,
                        "offset": offset,
                        "cursor": cursor,
                    },
                )
            ),
        )

    def list_all(
        self,
        *,
        project_id: str | None = None,
        id: str | None = None,
        name: str | None = None,
        category: Literal["custom", "project", "imagine"] | None = None,
        display_name: str | None = None,
        include_permissions: bool | None = None,
        order: Literal["name", "displayName", "category", "created", "lastModified"] | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        per_page: int | None = None,
        offset: int | None = None,
    ) -> Iterator[types.Role]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id=project_id,
                id=id,
                name=name,
                category=category,
                display_name=display_name,
                include_permissions=include_permissions,
                order=order,
                descending=descending,
                limit=limit,
                per_page=per_page,
                offset=offset,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(self, body: types.RoleCreate, *, idempotency_key: str | None = None) -> types.Role:
        """Create a role.

        Creates a role of the project from permissions that the caller holds himself. With an Idempotency-
        Key it is created once, however often the request is sent.

        Needs: role.create.
        """
        return cast(
            "types.Role",
            self._sender.send(
                Request(
                    "POST", "/v1/role", headers={"Idempotency-Key": idempotency_key}, body=body, once=True
                )
            ),
        )

    def delete_many(self, id: builtins.list[str]) -> types.DeletedMany:
        """Delete roles.

        Deletes the roles that are named, all or none. Who had them loses them at once; jobs clear what hung
        on them.

        Needs: role.delete.
        """
        return cast("types.DeletedMany", self._sender.send(Request("DELETE", "/v1/role", query={"id": id})))

    def list_of_project(
        self,
        project_id: str,
        *,
        id: str | None = None,
        name: str | None = None,
        category: Literal["custom", "project", "imagine"] | None = None,
        display_name: str | None = None,
        include_permissions: bool | None = None,
        order: Literal["name", "displayName", "category", "created", "lastModified"] | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        per_page: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
    ) -> types.RolePage:
        """List the roles of one project.

        The older path of GET /v1/role.

        Needs: role.list.
        """
        return cast(
            "types.RolePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/role",
                    query={
                        "id": id,
                        "name": name,
                        "category": category,
                        "displayName": display_name,
                        "includePermissions": include_permissions,
                        "order": order,
                        "descending": descending,
                        "limit": limit,
                        "perPage": per_page,
                        "offset": offset,
                        "cursor": cursor,
                    },
                )
            ),
        )

    def list_of_project_all(
        self,
        project_id: str,
        *,
        id: str | None = None,
        name: str | None = None,
        category: Literal["custom", "project", "imagine"] | None = None,
        display_name: str | None = None,
        include_permissions: bool | None = None,
        order: Literal["name", "displayName", "category", "created", "lastModified"] | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        per_page: int | None = None,
        offset: int | None = None,
    ) -> Iterator[types.Role]:
        """All pages of :meth:`list_of_project`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list_of_project(
                project_id,
                id=id,
                name=name,
                category=category,
                display_name=display_name,
                include_permissions=include_permissions,
                order=order,
                descending=descending,
                limit=limit,
                per_page=per_page,
                offset=offset,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create_in_project(
        self, project_id: str, body: types.RoleCreate, *, idempotency_key: str | None = None
    ) -> types.Role:
        """Create a role of a project.

        The older path of POST /v1/role.

        Needs: role.create.
        """
        return cast(
            "types.Role",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/role",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def add_permissions(self, role_id: str, body: builtins.list[str]) -> types.Role:
        """Add permissions to a role.

        Adds permissions that the caller holds himself; those that the role has stay.

        Needs: role.update.
        """
        return cast(
            "types.Role",
            self._sender.send(Request("POST", f"/v1/role/{segment(role_id)}/permissions", body=body)),
        )

    def remove_permissions(self, role_id: str, permission: builtins.list[str]) -> types.Role:
        """Remove permissions from a role.

        Removes the permissions that are named; naming one that the role has not is no error.

        Needs: role.update.
        """
        return cast(
            "types.Role",
            self._sender.send(
                Request(
                    "DELETE", f"/v1/role/{segment(role_id)}/permissions", query={"permission": permission}
                )
            ),
        )

    def remove_permission(self, role_id: str, permission_name: str) -> types.Role:
        """Remove a permission from a role.

        Removes one permission, named <module>.<verb>.

        Needs: role.update.
        """
        return cast(
            "types.Role",
            self._sender.send(
                Request("DELETE", f"/v1/role/{segment(role_id)}/permissions/{segment(permission_name)}")
            ),
        )

    def get(self, role_id: str) -> types.Role:
        """Read a role.

        One role; its ETag says its version.

        Needs: role.read.
        """
        return cast("types.Role", self._sender.send(Request("GET", f"/v1/role/{segment(role_id)}")))

    def update(
        self,
        role_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Role:
        """Change a role.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        category, desc, displayName, name, permissions. With If-Match, only if nobody was faster.

        Needs: role.update.
        """
        return cast(
            "types.Role",
            self._sender.send(
                Request("PATCH", f"/v1/role/{segment(role_id)}", headers={"If-Match": if_match}, body=body)
            ),
        )

    def delete(self, role_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a role.

        The role is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: role.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/role/{segment(role_id)}", headers={"If-Match": if_match})
            ),
        )


class AsyncRole:
    """Operations on ``role``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        *,
        project_id: str | None = None,
        id: str | None = None,
        name: str | None = None,
        category: Literal["custom", "project", "imagine"] | None = None,
        display_name: str | None = None,
        include_permissions: bool | None = None,
        order: Literal["name", "displayName", "category", "created", "lastModified"] | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        per_page: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
    ) -> types.RolePage:
        """List the roles of a project.

        Roles by name, or in another order. Their permissions are left out unless asked for.

        Needs: role.list.
        """
        return cast(
            "types.RolePage",
            await self._sender.send(
                Request(
                    "GET",
                    "/v1/role",
                    query={
                        "projectId": project_id,
                        "id": id,
                        "name": name,
                        "category": category,
                        "displayName": display_name,
                        "includePermissions": include_permissions,
                        "order": order,
                        "descending": descending,
                        "limit": limit,
                        "perPage": per_page,
                        "offset": offset,
                        "cursor": cursor,
                    },
                )
            ),
        )

    async def list_all(
        self,
        *,
        project_id: str | None = None,
        id: str | None = None,
        name: str | None = None,
        category: Literal["custom", "project", "imagine"] | None = None,
        display_name: str | None = None,
        include_permissions: bool | None = None,
        order: Literal["name", "displayName", "category", "created", "lastModified"] | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        per_page: int | None = None,
        offset: int | None = None,
    ) -> AsyncIterator[types.Role]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id=project_id,
                id=id,
                name=name,
                category=category,
                display_name=display_name,
                include_permissions=include_permissions,
                order=order,
                descending=descending,
                limit=limit,
                per_page=per_page,
                offset=offset,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(self, body: types.RoleCreate, *, idempotency_key: str | None = None) -> types.Role:
        """Create a role.

        Creates a role of the project from permissions that the caller holds himself. With an Idempotency-
        Key it is created once, however often the request is sent.

        Needs: role.create.
        """
        return cast(
            "types.Role",
            await self._sender.send(
                Request(
                    "POST", "/v1/role", headers={"Idempotency-Key": idempotency_key}, body=body, once=True
                )
            ),
        )

    async def delete_many(self, id: builtins.list[str]) -> types.DeletedMany:
        """Delete roles.

        Deletes the roles that are named, all or none. Who had them loses them at once; jobs clear what hung
        on them.

        Needs: role.delete.
        """
        return cast(
            "types.DeletedMany", await self._sender.send(Request("DELETE", "/v1/role", query={"id": id}))
        )

    async def list_of_project(
        self,
        project_id: str,
        *,
        id: str | None = None,
        name: str | None = None,
        category: Literal["custom", "project", "imagine"] | None = None,
        display_name: str | None = None,
        include_permissions: bool | None = None,
        order: Literal["name", "displayName", "category", "created", "lastModified"] | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        per_page: int | None = None,
        offset: int | None = None,
        cursor: str | None = None,
    ) -> types.RolePage:
        """List the roles of one project.

        The older path of GET /v1/role.

        Needs: role.list.
        """
        return cast(
            "types.RolePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/role",
                    query={
                        "id": id,
                        "name": name,
                        "category": category,
                        "displayName": display_name,
                        "includePermissions": include_permissions,
                        "order": order,
                        "descending": descending,
                        "limit": limit,
                        "perPage": per_page,
                        "offset": offset,
                        "cursor": cursor,
                    },
                )
            ),
        )

    async def list_of_project_all(
        self,
        project_id: str,
        *,
        id: str | None = None,
        name: str | None = None,
        category: Literal["custom", "project", "imagine"] | None = None,
        display_name: str | None = None,
        include_permissions: bool | None = None,
        order: Literal["name", "displayName", "category", "created", "lastModified"] | None = None,
        descending: bool | None = None,
        limit: int | None = None,
        per_page: int | None = None,
        offset: int | None = None,
    ) -> AsyncIterator[types.Role]:
        """All pages of :meth:`list_of_project`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list_of_project(
                project_id,
                id=id,
                name=name,
                category=category,
                display_name=display_name,
                include_permissions=include_permissions,
                order=order,
                descending=descending,
                limit=limit,
                per_page=per_page,
                offset=offset,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create_in_project(
        self, project_id: str, body: types.RoleCreate, *, idempotency_key: str | None = None
    ) -> types.Role:
        """Create a role of a project.

        The older path of POST /v1/role.

        Needs: role.create.
        """
        return cast(
            "types.Role",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/role",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def add_permissions(self, role_id: str, body: builtins.list[str]) -> types.Role:
        """Add permissions to a role.

        Adds permissions that the caller holds himself; those that the role has stay.

        Needs: role.update.
        """
        return cast(
            "types.Role",
            await self._sender.send(Request("POST", f"/v1/role/{segment(role_id)}/permissions", body=body)),
        )

    async def remove_permissions(self, role_id: str, permission: builtins.list[str]) -> types.Role:
        """Remove permissions from a role.

        Removes the permissions that are named; naming one that the role has not is no error.

        Needs: role.update.
        """
        return cast(
            "types.Role",
            await self._sender.send(
                Request(
                    "DELETE", f"/v1/role/{segment(role_id)}/permissions", query={"permission": permission}
                )
            ),
        )

    async def remove_permission(self, role_id: str, permission_name: str) -> types.Role:
        """Remove a permission from a role.

        Removes one permission, named <module>.<verb>.

        Needs: role.update.
        """
        return cast(
            "types.Role",
            await self._sender.send(
                Request("DELETE", f"/v1/role/{segment(role_id)}/permissions/{segment(permission_name)}")
            ),
        )

    async def get(self, role_id: str) -> types.Role:
        """Read a role.

        One role; its ETag says its version.

        Needs: role.read.
        """
        return cast("types.Role", await self._sender.send(Request("GET", f"/v1/role/{segment(role_id)}")))

    async def update(
        self,
        role_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Role:
        """Change a role.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        category, desc, displayName, name, permissions. With If-Match, only if nobody was faster.

        Needs: role.update.
        """
        return cast(
            "types.Role",
            await self._sender.send(
                Request("PATCH", f"/v1/role/{segment(role_id)}", headers={"If-Match": if_match}, body=body)
            ),
        )

    async def delete(self, role_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a role.

        The role is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: role.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/role/{segment(role_id)}", headers={"If-Match": if_match})
            ),
        )
