"""Operations on ``message_route``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class MessageRoute:
    """Operations on ``message_route``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
    ) -> types.MessageRoutePage:
        """List the messageRoutes of a project.

        A page of the project's messageRoutes, by id; by name if asked for a name.

        Needs: messageRoute.list.
        """
        return cast(
            "types.MessageRoutePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/messageRoutes",
                    query={"perPage": per_page, "cursor": cursor, "total": total, "name": name, "tags": tags},
                )
            ),
        )

    def list_all(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
    ) -> Iterator[types.MessageRoute]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(project_id, per_page=per_page, total=total, name=name, tags=tags, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.MessageRouteCreate, *, idempotency_key: str | None = None
    ) -> types.MessageRoute:
        """Create a messageRoute.

        Creates a messageRoute in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: messageRoute.create.
        """
        return cast(
            "types.MessageRoute",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/messageRoutes",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, message_route_id: str) -> types.MessageRoute:
        """Read a messageRoute.

        One messageRoute; its ETag says its version.

        Needs: messageRoute.read.
        """
        return cast(
            "types.MessageRoute",
            self._sender.send(Request("GET", f"/v1/messageRoute/{segment(message_route_id)}")),
        )

    def update(
        self,
        message_route_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.MessageRoute:
        """Change a messageRoute.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        name, route, tags. With If-Match, only if nobody was faster.

        Needs: messageRoute.update.
        """
        return cast(
            "types.MessageRoute",
            self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/messageRoute/{segment(message_route_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    def delete(self, message_route_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a messageRoute.

        The messageRoute is gone at once; a job clears what hung on it. With If-Match, only if nobody
        changed it meanwhile.

        Needs: messageRoute.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request(
                    "DELETE", f"/v1/messageRoute/{segment(message_route_id)}", headers={"If-Match": if_match}
                )
            ),
        )


class AsyncMessageRoute:
    """Operations on ``message_route``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
    ) -> types.MessageRoutePage:
        """List the messageRoutes of a project.

        A page of the project's messageRoutes, by id; by name if asked for a name.

        Needs: messageRoute.list.
        """
        return cast(
            "types.MessageRoutePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/messageRoutes",
                    query={"perPage": per_page, "cursor": cursor, "total": total, "name": name, "tags": tags},
                )
            ),
        )

    async def list_all(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
    ) -> AsyncIterator[types.MessageRoute]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id, per_page=per_page, total=total, name=name, tags=tags, cursor=cursor
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.MessageRouteCreate, *, idempotency_key: str | None = None
    ) -> types.MessageRoute:
        """Create a messageRoute.

        Creates a messageRoute in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: messageRoute.create.
        """
        return cast(
            "types.MessageRoute",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/messageRoutes",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, message_route_id: str) -> types.MessageRoute:
        """Read a messageRoute.

        One messageRoute; its ETag says its version.

        Needs: messageRoute.read.
        """
        return cast(
            "types.MessageRoute",
            await self._sender.send(Request("GET", f"/v1/messageRoute/{segment(message_route_id)}")),
        )

    async def update(
        self,
        message_route_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.MessageRoute:
        """Change a messageRoute.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        name, route, tags. With If-Match, only if nobody was faster.

        Needs: messageRoute.update.
        """
        return cast(
            "types.MessageRoute",
            await self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/messageRoute/{segment(message_route_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    async def delete(self, message_route_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a messageRoute.

        The messageRoute is gone at once; a job clears what hung on it. With If-Match, only if nobody
        changed it meanwhile.

        Needs: messageRoute.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request(
                    "DELETE", f"/v1/messageRoute/{segment(message_route_id)}", headers={"If-Match": if_match}
                )
            ),
        )
