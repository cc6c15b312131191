"""Operations on ``system``.

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


class System:
    """Operations on ``system``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def devices_list(
        self,
        system_id: str,
        *,
        blueprint_id: str | None = None,
        parent_device_id: str | None = None,
        tag: str | None = None,
        name: str | None = None,
        sort: Literal["id", "name", "-name"] | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        refs: bool | None = None,
        at: str | None = None,
    ) -> types.DevicePage:
        """List the devices of a system.

        A page of the devices that you may read. Every filter and sort is answered by an index, so that a
        page costs the same however many devices there are.

        Needs: device.list.
        """
        return cast(
            "types.DevicePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/system/{segment(system_id)}/devices",
                    query={
                        "blueprintId": blueprint_id,
                        "parentDeviceId": parent_device_id,
                        "tag": tag,
                        "name": name,
                        "sort": sort,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "refs": refs,
                        "at": at,
                    },
                )
            ),
        )

    def devices_list_all(
        self,
        system_id: str,
        *,
        blueprint_id: str | None = None,
        parent_device_id: str | None = None,
        tag: str | None = None,
        name: str | None = None,
        sort: Literal["id", "name", "-name"] | None = None,
        per_page: int | None = None,
        total: bool | None = None,
        refs: bool | None = None,
        at: str | None = None,
    ) -> Iterator[types.Device]:
        """All pages of :meth:`devices_list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.devices_list(
                system_id,
                blueprint_id=blueprint_id,
                parent_device_id=parent_device_id,
                tag=tag,
                name=name,
                sort=sort,
                per_page=per_page,
                total=total,
                refs=refs,
                at=at,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def user_list(
        self, system_id: str, *, per_page: int | None = None, cursor: str | None = None
    ) -> types.HolderPage:
        """List the users on a system.

        A page of the users who have roles on the system itself, and which; those whose roles come from
        above are not among them.

        Needs: user.list.
        """
        return cast(
            "types.HolderPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/system/{segment(system_id)}/users",
                    query={"perPage": per_page, "cursor": cursor},
                )
            ),
        )

    def user_list_all(self, system_id: str, *, per_page: int | None = None) -> Iterator[types.Holder]:
        """All pages of :meth:`user_list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.user_list(system_id, per_page=per_page, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def user_create(
        self, system_id: str, body: types.HolderCreate, *, idempotency_key: str | None = None
    ) -> types.Holder:
        """Create a user on a system.

        Makes an account of the project and gives it roles on the system. Needs user.create and
        user.assignRoles there, and every permission of those roles. Sent again with the same Idempotency-
        Key, it is made once, and what was not done yet is done.

        Needs: user.create.
        """
        return cast(
            "types.Holder",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/system/{segment(system_id)}/users",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def user_get(self, system_id: str, user_id: str) -> types.Holder:
        """Read a user on a system.

        Which roles a user has on the system itself.

        Needs: user.read.
        """
        return cast(
            "types.Holder",
            self._sender.send(Request("GET", f"/v1/system/{segment(system_id)}/users/{segment(user_id)}")),
        )

    def user_add(self, system_id: str, user_id: str, body: types.HolderAdd) -> types.Holder:
        """Add a user to a system.

        Gives a user of the project roles on the system, beside those that he has there. Needs
        user.assignRoles there, and every permission of those roles.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            self._sender.send(
                Request("PUT", f"/v1/system/{segment(system_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    def user_update(self, system_id: str, user_id: str, body: types.HolderUpdate) -> types.Holder:
        """Change a user's roles on a system.

        The user has exactly the roles that are named on the system from now on.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            self._sender.send(
                Request("PATCH", f"/v1/system/{segment(system_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    def user_remove(self, system_id: str, user_id: str) -> types.Deleted:
        """Remove a user from a system.

        Takes back all roles that the user has on the system itself. The user stays, and so do roles that he
        has elsewhere.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Deleted",
            self._sender.send(Request("DELETE", f"/v1/system/{segment(system_id)}/users/{segment(user_id)}")),
        )

    def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        alias: str | None = None,
        tags: str | None = None,
    ) -> types.SystemPage:
        """List the systems of a project.

        A page of the project's systems, by id; by name if asked for a name.

        Needs: system.list.
        """
        return cast(
            "types.SystemPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/systems",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "alias": alias,
                        "tags": tags,
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
        alias: str | None = None,
        tags: str | None = None,
    ) -> Iterator[types.System]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id, per_page=per_page, total=total, name=name, alias=alias, tags=tags, cursor=cursor
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.SystemCreate, *, idempotency_key: str | None = None
    ) -> types.System:
        """Create a system.

        Creates a system in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: system.create.
        """
        return cast(
            "types.System",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/systems",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, system_id: str) -> types.System:
        """Read a system.

        One system; its ETag says its version.

        Needs: system.read.
        """
        return cast("types.System", self._sender.send(Request("GET", f"/v1/system/{segment(system_id)}")))

    def update(
        self,
        system_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.System:
        """Change a system.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        alias, contacts, desc, metadata, name, tags. With If-Match, only if nobody was faster.

        Needs: system.update.
        """
        return cast(
            "types.System",
            self._sender.send(
                Request(
                    "PATCH", f"/v1/system/{segment(system_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    def delete(self, system_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a system.

        The system is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: system.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/system/{segment(system_id)}", headers={"If-Match": if_match})
            ),
        )

    def contacts_list(self, system_id: str) -> types.ContactPage:
        """List whom to ask about a system.

        All its contacts, at most 100. They are changed with the system, by the path 'contacts'.

        Needs: system.read.
        """
        return cast(
            "types.ContactPage",
            self._sender.send(Request("GET", f"/v1/system/{segment(system_id)}/contacts")),
        )

    def verify(self, system_id: str) -> types.Verified:
        """Check a system.

        Whether its alias leads to it.

        Needs: system.read.
        """
        return cast(
            "types.Verified", self._sender.send(Request("GET", f"/v1/system/{segment(system_id)}/verify"))
        )

    def history_list(
        self,
        system_id: str,
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
        """Query the system's history.

        Rows of the system's history that the caller may read, from start on, before end: whole rows, or the
        paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/system/{segment(system_id)}/history",
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
        system_id: str,
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
                f"/v1/system/{segment(system_id)}/history",
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
        system_id: str,
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
        """Query the system's history.

        Rows of the system's history that the caller may read, from start on, before end: whole rows, or the
        paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/system/{segment(system_id)}/history",
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
        system_id: str,
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
                f"/v1/system/{segment(system_id)}/history",
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
        system_id: str,
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
        """Query the system's event records.

        Rows of the system's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/system/{segment(system_id)}/events",
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
        system_id: str,
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
                f"/v1/system/{segment(system_id)}/events",
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
        system_id: str,
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
        """Query the system's event records.

        Rows of the system's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/system/{segment(system_id)}/events.search",
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
        system_id: str,
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
                f"/v1/system/{segment(system_id)}/events.search",
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

    def devices_search(
        self,
        system_id: str,
        *,
        body: dict[str, Any] | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> types.SearchPage:
        """Search the devices of a system.

        Devices that match a filter, of those that you may read, in an order, by pages; with aggregations
        over all that match. Filters: equals, enum, comparison (<, <=, >, >=, between), exists, notExists,
        not, logical (and, or), parent, startsWith, endsWith, contains, geo, text. Fields: id, name,
        blueprintId, systemId, tags, metadata/<key>, ... or data/<path>. With `at` (epoch ms or ISO 8601)
        the answer is of the fleet as it was then. A page costs at most perPage reads; `source` says which
        store found it.

        Needs: device.read.
        """
        return cast(
            "types.SearchPage",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/system/{segment(system_id)}/devices.search",
                    query={"format": format},
                    body=body,
                )
            ),
        )

    def devices_search_stream(
        self,
        system_id: str,
        *,
        body: dict[str, Any] | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "POST",
                f"/v1/system/{segment(system_id)}/devices.search",
                query={"format": format},
                body=body,
                accept=accept,
            )
        )


class AsyncSystem:
    """Operations on ``system``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def devices_list(
        self,
        system_id: str,
        *,
        blueprint_id: str | None = None,
        parent_device_id: str | None = None,
        tag: str | None = None,
        name: str | None = None,
        sort: Literal["id", "name", "-name"] | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        refs: bool | None = None,
        at: str | None = None,
    ) -> types.DevicePage:
        """List the devices of a system.

        A page of the devices that you may read. Every filter and sort is answered by an index, so that a
        page costs the same however many devices there are.

        Needs: device.list.
        """
        return cast(
            "types.DevicePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/system/{segment(system_id)}/devices",
                    query={
                        "blueprintId": blueprint_id,
                        "parentDeviceId": parent_device_id,
                        "tag": tag,
                        "name": name,
                        "sort": sort,
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "refs": refs,
                        "at": at,
                    },
                )
            ),
        )

    async def devices_list_all(
        self,
        system_id: str,
        *,
        blueprint_id: str | None = None,
        parent_device_id: str | None = None,
        tag: str | None = None,
        name: str | None = None,
        sort: Literal["id", "name", "-name"] | None = None,
        per_page: int | None = None,
        total: bool | None = None,
        refs: bool | None = None,
        at: str | None = None,
    ) -> AsyncIterator[types.Device]:
        """All pages of :meth:`devices_list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.devices_list(
                system_id,
                blueprint_id=blueprint_id,
                parent_device_id=parent_device_id,
                tag=tag,
                name=name,
                sort=sort,
                per_page=per_page,
                total=total,
                refs=refs,
                at=at,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def user_list(
        self, system_id: str, *, per_page: int | None = None, cursor: str | None = None
    ) -> types.HolderPage:
        """List the users on a system.

        A page of the users who have roles on the system itself, and which; those whose roles come from
        above are not among them.

        Needs: user.list.
        """
        return cast(
            "types.HolderPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/system/{segment(system_id)}/users",
                    query={"perPage": per_page, "cursor": cursor},
                )
            ),
        )

    async def user_list_all(
        self, system_id: str, *, per_page: int | None = None
    ) -> AsyncIterator[types.Holder]:
        """All pages of :meth:`user_list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.user_list(system_id, per_page=per_page, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def user_create(
        self, system_id: str, body: types.HolderCreate, *, idempotency_key: str | None = None
    ) -> types.Holder:
        """Create a user on a system.

        Makes an account of the project and gives it roles on the system. Needs user.create and
        user.assignRoles there, and every permission of those roles. Sent again with the same Idempotency-
        Key, it is made once, and what was not done yet is done.

        Needs: user.create.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/system/{segment(system_id)}/users",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def user_get(self, system_id: str, user_id: str) -> types.Holder:
        """Read a user on a system.

        Which roles a user has on the system itself.

        Needs: user.read.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request("GET", f"/v1/system/{segment(system_id)}/users/{segment(user_id)}")
            ),
        )

    async def user_add(self, system_id: str, user_id: str, body: types.HolderAdd) -> types.Holder:
        """Add a user to a system.

        Gives a user of the project roles on the system, beside those that he has there. Needs
        user.assignRoles there, and every permission of those roles.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request("PUT", f"/v1/system/{segment(system_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    async def user_update(self, system_id: str, user_id: str, body: types.HolderUpdate) -> types.Holder:
        """Change a user's roles on a system.

        The user has exactly the roles that are named on the system from now on.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request("PATCH", f"/v1/system/{segment(system_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    async def user_remove(self, system_id: str, user_id: str) -> types.Deleted:
        """Remove a user from a system.

        Takes back all roles that the user has on the system itself. The user stays, and so do roles that he
        has elsewhere.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/system/{segment(system_id)}/users/{segment(user_id)}")
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
        alias: str | None = None,
        tags: str | None = None,
    ) -> types.SystemPage:
        """List the systems of a project.

        A page of the project's systems, by id; by name if asked for a name.

        Needs: system.list.
        """
        return cast(
            "types.SystemPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/systems",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "alias": alias,
                        "tags": tags,
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
        alias: str | None = None,
        tags: str | None = None,
    ) -> AsyncIterator[types.System]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id, per_page=per_page, total=total, name=name, alias=alias, tags=tags, cursor=cursor
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.SystemCreate, *, idempotency_key: str | None = None
    ) -> types.System:
        """Create a system.

        Creates a system in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: system.create.
        """
        return cast(
            "types.System",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/systems",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, system_id: str) -> types.System:
        """Read a system.

        One system; its ETag says its version.

        Needs: system.read.
        """
        return cast(
            "types.System", await self._sender.send(Request("GET", f"/v1/system/{segment(system_id)}"))
        )

    async def update(
        self,
        system_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.System:
        """Change a system.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        alias, contacts, desc, metadata, name, tags. With If-Match, only if nobody was faster.

        Needs: system.update.
        """
        return cast(
            "types.System",
            await self._sender.send(
                Request(
                    "PATCH", f"/v1/system/{segment(system_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    async def delete(self, system_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a system.

        The system is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: system.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/system/{segment(system_id)}", headers={"If-Match": if_match})
            ),
        )

    async def contacts_list(self, system_id: str) -> types.ContactPage:
        """List whom to ask about a system.

        All its contacts, at most 100. They are changed with the system, by the path 'contacts'.

        Needs: system.read.
        """
        return cast(
            "types.ContactPage",
            await self._sender.send(Request("GET", f"/v1/system/{segment(system_id)}/contacts")),
        )

    async def verify(self, system_id: str) -> types.Verified:
        """Check a system.

        Whether its alias leads to it.

        Needs: system.read.
        """
        return cast(
            "types.Verified",
            await self._sender.send(Request("GET", f"/v1/system/{segment(system_id)}/verify")),
        )

    async def history_list(
        self,
        system_id: str,
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
        """Query the system's history.

        Rows of the system's history that the caller may read, from start on, before end: whole rows, or the
        paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/system/{segment(system_id)}/history",
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
        system_id: str,
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
                f"/v1/system/{segment(system_id)}/history",
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
        system_id: str,
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
        """Query the system's history.

        Rows of the system's history that the caller may read, from start on, before end: whole rows, or the
        paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/system/{segment(system_id)}/history",
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
        system_id: str,
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
                f"/v1/system/{segment(system_id)}/history",
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
        system_id: str,
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
        """Query the system's event records.

        Rows of the system's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/system/{segment(system_id)}/events",
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
        system_id: str,
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
                f"/v1/system/{segment(system_id)}/events",
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
        system_id: str,
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
        """Query the system's event records.

        Rows of the system's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/system/{segment(system_id)}/events.search",
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
        system_id: str,
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
                f"/v1/system/{segment(system_id)}/events.search",
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

    async def devices_search(
        self,
        system_id: str,
        *,
        body: dict[str, Any] | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> types.SearchPage:
        """Search the devices of a system.

        Devices that match a filter, of those that you may read, in an order, by pages; with aggregations
        over all that match. Filters: equals, enum, comparison (<, <=, >, >=, between), exists, notExists,
        not, logical (and, or), parent, startsWith, endsWith, contains, geo, text. Fields: id, name,
        blueprintId, systemId, tags, metadata/<key>, ... or data/<path>. With `at` (epoch ms or ISO 8601)
        the answer is of the fleet as it was then. A page costs at most perPage reads; `source` says which
        store found it.

        Needs: device.read.
        """
        return cast(
            "types.SearchPage",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/system/{segment(system_id)}/devices.search",
                    query={"format": format},
                    body=body,
                )
            ),
        )

    def devices_search_stream(
        self,
        system_id: str,
        *,
        body: dict[str, Any] | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "POST",
                f"/v1/system/{segment(system_id)}/devices.search",
                query={"format": format},
                body=body,
                accept=accept,
            )
        )
