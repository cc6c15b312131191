"""Operations on ``view``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class View:
    """Operations on ``view``."""

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
        table: str | None = None,
        scope: str | None = None,
    ) -> types.ViewPage:
        """List the views of a project.

        A page of the project's views, by id; by name if asked for a name.

        Needs: view.list.
        """
        return cast(
            "types.ViewPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/views",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "tags": tags,
                        "table": table,
                        "scope": scope,
                    },
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
        table: str | None = None,
        scope: str | None = None,
    ) -> Iterator[types.View]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id,
                per_page=per_page,
                total=total,
                name=name,
                tags=tags,
                table=table,
                scope=scope,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.ViewCreate, *, idempotency_key: str | None = None
    ) -> types.View:
        """Create a view.

        Creates a view in the project. With an Idempotency-Key it is created once, however often the request
        is sent.

        Needs: view.create.
        """
        return cast(
            "types.View",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/views",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, view_id: str) -> types.View:
        """Read a view.

        One view; its ETag says its version.

        Needs: view.read.
        """
        return cast("types.View", self._sender.send(Request("GET", f"/v1/view/{segment(view_id)}")))

    def update(
        self,
        view_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.View:
        """Change a view.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        name, settings, table, tags. With If-Match, only if nobody was faster.

        Needs: view.update.
        """
        return cast(
            "types.View",
            self._sender.send(
                Request("PATCH", f"/v1/view/{segment(view_id)}", headers={"If-Match": if_match}, body=body)
            ),
        )

    def delete(self, view_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a view.

        The view is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: view.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/view/{segment(view_id)}", headers={"If-Match": if_match})
            ),
        )


class AsyncView:
    """Operations on ``view``."""

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
        table: str | None = None,
        scope: str | None = None,
    ) -> types.ViewPage:
        """List the views of a project.

        A page of the project's views, by id; by name if asked for a name.

        Needs: view.list.
        """
        return cast(
            "types.ViewPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/views",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "tags": tags,
                        "table": table,
                        "scope": scope,
                    },
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
        table: str | None = None,
        scope: str | None = None,
    ) -> AsyncIterator[types.View]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id,
                per_page=per_page,
                total=total,
                name=name,
                tags=tags,
                table=table,
                scope=scope,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.ViewCreate, *, idempotency_key: str | None = None
    ) -> types.View:
        """Create a view.

        Creates a view in the project. With an Idempotency-Key it is created once, however often the request
        is sent.

        Needs: view.create.
        """
        return cast(
            "types.View",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/views",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, view_id: str) -> types.View:
        """Read a view.

        One view; its ETag says its version.

        Needs: view.read.
        """
        return cast("types.View", await self._sender.send(Request("GET", f"/v1/view/{segment(view_id)}")))

    async def update(
        self,
        view_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.View:
        """Change a view.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        name, settings, table, tags. With If-Match, only if nobody was faster.

        Needs: view.update.
        """
        return cast(
            "types.View",
            await self._sender.send(
                Request("PATCH", f"/v1/view/{segment(view_id)}", headers={"If-Match": if_match}, body=body)
            ),
        )

    async def delete(self, view_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a view.

        The view is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: view.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/view/{segment(view_id)}", headers={"If-Match": if_match})
            ),
        )
