"""Operations on ``quarantine``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Quarantine:
    """Operations on ``quarantine``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        project_id: str,
        *,
        error_type: str | None = None,
        service: str | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.QuarantineEntryPage:
        """List what is in quarantine.

        A page of what could not be processed, the latest first. What names no project is in the project
        'none', for administrators of the platform.

        Needs: quarantine.list.
        """
        return cast(
            "types.QuarantineEntryPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/quarantine",
                    query={
                        "errorType": error_type,
                        "service": service,
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
        error_type: str | None = None,
        service: str | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> Iterator[types.QuarantineEntry]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id,
                error_type=error_type,
                service=service,
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

    def get(self, entry_id: str) -> types.QuarantineContent:
        """Show what is in quarantine.

        One entry with its original bytes: as text, or in base64 if they are no UTF-8. A mail holds links
        that let people in: only who may do everything in the project sees one.

        Needs: quarantine.read.
        """
        return cast(
            "types.QuarantineContent",
            self._sender.send(Request("GET", f"/v1/quarantine/{segment(entry_id)}")),
        )

    def delete(self, entry_id: str) -> types.Deleted:
        """Throw away what is in quarantine.

        Deletes an entry and its bytes for good.

        Needs: quarantine.delete.
        """
        return cast(
            "types.Deleted", self._sender.send(Request("DELETE", f"/v1/quarantine/{segment(entry_id)}"))
        )

    def redrive(self, entry_id: str, body: types.Redrive) -> types.QuarantineDone:
        """Send again what is in quarantine.

        Publishes the original bytes where they came from, then deletes the entry: at least once.

        Needs: quarantine.update.
        """
        return cast(
            "types.QuarantineDone",
            self._sender.send(Request("POST", f"/v1/quarantine/{segment(entry_id)}/redrive", body=body)),
        )

    def redrive_many(self, project_id: str, body: types.RedriveMany) -> types.QuarantineDone:
        """Send again much of what is in quarantine.

        Entries by their ids, or all that the filters leave, at most 500 at a time, the latest first. One
        that fails does not stop the others.

        Needs: quarantine.update.
        """
        return cast(
            "types.QuarantineDone",
            self._sender.send(
                Request("POST", f"/v1/project/{segment(project_id)}/quarantine/redrive", body=body)
            ),
        )

    def purge_many(self, project_id: str, body: types.QuarantineChoice) -> types.QuarantineDone:
        """Throw away much of what is in quarantine.

        Deletes entries by their ids, or all that the filters leave, at most 500 at a time.

        Needs: quarantine.delete.
        """
        return cast(
            "types.QuarantineDone",
            self._sender.send(
                Request("POST", f"/v1/project/{segment(project_id)}/quarantine/purge", body=body)
            ),
        )


class AsyncQuarantine:
    """Operations on ``quarantine``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str,
        *,
        error_type: str | None = None,
        service: str | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.QuarantineEntryPage:
        """List what is in quarantine.

        A page of what could not be processed, the latest first. What names no project is in the project
        'none', for administrators of the platform.

        Needs: quarantine.list.
        """
        return cast(
            "types.QuarantineEntryPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/quarantine",
                    query={
                        "errorType": error_type,
                        "service": service,
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
        error_type: str | None = None,
        service: str | None = None,
        since: int | None = None,
        until: int | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> AsyncIterator[types.QuarantineEntry]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id,
                error_type=error_type,
                service=service,
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

    async def get(self, entry_id: str) -> types.QuarantineContent:
        """Show what is in quarantine.

        One entry with its original bytes: as text, or in base64 if they are no UTF-8. A mail holds links
        that let people in: only who may do everything in the project sees one.

        Needs: quarantine.read.
        """
        return cast(
            "types.QuarantineContent",
            await self._sender.send(Request("GET", f"/v1/quarantine/{segment(entry_id)}")),
        )

    async def delete(self, entry_id: str) -> types.Deleted:
        """Throw away what is in quarantine.

        Deletes an entry and its bytes for good.

        Needs: quarantine.delete.
        """
        return cast(
            "types.Deleted", await self._sender.send(Request("DELETE", f"/v1/quarantine/{segment(entry_id)}"))
        )

    async def redrive(self, entry_id: str, body: types.Redrive) -> types.QuarantineDone:
        """Send again what is in quarantine.

        Publishes the original bytes where they came from, then deletes the entry: at least once.

        Needs: quarantine.update.
        """
        return cast(
            "types.QuarantineDone",
            await self._sender.send(
                Request("POST", f"/v1/quarantine/{segment(entry_id)}/redrive", body=body)
            ),
        )

    async def redrive_many(self, project_id: str, body: types.RedriveMany) -> types.QuarantineDone:
        """Send again much of what is in quarantine.

        Entries by their ids, or all that the filters leave, at most 500 at a time, the latest first. One
        that fails does not stop the others.

        Needs: quarantine.update.
        """
        return cast(
            "types.QuarantineDone",
            await self._sender.send(
                Request("POST", f"/v1/project/{segment(project_id)}/quarantine/redrive", body=body)
            ),
        )

    async def purge_many(self, project_id: str, body: types.QuarantineChoice) -> types.QuarantineDone:
        """Throw away much of what is in quarantine.

        Deletes entries by their ids, or all that the filters leave, at most 500 at a time.

        Needs: quarantine.delete.
        """
        return cast(
            "types.QuarantineDone",
            await self._sender.send(
                Request("POST", f"/v1/project/{segment(project_id)}/quarantine/purge", body=body)
            ),
        )
