"""Operations on ``dashboard``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Dashboard:
    """Operations on ``dashboard``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def get_default(
        self, project_id: str, *, page: str | None = None, blueprint_id: str | None = None
    ) -> types.Dashboard:
        """Read the dashboard that a person sees first.

        The first that there is of: the caller's own (for this page, then for any), one for a role of his,
        one for the page, one for the blueprint, the project's default.

        Needs: dashboard.read.
        """
        return cast(
            "types.Dashboard",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/dashboards/default",
                    query={"page": page, "blueprintId": blueprint_id},
                )
            ),
        )

    def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
        scope: str | None = None,
        scope_id: str | None = None,
    ) -> types.DashboardPage:
        """List the dashboards of a project.

        A page of the project's dashboards, by id; by name if asked for a name.

        Needs: dashboard.list.
        """
        return cast(
            "types.DashboardPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/dashboards",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "tags": tags,
                        "scope": scope,
                        "scopeId": scope_id,
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
        scope: str | None = None,
        scope_id: str | None = None,
    ) -> Iterator[types.Dashboard]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id,
                per_page=per_page,
                total=total,
                name=name,
                tags=tags,
                scope=scope,
                scope_id=scope_id,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.DashboardCreate, *, idempotency_key: str | None = None
    ) -> types.Dashboard:
        """Create a dashboard.

        Creates a dashboard in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: dashboard.create.
        """
        return cast(
            "types.Dashboard",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/dashboards",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, dashboard_id: str) -> types.Dashboard:
        """Read a dashboard.

        One dashboard; its ETag says its version.

        Needs: dashboard.read.
        """
        return cast(
            "types.Dashboard", self._sender.send(Request("GET", f"/v1/dashboard/{segment(dashboard_id)}"))
        )

    def update(
        self,
        dashboard_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Dashboard:
        """Change a dashboard.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        layout, name, scopeId, tags. With If-Match, only if nobody was faster.

        Needs: dashboard.update.
        """
        return cast(
            "types.Dashboard",
            self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/dashboard/{segment(dashboard_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    def delete(self, dashboard_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a dashboard.

        The dashboard is gone at once; a job clears what hung on it. With If-Match, only if nobody changed
        it meanwhile.

        Needs: dashboard.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/dashboard/{segment(dashboard_id)}", headers={"If-Match": if_match})
            ),
        )


class AsyncDashboard:
    """Operations on ``dashboard``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def get_default(
        self, project_id: str, *, page: str | None = None, blueprint_id: str | None = None
    ) -> types.Dashboard:
        """Read the dashboard that a person sees first.

        The first that there is of: the caller's own (for this page, then for any), one for a role of his,
        one for the page, one for the blueprint, the project's default.

        Needs: dashboard.read.
        """
        return cast(
            "types.Dashboard",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/dashboards/default",
                    query={"page": page, "blueprintId": blueprint_id},
                )
            ),
        )

    async def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
        scope: str | None = None,
        scope_id: str | None = None,
    ) -> types.DashboardPage:
        """List the dashboards of a project.

        A page of the project's dashboards, by id; by name if asked for a name.

        Needs: dashboard.list.
        """
        return cast(
            "types.DashboardPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/dashboards",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "tags": tags,
                        "scope": scope,
                        "scopeId": scope_id,
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
        scope: str | None = None,
        scope_id: str | None = None,
    ) -> AsyncIterator[types.Dashboard]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id,
                per_page=per_page,
                total=total,
                name=name,
                tags=tags,
                scope=scope,
                scope_id=scope_id,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.DashboardCreate, *, idempotency_key: str | None = None
    ) -> types.Dashboard:
        """Create a dashboard.

        Creates a dashboard in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: dashboard.create.
        """
        return cast(
            "types.Dashboard",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/dashboards",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, dashboard_id: str) -> types.Dashboard:
        """Read a dashboard.

        One dashboard; its ETag says its version.

        Needs: dashboard.read.
        """
        return cast(
            "types.Dashboard",
            await self._sender.send(Request("GET", f"/v1/dashboard/{segment(dashboard_id)}")),
        )

    async def update(
        self,
        dashboard_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Dashboard:
        """Change a dashboard.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        layout, name, scopeId, tags. With If-Match, only if nobody was faster.

        Needs: dashboard.update.
        """
        return cast(
            "types.Dashboard",
            await self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/dashboard/{segment(dashboard_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    async def delete(self, dashboard_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a dashboard.

        The dashboard is gone at once; a job clears what hung on it. With If-Match, only if nobody changed
        it meanwhile.

        Needs: dashboard.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/dashboard/{segment(dashboard_id)}", headers={"If-Match": if_match})
            ),
        )
