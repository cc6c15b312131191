"""Operations on ``pending_user``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class PendingUser:
    """Operations on ``pending_user``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.PendingUserPage:
        """List the pendingUsers of a project.

        A page of the project's pendingUsers, by id; by name if asked for a name.

        Needs: pendingUser.list.
        """
        return cast(
            "types.PendingUserPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/pendingUsers",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    def list_all(
        self, project_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> Iterator[types.PendingUser]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(project_id, per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.PendingUserCreate, *, idempotency_key: str | None = None
    ) -> types.PendingUser:
        """Create a pendingUser.

        Creates a pendingUser in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: pendingUser.create.
        """
        return cast(
            "types.PendingUser",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/pendingUsers",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, pending_user_id: str) -> types.PendingUser:
        """Read a pendingUser.

        One pendingUser; its ETag says its version.

        Needs: pendingUser.read.
        """
        return cast(
            "types.PendingUser",
            self._sender.send(Request("GET", f"/v1/pendingUser/{segment(pending_user_id)}")),
        )

    def update(
        self,
        pending_user_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.PendingUser:
        """Change a pendingUser.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: .
        With If-Match, only if nobody was faster.

        Needs: pendingUser.update.
        """
        return cast(
            "types.PendingUser",
            self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/pendingUser/{segment(pending_user_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    def delete(self, pending_user_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a pendingUser.

        The pendingUser is gone at once; a job clears what hung on it. With If-Match, only if nobody changed
        it meanwhile.

        Needs: pendingUser.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request(
                    "DELETE", f"/v1/pendingUser/{segment(pending_user_id)}", headers={"If-Match": if_match}
                )
            ),
        )


class AsyncPendingUser:
    """Operations on ``pending_user``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.PendingUserPage:
        """List the pendingUsers of a project.

        A page of the project's pendingUsers, by id; by name if asked for a name.

        Needs: pendingUser.list.
        """
        return cast(
            "types.PendingUserPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/pendingUsers",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    async def list_all(
        self, project_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> AsyncIterator[types.PendingUser]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(project_id, per_page=per_page, total=total, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.PendingUserCreate, *, idempotency_key: str | None = None
    ) -> types.PendingUser:
        """Create a pendingUser.

        Creates a pendingUser in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: pendingUser.create.
        """
        return cast(
            "types.PendingUser",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/pendingUsers",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, pending_user_id: str) -> types.PendingUser:
        """Read a pendingUser.

        One pendingUser; its ETag says its version.

        Needs: pendingUser.read.
        """
        return cast(
            "types.PendingUser",
            await self._sender.send(Request("GET", f"/v1/pendingUser/{segment(pending_user_id)}")),
        )

    async def update(
        self,
        pending_user_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.PendingUser:
        """Change a pendingUser.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: .
        With If-Match, only if nobody was faster.

        Needs: pendingUser.update.
        """
        return cast(
            "types.PendingUser",
            await self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/pendingUser/{segment(pending_user_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    async def delete(self, pending_user_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a pendingUser.

        The pendingUser is gone at once; a job clears what hung on it. With If-Match, only if nobody changed
        it meanwhile.

        Needs: pendingUser.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request(
                    "DELETE", f"/v1/pendingUser/{segment(pending_user_id)}", headers={"If-Match": if_match}
                )
            ),
        )
