"""Operations on ``member``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Member:
    """Operations on ``member``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self, project_id: str, *, per_page: int | None = None, cursor: str | None = None
    ) -> types.HolderPage:
        """List the members of a project.

        A page of the users of the platform who are members of the project, with the roles that they have on
        the project itself.

        Needs: user.list.
        """
        return cast(
            "types.HolderPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/members",
                    query={"perPage": per_page, "cursor": cursor},
                )
            ),
        )

    def list_all(self, project_id: str, *, per_page: int | None = None) -> Iterator[types.Holder]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(project_id, per_page=per_page, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def add(self, project_id: str, body: types.MemberAdd) -> types.Holder:
        """Add a member to a project.

        A user of the platform, named by id or user name, gets roles on the project. Needs user.assignRoles,
        and every permission of those roles.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            self._sender.send(Request("POST", f"/v1/project/{segment(project_id)}/members", body=body)),
        )

    def remove(self, project_id: str, user_id: str) -> types.Deleted:
        """Remove a member from a project.

        The user is no longer a member, and loses every role that he has anywhere in the project.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/project/{segment(project_id)}/members/{segment(user_id)}")
            ),
        )


class AsyncMember:
    """Operations on ``member``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self, project_id: str, *, per_page: int | None = None, cursor: str | None = None
    ) -> types.HolderPage:
        """List the members of a project.

        A page of the users of the platform who are members of the project, with the roles that they have on
        the project itself.

        Needs: user.list.
        """
        return cast(
            "types.HolderPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/members",
                    query={"perPage": per_page, "cursor": cursor},
                )
            ),
        )

    async def list_all(self, project_id: str, *, per_page: int | None = None) -> AsyncIterator[types.Holder]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(project_id, per_page=per_page, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def add(self, project_id: str, body: types.MemberAdd) -> types.Holder:
        """Add a member to a project.

        A user of the platform, named by id or user name, gets roles on the project. Needs user.assignRoles,
        and every permission of those roles.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            await self._sender.send(Request("POST", f"/v1/project/{segment(project_id)}/members", body=body)),
        )

    async def remove(self, project_id: str, user_id: str) -> types.Deleted:
        """Remove a member from a project.

        The user is no longer a member, and loses every role that he has anywhere in the project.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/project/{segment(project_id)}/members/{segment(user_id)}")
            ),
        )
