"""Operations on ``outbox``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Outbox:
    """Operations on ``outbox``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        project_id: str,
        *,
        kind: Literal["email", "sms"] | None = None,
        state: Literal["kept", "sending", "waiting", "sent", "delivered", "undelivered", "failed", "limited"]
        | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.OutboxMessagePage:
        """List messages to people.

        A page of mail and text messages, the latest first, without what they say. They are kept for thirty
        days.

        Needs: outbox.list.
        """
        return cast(
            "types.OutboxMessagePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/outbox",
                    query={
                        "kind": kind,
                        "state": state,
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
        kind: Literal["email", "sms"] | None = None,
        state: Literal["kept", "sending", "waiting", "sent", "delivered", "undelivered", "failed", "limited"]
        | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> Iterator[types.OutboxMessage]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id,
                kind=kind,
                state=state,
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

    def get(self, message_id: str) -> types.OutboxContent:
        """Show a message to people.

        One mail or text message with what it says; not of one that is confidential, such as the mail with
        which somebody sets a new password. Of attachments their names, without their bytes.

        Needs: outbox.read.
        """
        return cast(
            "types.OutboxContent", self._sender.send(Request("GET", f"/v1/outbox/{segment(message_id)}"))
        )

    def list_limits(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.SendLimitPage:
        """List recipients that limits hold back.

        A page of those to whom nothing is sent under some key just now, the longest first.

        Needs: outbox.list.
        """
        return cast(
            "types.SendLimitPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/outbox/limits",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    def list_limits_all(
        self, project_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> Iterator[types.SendLimit]:
        """All pages of :meth:`list_limits`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list_limits(project_id, per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def lift_limit(self, limit_id: str) -> types.Deleted:
        """Lift a limit.

        Messages go to the recipient again, counted anew. What was held back stays so.

        Needs: outbox.update.
        """
        return cast(
            "types.Deleted", self._sender.send(Request("DELETE", f"/v1/outbox/limits/{segment(limit_id)}"))
        )


class AsyncOutbox:
    """Operations on ``outbox``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str,
        *,
        kind: Literal["email", "sms"] | None = None,
        state: Literal["kept", "sending", "waiting", "sent", "delivered", "undelivered", "failed", "limited"]
        | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.OutboxMessagePage:
        """List messages to people.

        A page of mail and text messages, the latest first, without what they say. They are kept for thirty
        days.

        Needs: outbox.list.
        """
        return cast(
            "types.OutboxMessagePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/outbox",
                    query={
                        "kind": kind,
                        "state": state,
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
        kind: Literal["email", "sms"] | None = None,
        state: Literal["kept", "sending", "waiting", "sent", "delivered", "undelivered", "failed", "limited"]
        | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> AsyncIterator[types.OutboxMessage]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id,
                kind=kind,
                state=state,
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

    async def get(self, message_id: str) -> types.OutboxContent:
        """Show a message to people.

        One mail or text message with what it says; not of one that is confidential, such as the mail with
        which somebody sets a new password. Of attachments their names, without their bytes.

        Needs: outbox.read.
        """
        return cast(
            "types.OutboxContent",
            await self._sender.send(Request("GET", f"/v1/outbox/{segment(message_id)}")),
        )

    async def list_limits(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.SendLimitPage:
        """List recipients that limits hold back.

        A page of those to whom nothing is sent under some key just now, the longest first.

        Needs: outbox.list.
        """
        return cast(
            "types.SendLimitPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/outbox/limits",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    async def list_limits_all(
        self, project_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> AsyncIterator[types.SendLimit]:
        """All pages of :meth:`list_limits`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list_limits(project_id, per_page=per_page, total=total, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def lift_limit(self, limit_id: str) -> types.Deleted:
        """Lift a limit.

        Messages go to the recipient again, counted anew. What was held back stays so.

        Needs: outbox.update.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(Request("DELETE", f"/v1/outbox/limits/{segment(limit_id)}")),
        )
