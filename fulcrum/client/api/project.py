"""Operations on ``project``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Literal, cast

import httpx

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Project:
    """Operations on ``project``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def user_list(
        self, project_id: str, *, per_page: int | None = None, cursor: str | None = None
    ) -> types.HolderPage:
        """List the users on a project.

        A page of the users who have roles on the project itself, and which; those whose roles come from
        above are not among them.

        Needs: user.list.
        """
        return cast(
            "types.HolderPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/users",
                    query={"perPage": per_page, "cursor": cursor},
                )
            ),
        )

    def user_list_all(self, project_id: str, *, per_page: int | None = None) -> Iterator[types.Holder]:
        """All pages of :meth:`user_list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.user_list(project_id, per_page=per_page, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def user_create(
        self, project_id: str, body: types.HolderCreate, *, idempotency_key: str | None = None
    ) -> types.Holder:
        """Create a user on a project.

        Makes an account of the project and gives it roles on the project. Needs user.create and
        user.assignRoles there, and every permission of those roles. Sent again with the same Idempotency-
        Key, it is made once, and what was not done yet is done.

        Needs: user.create.
        """
        return cast(
            "types.Holder",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/users",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def user_get(self, project_id: str, user_id: str) -> types.Holder:
        """Read a user on a project.

        Which roles a user has on the project itself.

        Needs: user.read.
        """
        return cast(
            "types.Holder",
            self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}/users/{segment(user_id)}")),
        )

    def user_add(self, project_id: str, user_id: str, body: types.HolderAdd) -> types.Holder:
        """Add a user to a project.

        Gives a user of the project roles on the project, beside those that he has there. Needs
        user.assignRoles there, and every permission of those roles.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            self._sender.send(
                Request("PUT", f"/v1/project/{segment(project_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    def user_update(self, project_id: str, user_id: str, body: types.HolderUpdate) -> types.Holder:
        """Change a user's roles on a project.

        The user has exactly the roles that are named on the project from now on.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            self._sender.send(
                Request("PATCH", f"/v1/project/{segment(project_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    def user_remove(self, project_id: str, user_id: str) -> types.Deleted:
        """Remove a user from a project.

        Takes back all roles that the user has on the project itself. The user stays, and so do roles that
        he has elsewhere.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/project/{segment(project_id)}/users/{segment(user_id)}")
            ),
        )

    def list(
        self, *, per_page: int | None = None, cursor: str | None = None, total: bool | None = None
    ) -> types.ProjectPage:
        """List the projects that the caller is in.

        A page of them, by id; all projects of the server for its administrators.

        Needs: signedIn.
        """
        return cast(
            "types.ProjectPage",
            self._sender.send(
                Request("GET", "/v1/project", query={"perPage": per_page, "cursor": cursor, "total": total})
            ),
        )

    def list_all(self, *, per_page: int | None = None, total: bool | None = None) -> Iterator[types.Project]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(self, body: types.ProjectCreate, *, idempotency_key: str | None = None) -> types.Project:
        """Create a project.

        For users of the platform. The project has its standard roles, and who creates it administers it. An
        id is never given twice, not even after its project was deleted.

        Needs: signedIn.
        """
        return cast(
            "types.Project",
            self._sender.send(
                Request(
                    "POST", "/v1/project", headers={"Idempotency-Key": idempotency_key}, body=body, once=True
                )
            ),
        )

    def get(self, project_id: str) -> types.Project:
        """Read a project.

        One project; its ETag says its version.

        Needs: project.read.
        """
        return cast("types.Project", self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}")))

    def update(
        self,
        project_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Project:
        """Change a project.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        jwtTokenExpiration, metadata, name, retention. With If-Match, only if nobody was faster.

        Needs: project.update.
        """
        return cast(
            "types.Project",
            self._sender.send(
                Request(
                    "PATCH", f"/v1/project/{segment(project_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    def delete(self, project_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a project.

        The project is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: project.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/project/{segment(project_id)}", headers={"If-Match": if_match})
            ),
        )

    def verify(self, project_id: str) -> types.Verified:
        """Check a project.

        Whether all that its definitions refer to is there, what the event path works from fits them, and
        unique names lead to who has them. Reads each definition; at most 1000 of a kind. While the job of a
        deletion runs, what it has not come to yet is a problem.

        Needs: project.read.
        """
        return cast(
            "types.Verified", self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}/verify"))
        )

    def history_list(
        self,
        project_id: str,
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> dict[str, Any]:
        """Query the project's history.

        Rows of the project's history that the caller may read, from start on, before end: whole rows, or
        the paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/history",
                    query={
                        "start": start,
                        "end": end,
                        "paths": paths,
                        "attributes": attributes,
                        "where": where,
                        "group": group,
                        "order": order,
                        "startIndex": start_index,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "maxBytes": max_bytes,
                        "dryRun": dry_run,
                        "format": format,
                    },
                )
            ),
        )

    def history_list_stream(
        self,
        project_id: str,
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "GET",
                f"/v1/project/{segment(project_id)}/history",
                query={
                    "start": start,
                    "end": end,
                    "paths": paths,
                    "attributes": attributes,
                    "where": where,
                    "group": group,
                    "order": order,
                    "startIndex": start_index,
                    "perPage": per_page,
                    "cursor": cursor,
                    "total": total,
                    "maxBytes": max_bytes,
                    "dryRun": dry_run,
                    "format": format,
                },
                accept=accept,
            )
        )

    def history_search(
        self,
        project_id: str,
        body: dict[str, Any],
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> dict[str, Any]:
        """Query the project's history.

        Rows of the project's history that the caller may read, from start on, before end: whole rows, or
        the paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/history",
                    query={
                        "start": start,
                        "end": end,
                        "paths": paths,
                        "attributes": attributes,
                        "where": where,
                        "group": group,
                        "order": order,
                        "startIndex": start_index,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "maxBytes": max_bytes,
                        "dryRun": dry_run,
                        "format": format,
                    },
                    body=body,
                )
            ),
        )

    def history_search_stream(
        self,
        project_id: str,
        body: dict[str, Any],
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "POST",
                f"/v1/project/{segment(project_id)}/history",
                query={
                    "start": start,
                    "end": end,
                    "paths": paths,
                    "attributes": attributes,
                    "where": where,
                    "group": group,
                    "order": order,
                    "startIndex": start_index,
                    "perPage": per_page,
                    "cursor": cursor,
                    "total": total,
                    "maxBytes": max_bytes,
                    "dryRun": dry_run,
                    "format": format,
                },
                body=body,
                accept=accept,
            )
        )

    def events_list(
        self,
        project_id: str,
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> dict[str, Any]:
        """Query the project's event records.

        Rows of the project's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/events",
                    query={
                        "start": start,
                        "end": end,
                        "paths": paths,
                        "attributes": attributes,
                        "where": where,
                        "group": group,
                        "order": order,
                        "startIndex": start_index,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "maxBytes": max_bytes,
                        "dryRun": dry_run,
                        "format": format,
                    },
                )
            ),
        )

    def events_list_stream(
        self,
        project_id: str,
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "GET",
                f"/v1/project/{segment(project_id)}/events",
                query={
                    "start": start,
                    "end": end,
                    "paths": paths,
                    "attributes": attributes,
                    "where": where,
                    "group": group,
                    "order": order,
                    "startIndex": start_index,
                    "perPage": per_page,
                    "cursor": cursor,
                    "total": total,
                    "maxBytes": max_bytes,
                    "dryRun": dry_run,
                    "format": format,
                },
                accept=accept,
            )
        )

    def events_search(
        self,
        project_id: str,
        body: dict[str, Any],
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> dict[str, Any]:
        """Query the project's event records.

        Rows of the project's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/events.search",
                    query={
                        "start": start,
                        "end": end,
                        "paths": paths,
                        "attributes": attributes,
                        "where": where,
                        "group": group,
                        "order": order,
                        "startIndex": start_index,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "maxBytes": max_bytes,
                        "dryRun": dry_run,
                        "format": format,
                    },
                    body=body,
                )
            ),
        )

    def events_search_stream(
        self,
        project_id: str,
        body: dict[str, Any],
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "POST",
                f"/v1/project/{segment(project_id)}/events.search",
                query={
                    "start": start,
                    "end": end,
                    "paths": paths,
                    "attributes": attributes,
                    "where": where,
                    "group": group,
                    "order": order,
                    "startIndex": start_index,
                    "perPage": per_page,
                    "cursor": cursor,
                    "total": total,
                    "maxBytes": max_bytes,
                    "dryRun": dry_run,
                    "format": format,
                },
                body=body,
                accept=accept,
            )
        )

    def trace_get(
        self, project_id: str, event_id: str, *, device_id: str | None = None, since: str | None = None
    ) -> types.Traces:
        """Follow an event.

        The way of an event through all services, from its reception to the last effect that is known, with
        times. An id is one event's for each device and content: all of them are told. Where the log has
        nothing of it any more, or cannot be read, the way has what was stored.

        Needs: device.readHistory.
        """
        return cast(
            "types.Traces",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/trace/{segment(event_id)}",
                    query={"deviceId": device_id, "since": since},
                )
            ),
        )


class AsyncProject:
    """Operations on ``project``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def user_list(
        self, project_id: str, *, per_page: int | None = None, cursor: str | None = None
    ) -> types.HolderPage:
        """List the users on a project.

        A page of the users who have roles on the project itself, and which; those whose roles come from
        above are not among them.

        Needs: user.list.
        """
        return cast(
            "types.HolderPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/users",
                    query={"perPage": per_page, "cursor": cursor},
                )
            ),
        )

    async def user_list_all(
        self, project_id: str, *, per_page: int | None = None
    ) -> AsyncIterator[types.Holder]:
        """All pages of :meth:`user_list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.user_list(project_id, per_page=per_page, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def user_create(
        self, project_id: str, body: types.HolderCreate, *, idempotency_key: str | None = None
    ) -> types.Holder:
        """Create a user on a project.

        Makes an account of the project and gives it roles on the project. Needs user.create and
        user.assignRoles there, and every permission of those roles. Sent again with the same Idempotency-
        Key, it is made once, and what was not done yet is done.

        Needs: user.create.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/users",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def user_get(self, project_id: str, user_id: str) -> types.Holder:
        """Read a user on a project.

        Which roles a user has on the project itself.

        Needs: user.read.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request("GET", f"/v1/project/{segment(project_id)}/users/{segment(user_id)}")
            ),
        )

    async def user_add(self, project_id: str, user_id: str, body: types.HolderAdd) -> types.Holder:
        """Add a user to a project.

        Gives a user of the project roles on the project, beside those that he has there. Needs
        user.assignRoles there, and every permission of those roles.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request("PUT", f"/v1/project/{segment(project_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    async def user_update(self, project_id: str, user_id: str, body: types.HolderUpdate) -> types.Holder:
        """Change a user's roles on a project.

        The user has exactly the roles that are named on the project from now on.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request("PATCH", f"/v1/project/{segment(project_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    async def user_remove(self, project_id: str, user_id: str) -> types.Deleted:
        """Remove a user from a project.

        Takes back all roles that the user has on the project itself. The user stays, and so do roles that
        he has elsewhere.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/project/{segment(project_id)}/users/{segment(user_id)}")
            ),
        )

    async def list(
        self, *, per_page: int | None = None, cursor: str | None = None, total: bool | None = None
    ) -> types.ProjectPage:
        """List the projects that the caller is in.

        A page of them, by id; all projects of the server for its administrators.

        Needs: signedIn.
        """
        return cast(
            "types.ProjectPage",
            await self._sender.send(
                Request("GET", "/v1/project", query={"perPage": per_page, "cursor": cursor, "total": total})
            ),
        )

    async def list_all(
        self, *, per_page: int | None = None, total: bool | None = None
    ) -> AsyncIterator[types.Project]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(per_page=per_page, total=total, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(self, body: types.ProjectCreate, *, idempotency_key: str | None = None) -> types.Project:
        """Create a project.

        For users of the platform. The project has its standard roles, and who creates it administers it. An
        id is never given twice, not even after its project was deleted.

        Needs: signedIn.
        """
        return cast(
            "types.Project",
            await self._sender.send(
                Request(
                    "POST", "/v1/project", headers={"Idempotency-Key": idempotency_key}, body=body, once=True
                )
            ),
        )

    async def get(self, project_id: str) -> types.Project:
        """Read a project.

        One project; its ETag says its version.

        Needs: project.read.
        """
        return cast(
            "types.Project", await self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}"))
        )

    async def update(
        self,
        project_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Project:
        """Change a project.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        jwtTokenExpiration, metadata, name, retention. With If-Match, only if nobody was faster.

        Needs: project.update.
        """
        return cast(
            "types.Project",
            await self._sender.send(
                Request(
                    "PATCH", f"/v1/project/{segment(project_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    async def delete(self, project_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a project.

        The project is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: project.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/project/{segment(project_id)}", headers={"If-Match": if_match})
            ),
        )

    async def verify(self, project_id: str) -> types.Verified:
        """Check a project.

        Whether all that its definitions refer to is there, what the event path works from fits them, and
        unique names lead to who has them. Reads each definition; at most 1000 of a kind. While the job of a
        deletion runs, what it has not come to yet is a problem.

        Needs: project.read.
        """
        return cast(
            "types.Verified",
            await self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}/verify")),
        )

    async def history_list(
        self,
        project_id: str,
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> dict[str, Any]:
        """Query the project's history.

        Rows of the project's history that the caller may read, from start on, before end: whole rows, or
        the paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/history",
                    query={
                        "start": start,
                        "end": end,
                        "paths": paths,
                        "attributes": attributes,
                        "where": where,
                        "group": group,
                        "order": order,
                        "startIndex": start_index,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "maxBytes": max_bytes,
                        "dryRun": dry_run,
                        "format": format,
                    },
                )
            ),
        )

    def history_list_stream(
        self,
        project_id: str,
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "GET",
                f"/v1/project/{segment(project_id)}/history",
                query={
                    "start": start,
                    "end": end,
                    "paths": paths,
                    "attributes": attributes,
                    "where": where,
                    "group": group,
                    "order": order,
                    "startIndex": start_index,
                    "perPage": per_page,
                    "cursor": cursor,
                    "total": total,
                    "maxBytes": max_bytes,
                    "dryRun": dry_run,
                    "format": format,
                },
                accept=accept,
            )
        )

    async def history_search(
        self,
        project_id: str,
        body: dict[str, Any],
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> dict[str, Any]:
        """Query the project's history.

        Rows of the project's history that the caller may read, from start on, before end: whole rows, or
        the paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/history",
                    query={
                        "start": start,
                        "end": end,
                        "paths": paths,
                        "attributes": attributes,
                        "where": where,
                        "group": group,
                        "order": order,
                        "startIndex": start_index,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "maxBytes": max_bytes,
                        "dryRun": dry_run,
                        "format": format,
                    },
                    body=body,
                )
            ),
        )

    def history_search_stream(
        self,
        project_id: str,
        body: dict[str, Any],
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "POST",
                f"/v1/project/{segment(project_id)}/history",
                query={
                    "start": start,
                    "end": end,
                    "paths": paths,
                    "attributes": attributes,
                    "where": where,
                    "group": group,
                    "order": order,
                    "startIndex": start_index,
                    "perPage": per_page,
                    "cursor": cursor,
                    "total": total,
                    "maxBytes": max_bytes,
                    "dryRun": dry_run,
                    "format": format,
                },
                body=body,
                accept=accept,
            )
        )

    async def events_list(
        self,
        project_id: str,
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> dict[str, Any]:
        """Query the project's event records.

        Rows of the project's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/events",
                    query={
                        "start": start,
                        "end": end,
                        "paths": paths,
                        "attributes": attributes,
                        "where": where,
                        "group": group,
                        "order": order,
                        "startIndex": start_index,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "maxBytes": max_bytes,
                        "dryRun": dry_run,
                        "format": format,
                    },
                )
            ),
        )

    def events_list_stream(
        self,
        project_id: str,
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "GET",
                f"/v1/project/{segment(project_id)}/events",
                query={
                    "start": start,
                    "end": end,
                    "paths": paths,
                    "attributes": attributes,
                    "where": where,
                    "group": group,
                    "order": order,
                    "startIndex": start_index,
                    "perPage": per_page,
                    "cursor": cursor,
                    "total": total,
                    "maxBytes": max_bytes,
                    "dryRun": dry_run,
                    "format": format,
                },
                accept=accept,
            )
        )

    async def events_search(
        self,
        project_id: str,
        body: dict[str, Any],
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> dict[str, Any]:
        """Query the project's event records.

        Rows of the project's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/events.search",
                    query={
                        "start": start,
                        "end": end,
                        "paths": paths,
                        "attributes": attributes,
                        "where": where,
                        "group": group,
                        "order": order,
                        "startIndex": start_index,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "maxBytes": max_bytes,
                        "dryRun": dry_run,
                        "format": format,
                    },
                    body=body,
                )
            ),
        )

    def events_search_stream(
        self,
        project_id: str,
        body: dict[str, Any],
        *,
        start: str | None = None,
        end: str | None = None,
        paths: str | None = None,
        attributes: str | None = None,
        where: str | None = None,
        group: str | None = None,
        order: str | None = None,
        start_index: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        max_bytes: int | None = None,
        dry_run: bool | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "POST",
                f"/v1/project/{segment(project_id)}/events.search",
                query={
                    "start": start,
                    "end": end,
                    "paths": paths,
                    "attributes": attributes,
                    "where": where,
                    "group": group,
                    "order": order,
                    "startIndex": start_index,
                    "perPage": per_page,
                    "cursor": cursor,
                    "total": total,
                    "maxBytes": max_bytes,
                    "dryRun": dry_run,
                    "format": format,
                },
                body=body,
                accept=accept,
            )
        )

    async def trace_get(
        self, project_id: str, event_id: str, *, device_id: str | None = None, since: str | None = None
    ) -> types.Traces:
        """Follow an event.

        The way of an event through all services, from its reception to the last effect that is known, with
        times. An id is one event's for each device and content: all of them are told. Where the log has
        nothing of it any more, or cannot be read, the way has what was stored.

        Needs: device.readHistory.
        """
        return cast(
            "types.Traces",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/trace/{segment(event_id)}",
                    query={"deviceId": device_id, "since": since},
                )
            ),
        )
