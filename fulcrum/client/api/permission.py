"""Operations on ``permission``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from typing import Literal, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Permission:
    """Operations on ``permission``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        project_id: str,
        *,
        category: Literal["custom", "project", "imagine"] | None = None,
        module: str | None = None,
    ) -> types.PermissionList:
        """List the permissions of a project.

        All permissions that a role of the project can hold: the general ones, and those generated for its
        blueprints ('create X') and relationships ('create X in Y').

        Needs: role.list.
        """
        return cast(
            "types.PermissionList",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/permission",
                    query={"category": category, "module": module},
                )
            ),
        )

    def modules(self, project_id: str) -> types.ModuleList:
        """List the modules of permissions.

        The kinds of things that permissions are about, each with its verbs. Older than the list of
        permissions, and without the generated ones.

        Needs: signedIn.
        """
        return cast(
            "types.ModuleList", self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}/module"))
        )

    def can(self, body: types.CanAsked) -> types.CanAnswer:
        """Ask whether something is allowed.

        Whether the caller, or the user who is named, may do something. Of several permissions one is
        enough, and of several resources too; a condition joins permissions by and / or. Asking about
        somebody else needs user.read.

        Needs: signedIn.
        """
        return cast("types.CanAnswer", self._sender.send(Request("POST", "/v1/can", body=body)))


class AsyncPermission:
    """Operations on ``permission``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str,
        *,
        category: Literal["custom", "project", "imagine"] | None = None,
        module: str | None = None,
    ) -> types.PermissionList:
        """List the permissions of a project.

        All permissions that a role of the project can hold: the general ones, and those generated for its
        blueprints ('create X') and relationships ('create X in Y').

        Needs: role.list.
        """
        return cast(
            "types.PermissionList",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/permission",
                    query={"category": category, "module": module},
                )
            ),
        )

    async def modules(self, project_id: str) -> types.ModuleList:
        """List the modules of permissions.

        The kinds of things that permissions are about, each with its verbs. Older than the list of
        permissions, and without the generated ones.

        Needs: signedIn.
        """
        return cast(
            "types.ModuleList",
            await self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}/module")),
        )

    async def can(self, body: types.CanAsked) -> types.CanAnswer:
        """Ask whether something is allowed.

        Whether the caller, or the user who is named, may do something. Of several permissions one is
        enough, and of several resources too; a condition joins permissions by and / or. Asking about
        somebody else needs user.read.

        Needs: signedIn.
        """
        return cast("types.CanAnswer", await self._sender.send(Request("POST", "/v1/can", body=body)))
