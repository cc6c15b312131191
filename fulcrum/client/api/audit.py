"""Operations on ``audit``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Audit:
    """Operations on ``audit``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        project_id: str,
        *,
        kind: str | None = None,
        resource_id: str | None = None,
        actor: str | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.AuditEntryPage:
        """List who changed what.

        A page of the project's audit, the latest first. Values of secrets are never in it; long values are
        cut.

        Needs: audit.list.
        """
        return cast(
            "types.AuditEntryPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/audit",
                    query={
                        "kind": kind,
                        "resourceId": resource_id,
                        "actor": actor,
                        "since": since,
                        "until": until,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                    },
                )
            ),
        )

    def list_all(
        self,
        project_id: str,
        *,
        kind: str | None = None,
        resource_id: str | None = None,
        actor: str | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> Iterator[types.AuditEntry]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id,
                kind=kind,
                resource_id=resource_id,
                actor=actor,
                since=since,
                until=until,
                per_page=per_page,
                total=total,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return


class AsyncAudit:
    """Operations on ``audit``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str,
        *,
        kind: str | None = None,
        resource_id: str | None = None,
        actor: str | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.AuditEntryPage:
        """List who changed what.

        A page of the project's audit, the latest first. Values of secrets are never in it; long values are
        cut.

        Needs: audit.list.
        """
        return cast(
            "types.AuditEntryPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/audit",
                    query={
                        "kind": kind,
                        "resourceId": resource_id,
                        "actor": actor,
                        "since": since,
                        "until": until,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                    },
                )
            ),
        )

    async def list_all(
        self,
        project_id: str,
        *,
        kind: str | None = None,
        resource_id: str | None = None,
        actor: str | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> AsyncIterator[types.AuditEntry]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id,
                kind=kind,
                resource_id=resource_id,
                actor=actor,
                since=since,
                until=until,
                per_page=per_page,
                total=total,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return
