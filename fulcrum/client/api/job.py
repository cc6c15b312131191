"""Operations on ``job``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Job:
    """Operations on ``job``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def get(self, job_id: str) -> types.Job:
        """Read a job.

        How far a job is. One that nothing has touched for a minute is started again.

        Needs: job.read.
        """
        return cast("types.Job", self._sender.send(Request("GET", f"/v1/job/{segment(job_id)}")))

    def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.JobPage:
        """List the jobs of a project.

        A page of the project's jobs, the latest first. Finished ones are kept for 30 days.

        Needs: job.list.
        """
        return cast(
            "types.JobPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/jobs",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    def list_all(
        self, project_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> Iterator[types.Job]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(project_id, per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return


class AsyncJob:
    """Operations on ``job``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def get(self, job_id: str) -> types.Job:
        """Read a job.

        How far a job is. One that nothing has touched for a minute is started again.

        Needs: job.read.
        """
        return cast("types.Job", await self._sender.send(Request("GET", f"/v1/job/{segment(job_id)}")))

    async def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.JobPage:
        """List the jobs of a project.

        A page of the project's jobs, the latest first. Finished ones are kept for 30 days.

        Needs: job.list.
        """
        return cast(
            "types.JobPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/jobs",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    async def list_all(
        self, project_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> AsyncIterator[types.Job]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(project_id, per_page=per_page, total=total, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return
