"""Operations on ``device``.

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


class Device:
    """Operations on ``device``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def get_by_network_alias(self, network_id: str, alias_key: str, value: str) -> types.Device:
        """Find the device of an outside name.

        The one device that has an alias triple. Two reads, however many devices there are.

        Needs: device.readByNetworkAlias.
        """
        return cast(
            "types.Device",
            self._sender.send(
                Request(
                    "GET",
                    "/v1/device/getByNetworkAlias",
                    query={"networkId": network_id, "aliasKey": alias_key, "value": value},
                )
            ),
        )

    def get(self, device_id: str, *, paths: str | None = None, at: str | None = None) -> types.Device:
        """Read a device.

        One device with its current state; its ETag says the version of its definition. One read. `paths`
        leaves out of the data what is not asked for. With `at` the device is answered as it was then, even
        if it was deleted since; without an ETag.

        Needs: device.read.
        """
        return cast(
            "types.Device",
            self._sender.send(
                Request("GET", f"/v1/device/{segment(device_id)}", query={"paths": paths, "at": at})
            ),
        )

    def update(
        self,
        device_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Device:
        """Change a device.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        messageRoute, messageRouteId, metadata, name, networkAliases, networkId, parentDeviceId,
        simNetworkId, simulated, tags. Its data is changed by setValue, its relations by their own
        operations. Another networkId drops the aliases in the network that it leaves. With If-Match, only
        if nobody changed the definition meanwhile; events do not count.

        Needs: device.update.
        """
        return cast(
            "types.Device",
            self._sender.send(
                Request(
                    "PATCH", f"/v1/device/{segment(device_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    def delete(self, device_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a device.

        The device is gone at once, for events too; a job frees its aliases and tokens, cuts its relations
        and deletes what it owns. With If-Match, only if nobody changed it meanwhile.

        Needs: device.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/device/{segment(device_id)}", headers={"If-Match": if_match})
            ),
        )

    def verify(self, device_id: str) -> types.Verified:
        """Check a device.

        Whether all that a device refers to is there, and its aliases lead to it.

        Needs: device.read.
        """
        return cast(
            "types.Verified", self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/verify"))
        )

    def create(
        self, system_id: str, body: types.DeviceCreate, *, idempotency_key: str | None = None
    ) -> types.Device:
        """Create a device.

        Creates a device in a system. Each alias (network, key, value) belongs to one device only: of
        several who take it at once, one wins. With an Idempotency-Key it is created once.

        Needs: device.create.
        """
        return cast(
            "types.Device",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/system/{segment(system_id)}/devices",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def list(
        self,
        project_id: str,
        *,
        system_id: str | None = None,
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
        """List the devices of a project.

        A page of the devices that you may read. Every filter and sort is answered by an index, so that a
        page costs the same however many devices there are.

        Needs: device.list.
        """
        return cast(
            "types.DevicePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/devices",
                    query={
                        "systemId": system_id,
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

    def list_all(
        self,
        project_id: str,
        *,
        system_id: str | None = None,
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
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id,
                system_id=system_id,
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

    def set_value(
        self,
        device_id: str,
        body: types.Values | types.KeyValue | types.ValueAt | builtins.list[types.ValueAt],
        *,
        idempotency_key: str | None = None,
    ) -> types.Accepted:
        """Set values of a device.

        Takes {values: [{path, value}]}, [{path, value}], {path, value} and {keyValue: {path: value}}. The
        values go the way of all events, so that state and history agree; it is answered when the event is
        safe, and takes effect a moment later. With updateData the values must fit the blueprint's
        attributes; {value, unit} is converted to the attribute's unit. updateAnyData writes anything. With
        an Idempotency-Key it is one event.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/setValue",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def data_list(self, device_id: str) -> dict[str, Any]:
        """Read a device's data.

        The whole current state, nested.

        Needs: device.readData.
        """
        return cast(
            "dict[str, Any]", self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/data"))
        )

    def data_replace_all(
        self, device_id: str, body: dict[str, Any], *, idempotency_key: str | None = None
    ) -> types.Accepted:
        """Replace a device's data.

        Drops the data that it has now and sets what is sent, in one event. The values go the way of all
        events, so that state and history agree; it is answered when the event is safe, and takes effect a
        moment later. With updateData the values must fit the blueprint's attributes; {value, unit} is
        converted to the attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            self._sender.send(
                Request(
                    "PUT",
                    f"/v1/device/{segment(device_id)}/data",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def data_update_all(
        self, device_id: str, body: dict[str, Any], *, idempotency_key: str | None = None
    ) -> types.Accepted:
        """Change a device's data.

        Sets the paths or objects that the body names; everything else stays. The values go the way of all
        events, so that state and history agree; it is answered when the event is safe, and takes effect a
        moment later. With updateData the values must fit the blueprint's attributes; {value, unit} is
        converted to the attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/device/{segment(device_id)}/data",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def data_get(self, device_id: str, path: str) -> Any:
        """Read a part of a device's data.

        The value at a path: a scalar, an array, or an object of what lies below.

        Needs: device.readData.
        """
        return cast(
            "Any", self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/data/{segment(path)}"))
        )

    def data_create(
        self, device_id: str, path: str, body: Any, *, idempotency_key: str | None = None
    ) -> types.Accepted:
        """Add a member below a path of a device's data.

        Sets the value at a new id below the path, which the answer names. The values go the way of all
        events, so that state and history agree; it is answered when the event is safe, and takes effect a
        moment later. With updateData the values must fit the blueprint's attributes; {value, unit} is
        converted to the attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/data/{segment(path)}",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def data_replace(
        self, device_id: str, path: str, body: Any, *, idempotency_key: str | None = None
    ) -> types.Accepted:
        """Replace a part of a device's data.

        Drops what is at the path and sets the value. The values go the way of all events, so that state and
        history agree; it is answered when the event is safe, and takes effect a moment later. With
        updateData the values must fit the blueprint's attributes; {value, unit} is converted to the
        attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            self._sender.send(
                Request(
                    "PUT",
                    f"/v1/device/{segment(device_id)}/data/{segment(path)}",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def data_update(
        self,
        device_id: str,
        path: str,
        body: Any,
        *,
        raw: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.Accepted:
        """Change a part of a device's data.

        Merges an object into what is at the path; any other value replaces it. raw=true drops first what is
        there. The values go the way of all events, so that state and history agree; it is answered when the
        event is safe, and takes effect a moment later. With updateData the values must fit the blueprint's
        attributes; {value, unit} is converted to the attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/device/{segment(device_id)}/data/{segment(path)}",
                    query={"raw": raw},
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def data_delete(self, device_id: str, path: str, *, idempotency_key: str | None = None) -> types.Accepted:
        """Delete a part of a device's data.

        Drops what is at the path and below it. The values go the way of all events, so that state and
        history agree; it is answered when the event is safe, and takes effect a moment later. With
        updateData the values must fit the blueprint's attributes; {value, unit} is converted to the
        attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            self._sender.send(
                Request(
                    "DELETE",
                    f"/v1/device/{segment(device_id)}/data/{segment(path)}",
                    headers={"Idempotency-Key": idempotency_key},
                    once=True,
                )
            ),
        )

    def relation_list(
        self, device_id: str, relation: str, *, per_page: int | None = None, cursor: str | None = None
    ) -> types.DevicePage:
        """List the children of a device.

        A page of the devices that are linked below this one by one relationship.

        Needs: device.read.
        """
        return cast(
            "types.DevicePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/device/{segment(device_id)}/relations",
                    query={"relation": relation, "perPage": per_page, "cursor": cursor},
                )
            ),
        )

    def relation_list_all(
        self, device_id: str, relation: str, *, per_page: int | None = None
    ) -> Iterator[types.Device]:
        """All pages of :meth:`relation_list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.relation_list(device_id, relation, per_page=per_page, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def relation_create(self, device_id: str, body: types.Link) -> types.Device:
        """Link a device below this one.

        Both must be in one system and of the relationship's blueprints. Where the relationship allows one
        child or one parent, of several who link at once one wins. An owned child stands under its parent,
        and is deleted with it. Linking again changes nothing.

        Needs: device.createRelationship.
        """
        return cast(
            "types.Device",
            self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/relations", body=body)),
        )

    def relation_delete(self, device_id: str, child_id: str, relation: str) -> types.Device:
        """Cut a link below this device.

        The child stays as a device; an owned one stands under nobody then.

        Needs: device.deleteRelationship.
        """
        return cast(
            "types.Device",
            self._sender.send(
                Request(
                    "DELETE",
                    f"/v1/device/{segment(device_id)}/relations/{segment(child_id)}",
                    query={"relation": relation},
                )
            ),
        )

    def user_list(
        self, device_id: str, *, per_page: int | None = None, cursor: str | None = None
    ) -> types.HolderPage:
        """List the users on a device.

        A page of the users who have roles on the device itself, and which; those whose roles come from
        above are not among them.

        Needs: user.list.
        """
        return cast(
            "types.HolderPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/device/{segment(device_id)}/users",
                    query={"perPage": per_page, "cursor": cursor},
                )
            ),
        )

    def user_list_all(self, device_id: str, *, per_page: int | None = None) -> Iterator[types.Holder]:
        """All pages of :meth:`user_list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.user_list(device_id, per_page=per_page, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def user_create(
        self, device_id: str, body: types.HolderCreate, *, idempotency_key: str | None = None
    ) -> types.Holder:
        """Create a user on a device.

        Makes an account of the project and gives it roles on the device. Needs user.create and
        user.assignRoles there, and every permission of those roles. Sent again with the same Idempotency-
        Key, it is made once, and what was not done yet is done.

        Needs: user.create.
        """
        return cast(
            "types.Holder",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/users",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def user_get(self, device_id: str, user_id: str) -> types.Holder:
        """Read a user on a device.

        Which roles a user has on the device itself.

        Needs: user.read.
        """
        return cast(
            "types.Holder",
            self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/users/{segment(user_id)}")),
        )

    def user_add(self, device_id: str, user_id: str, body: types.HolderAdd) -> types.Holder:
        """Add a user to a device.

        Gives a user of the project roles on the device, beside those that he has there. Needs
        user.assignRoles there, and every permission of those roles.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            self._sender.send(
                Request("PUT", f"/v1/device/{segment(device_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    def user_update(self, device_id: str, user_id: str, body: types.HolderUpdate) -> types.Holder:
        """Change a user's roles on a device.

        The user has exactly the roles that are named on the device from now on.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            self._sender.send(
                Request("PATCH", f"/v1/device/{segment(device_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    def user_remove(self, device_id: str, user_id: str) -> types.Deleted:
        """Remove a user from a device.

        Takes back all roles that the user has on the device itself. The user stays, and so do roles that he
        has elsewhere.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Deleted",
            self._sender.send(Request("DELETE", f"/v1/device/{segment(device_id)}/users/{segment(user_id)}")),
        )

    def history_list(
        self,
        device_id: str,
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
        """Query the device's history.

        Rows of the device's history that the caller may read, from start on, before end: whole rows, or the
        paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/device/{segment(device_id)}/history",
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
        device_id: str,
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
                f"/v1/device/{segment(device_id)}/history",
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
        device_id: str,
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
        """Query the device's history.

        Rows of the device's history that the caller may read, from start on, before end: whole rows, or the
        paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/history",
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
        device_id: str,
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
                f"/v1/device/{segment(device_id)}/history",
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
        device_id: str,
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
        """Query the device's event records.

        Rows of the device's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/device/{segment(device_id)}/events",
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
        device_id: str,
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
                f"/v1/device/{segment(device_id)}/events",
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

    def event_create(
        self, device_id: str, body: types.EventCreate, *, idempotency_key: str | None = None
    ) -> types.Event:
        """Create an event record.

        Creates an event record of the device. It is safe when this is answered, and can be read a moment
        later. With an Idempotency-Key it is created once.

        Needs: device.updateEvents.
        """
        return cast(
            "types.Event",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/events",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def events_search(
        self,
        device_id: str,
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
        """Query the device's event records.

        Rows of the device's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/events.search",
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
        device_id: str,
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
                f"/v1/device/{segment(device_id)}/events.search",
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

    def event_ack(self, device_id: str, event_id: str, *, body: types.AckCreate | None = None) -> types.Ack:
        """Acknowledge an event record.

        Says that the caller took notice of an event record. Of several acknowledgements the first counts.
        Whether there is such a record is not looked up: it may be on its way.

        Needs: device.updateEvents.
        """
        return cast(
            "types.Ack",
            self._sender.send(
                Request("POST", f"/v1/device/{segment(device_id)}/events/{segment(event_id)}/ack", body=body)
            ),
        )

    def get_historical(self, device_id: str, at: str) -> types.DeviceState:
        """The state of a device at a past instant.

        The state of the device at an instant, folded from its history as it is known today.

        Needs: device.readHistory.
        """
        return cast(
            "types.DeviceState",
            self._sender.send(
                Request("GET", f"/v1/device/{segment(device_id)}/getHistorical", query={"at": at})
            ),
        )

    def start_sim(self, device_id: str, *, body: types.StartSim | None = None) -> types.SimulationAccepted:
        """Start a device's simulation, or go on with it.

        A paused device goes on where it was. Any other plays the scenario that is named, else the one that
        it played last, else the only one of its blueprint. Devices that are not simulated are refused. It
        takes effect within one or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationAccepted",
            self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/startSim", body=body)),
        )

    def pause_sim(self, device_id: str) -> types.SimulationAccepted:
        """Pause a device's simulation.

        It sends nothing, and keeps its place in the scenario. It takes effect within one or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationAccepted",
            self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/pauseSim")),
        )

    def reset_sim(self, device_id: str) -> types.SimulationAccepted:
        """Set a device's simulation back to its beginning.

        A device that plays plays on from the beginning; a paused one stays paused. It takes effect within
        one or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationAccepted",
            self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/resetSim")),
        )

    def play_scenario(self, device_id: str, body: types.PlayScenario) -> types.SimulationAccepted:
        """Play a scenario on a device.

        Plays it from its beginning, in place of what the device plays now. The same seed gives the same
        events. Devices that are not simulated are refused. It takes effect within one or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationAccepted",
            self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/playScenario", body=body)),
        )

    def stop_scenario(self, device_id: str) -> types.SimulationAccepted:
        """Stop a device's simulation.

        It sends nothing any more until it is started again, from the beginning. It takes effect within one
        or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationAccepted",
            self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/stopScenario")),
        )

    def simulation(self, device_id: str) -> types.Simulation:
        """What a device plays, and where it is in it.

        Its state, the scenario, and its position. A device that was never simulated is stopped.

        Needs: device.runSimulation.
        """
        return cast(
            "types.Simulation",
            self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/simulation")),
        )

    def record_scenario(self, device_id: str, body: types.RecordScenario) -> types.Scenario:
        """Make a scenario of a device's history.

        What the device reported from start to end becomes a scenario of its blueprint, which other devices
        may play: the same values, at the same distances in time. Needs scenario.create, too.

        Needs: device.readHistory.
        """
        return cast(
            "types.Scenario",
            self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/recordScenario", body=body)),
        )

    def simulation_list(
        self,
        project_id: str,
        *,
        state: Literal["playing", "paused", "stopped", "finished"] | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
    ) -> types.SimulationPage:
        """List what a project's devices play.

        A page of the simulations of the devices that the caller may run, by the device's id. A state is the
        one that was noted last: of a scenario that has just ended, playing.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/simulations",
                    query={"state": state, "perPage": per_page, "cursor": cursor},
                )
            ),
        )

    def simulation_list_all(
        self,
        project_id: str,
        *,
        state: Literal["playing", "paused", "stopped", "finished"] | None = None,
        per_page: int | None = None,
    ) -> Iterator[types.Simulation]:
        """All pages of :meth:`simulation_list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.simulation_list(project_id, state=state, per_page=per_page, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def simulate(self, project_id: str, body: types.SimulateMany) -> types.SimulationsAccepted:
        """Run the simulations of many devices.

        Plays, starts, pauses, resets or stops the devices that are named, or the simulated ones of a system
        or a blueprint: 500 of them at a time, and 'next' says that there are more. Those that are named and
        not simulated are told, and the others play. It takes effect within one or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationsAccepted",
            self._sender.send(Request("POST", f"/v1/project/{segment(project_id)}/simulations", body=body)),
        )

    def import_(
        self,
        project_id: str,
        *,
        content: bytes | str | None = None,
        content_type: Literal["text/csv"] = "text/csv",
        dry_run: bool | None = None,
        partial: bool | None = None,
    ) -> types.ImportReport:
        """Import devices from CSV.

        Makes and changes devices from a table of up to 10,000 rows and 10 MB. A row is about the device
        with its id, its externalId or one of its outside names; if there is none it makes one. An empty
        cell says nothing. All rows are checked before any is written, and nothing is written if one is
        wrong, unless partial. A row that meets what others do meanwhile is reported as failed, with 200,
        and the rest is written. The same table imported again changes nothing. With Accept:
        application/x-ndjson the answer is one JSON object a line: {progress} as it goes, then {report} or
        {error}.

        Needs: device.create.
        """
        return cast(
            "types.ImportReport",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/devices/import",
                    query={"dryRun": dry_run, "partial": partial},
                    content=content,
                    content_type=content_type,
                )
            ),
        )

    def import__stream(
        self,
        project_id: str,
        *,
        content: bytes | str | None = None,
        content_type: Literal["text/csv"] = "text/csv",
        dry_run: bool | None = None,
        partial: bool | None = None,
        accept: Literal["application/x-ndjson"] = "application/x-ndjson",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson'."""
        return self._sender.stream(
            Request(
                "POST",
                f"/v1/project/{segment(project_id)}/devices/import",
                query={"dryRun": dry_run, "partial": partial},
                content=content,
                content_type=content_type,
                accept=accept,
            )
        )

    def export_stream(
        self,
        project_id: str,
        *,
        system_id: str | None = None,
        blueprint_id: str | None = None,
        accept: Literal["text/csv"] = "text/csv",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'text/csv'."""
        return self._sender.stream(
            Request(
                "GET",
                f"/v1/project/{segment(project_id)}/devices/export",
                query={"systemId": system_id, "blueprintId": blueprint_id},
                accept=accept,
            )
        )

    def search(
        self,
        project_id: str,
        *,
        body: dict[str, Any] | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> types.SearchPage:
        """Search the devices of a project.

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
                    f"/v1/project/{segment(project_id)}/devices.search",
                    query={"format": format},
                    body=body,
                )
            ),
        )

    def search_stream(
        self,
        project_id: str,
        *,
        body: dict[str, Any] | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "POST",
                f"/v1/project/{segment(project_id)}/devices.search",
                query={"format": format},
                body=body,
                accept=accept,
            )
        )


class AsyncDevice:
    """Operations on ``device``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def get_by_network_alias(self, network_id: str, alias_key: str, value: str) -> types.Device:
        """Find the device of an outside name.

        The one device that has an alias triple. Two reads, however many devices there are.

        Needs: device.readByNetworkAlias.
        """
        return cast(
            "types.Device",
            await self._sender.send(
                Request(
                    "GET",
                    "/v1/device/getByNetworkAlias",
                    query={"networkId": network_id, "aliasKey": alias_key, "value": value},
                )
            ),
        )

    async def get(self, device_id: str, *, paths: str | None = None, at: str | None = None) -> types.Device:
        """Read a device.

        One device with its current state; its ETag says the version of its definition. One read. `paths`
        leaves out of the data what is not asked for. With `at` the device is answered as it was then, even
        if it was deleted since; without an ETag.

        Needs: device.read.
        """
        return cast(
            "types.Device",
            await self._sender.send(
                Request("GET", f"/v1/device/{segment(device_id)}", query={"paths": paths, "at": at})
            ),
        )

    async def update(
        self,
        device_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Device:
        """Change a device.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        messageRoute, messageRouteId, metadata, name, networkAliases, networkId, parentDeviceId,
        simNetworkId, simulated, tags. Its data is changed by setValue, its relations by their own
        operations. Another networkId drops the aliases in the network that it leaves. With If-Match, only
        if nobody changed the definition meanwhile; events do not count.

        Needs: device.update.
        """
        return cast(
            "types.Device",
            await self._sender.send(
                Request(
                    "PATCH", f"/v1/device/{segment(device_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    async def delete(self, device_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a device.

        The device is gone at once, for events too; a job frees its aliases and tokens, cuts its relations
        and deletes what it owns. With If-Match, only if nobody changed it meanwhile.

        Needs: device.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/device/{segment(device_id)}", headers={"If-Match": if_match})
            ),
        )

    async def verify(self, device_id: str) -> types.Verified:
        """Check a device.

        Whether all that a device refers to is there, and its aliases lead to it.

        Needs: device.read.
        """
        return cast(
            "types.Verified",
            await self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/verify")),
        )

    async def create(
        self, system_id: str, body: types.DeviceCreate, *, idempotency_key: str | None = None
    ) -> types.Device:
        """Create a device.

        Creates a device in a system. Each alias (network, key, value) belongs to one device only: of
        several who take it at once, one wins. With an Idempotency-Key it is created once.

        Needs: device.create.
        """
        return cast(
            "types.Device",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/system/{segment(system_id)}/devices",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def list(
        self,
        project_id: str,
        *,
        system_id: str | None = None,
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
        """List the devices of a project.

        A page of the devices that you may read. Every filter and sort is answered by an index, so that a
        page costs the same however many devices there are.

        Needs: device.list.
        """
        return cast(
            "types.DevicePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/devices",
                    query={
                        "systemId": system_id,
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

    async def list_all(
        self,
        project_id: str,
        *,
        system_id: str | None = None,
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
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id,
                system_id=system_id,
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

    async def set_value(
        self,
        device_id: str,
        body: types.Values | types.KeyValue | types.ValueAt | builtins.list[types.ValueAt],
        *,
        idempotency_key: str | None = None,
    ) -> types.Accepted:
        """Set values of a device.

        Takes {values: [{path, value}]}, [{path, value}], {path, value} and {keyValue: {path: value}}. The
        values go the way of all events, so that state and history agree; it is answered when the event is
        safe, and takes effect a moment later. With updateData the values must fit the blueprint's
        attributes; {value, unit} is converted to the attribute's unit. updateAnyData writes anything. With
        an Idempotency-Key it is one event.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/setValue",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def data_list(self, device_id: str) -> dict[str, Any]:
        """Read a device's data.

        The whole current state, nested.

        Needs: device.readData.
        """
        return cast(
            "dict[str, Any]", await self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/data"))
        )

    async def data_replace_all(
        self, device_id: str, body: dict[str, Any], *, idempotency_key: str | None = None
    ) -> types.Accepted:
        """Replace a device's data.

        Drops the data that it has now and sets what is sent, in one event. The values go the way of all
        events, so that state and history agree; it is answered when the event is safe, and takes effect a
        moment later. With updateData the values must fit the blueprint's attributes; {value, unit} is
        converted to the attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            await self._sender.send(
                Request(
                    "PUT",
                    f"/v1/device/{segment(device_id)}/data",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def data_update_all(
        self, device_id: str, body: dict[str, Any], *, idempotency_key: str | None = None
    ) -> types.Accepted:
        """Change a device's data.

        Sets the paths or objects that the body names; everything else stays. The values go the way of all
        events, so that state and history agree; it is answered when the event is safe, and takes effect a
        moment later. With updateData the values must fit the blueprint's attributes; {value, unit} is
        converted to the attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            await self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/device/{segment(device_id)}/data",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def data_get(self, device_id: str, path: str) -> Any:
        """Read a part of a device's data.

        The value at a path: a scalar, an array, or an object of what lies below.

        Needs: device.readData.
        """
        return cast(
            "Any",
            await self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/data/{segment(path)}")),
        )

    async def data_create(
        self, device_id: str, path: str, body: Any, *, idempotency_key: str | None = None
    ) -> types.Accepted:
        """Add a member below a path of a device's data.

        Sets the value at a new id below the path, which the answer names. The values go the way of all
        events, so that state and history agree; it is answered when the event is safe, and takes effect a
        moment later. With updateData the values must fit the blueprint's attributes; {value, unit} is
        converted to the attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/data/{segment(path)}",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def data_replace(
        self, device_id: str, path: str, body: Any, *, idempotency_key: str | None = None
    ) -> types.Accepted:
        """Replace a part of a device's data.

        Drops what is at the path and sets the value. The values go the way of all events, so that state and
        history agree; it is answered when the event is safe, and takes effect a moment later. With
        updateData the values must fit the blueprint's attributes; {value, unit} is converted to the
        attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            await self._sender.send(
                Request(
                    "PUT",
                    f"/v1/device/{segment(device_id)}/data/{segment(path)}",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def data_update(
        self,
        device_id: str,
        path: str,
        body: Any,
        *,
        raw: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.Accepted:
        """Change a part of a device's data.

        Merges an object into what is at the path; any other value replaces it. raw=true drops first what is
        there. The values go the way of all events, so that state and history agree; it is answered when the
        event is safe, and takes effect a moment later. With updateData the values must fit the blueprint's
        attributes; {value, unit} is converted to the attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            await self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/device/{segment(device_id)}/data/{segment(path)}",
                    query={"raw": raw},
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def data_delete(
        self, device_id: str, path: str, *, idempotency_key: str | None = None
    ) -> types.Accepted:
        """Delete a part of a device's data.

        Drops what is at the path and below it. The values go the way of all events, so that state and
        history agree; it is answered when the event is safe, and takes effect a moment later. With
        updateData the values must fit the blueprint's attributes; {value, unit} is converted to the
        attribute's unit. updateAnyData writes anything.

        Needs: device.updateData.
        """
        return cast(
            "types.Accepted",
            await self._sender.send(
                Request(
                    "DELETE",
                    f"/v1/device/{segment(device_id)}/data/{segment(path)}",
                    headers={"Idempotency-Key": idempotency_key},
                    once=True,
                )
            ),
        )

    async def relation_list(
        self, device_id: str, relation: str, *, per_page: int | None = None, cursor: str | None = None
    ) -> types.DevicePage:
        """List the children of a device.

        A page of the devices that are linked below this one by one relationship.

        Needs: device.read.
        """
        return cast(
            "types.DevicePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/device/{segment(device_id)}/relations",
                    query={"relation": relation, "perPage": per_page, "cursor": cursor},
                )
            ),
        )

    async def relation_list_all(
        self, device_id: str, relation: str, *, per_page: int | None = None
    ) -> AsyncIterator[types.Device]:
        """All pages of :meth:`relation_list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.relation_list(device_id, relation, per_page=per_page, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def relation_create(self, device_id: str, body: types.Link) -> types.Device:
        """Link a device below this one.

        Both must be in one system and of the relationship's blueprints. Where the relationship allows one
        child or one parent, of several who link at once one wins. An owned child stands under its parent,
        and is deleted with it. Linking again changes nothing.

        Needs: device.createRelationship.
        """
        return cast(
            "types.Device",
            await self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/relations", body=body)),
        )

    async def relation_delete(self, device_id: str, child_id: str, relation: str) -> types.Device:
        """Cut a link below this device.

        The child stays as a device; an owned one stands under nobody then.

        Needs: device.deleteRelationship.
        """
        return cast(
            "types.Device",
            await self._sender.send(
                Request(
                    "DELETE",
                    f"/v1/device/{segment(device_id)}/relations/{segment(child_id)}",
                    query={"relation": relation},
                )
            ),
        )

    async def user_list(
        self, device_id: str, *, per_page: int | None = None, cursor: str | None = None
    ) -> types.HolderPage:
        """List the users on a device.

        A page of the users who have roles on the device itself, and which; those whose roles come from
        above are not among them.

        Needs: user.list.
        """
        return cast(
            "types.HolderPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/device/{segment(device_id)}/users",
                    query={"perPage": per_page, "cursor": cursor},
                )
            ),
        )

    async def user_list_all(
        self, device_id: str, *, per_page: int | None = None
    ) -> AsyncIterator[types.Holder]:
        """All pages of :meth:`user_list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.user_list(device_id, per_page=per_page, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def user_create(
        self, device_id: str, body: types.HolderCreate, *, idempotency_key: str | None = None
    ) -> types.Holder:
        """Create a user on a device.

        Makes an account of the project and gives it roles on the device. Needs user.create and
        user.assignRoles there, and every permission of those roles. Sent again with the same Idempotency-
        Key, it is made once, and what was not done yet is done.

        Needs: user.create.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/users",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def user_get(self, device_id: str, user_id: str) -> types.Holder:
        """Read a user on a device.

        Which roles a user has on the device itself.

        Needs: user.read.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request("GET", f"/v1/device/{segment(device_id)}/users/{segment(user_id)}")
            ),
        )

    async def user_add(self, device_id: str, user_id: str, body: types.HolderAdd) -> types.Holder:
        """Add a user to a device.

        Gives a user of the project roles on the device, beside those that he has there. Needs
        user.assignRoles there, and every permission of those roles.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request("PUT", f"/v1/device/{segment(device_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    async def user_update(self, device_id: str, user_id: str, body: types.HolderUpdate) -> types.Holder:
        """Change a user's roles on a device.

        The user has exactly the roles that are named on the device from now on.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Holder",
            await self._sender.send(
                Request("PATCH", f"/v1/device/{segment(device_id)}/users/{segment(user_id)}", body=body)
            ),
        )

    async def user_remove(self, device_id: str, user_id: str) -> types.Deleted:
        """Remove a user from a device.

        Takes back all roles that the user has on the device itself. The user stays, and so do roles that he
        has elsewhere.

        Needs: user.assignRoles.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/device/{segment(device_id)}/users/{segment(user_id)}")
            ),
        )

    async def history_list(
        self,
        device_id: str,
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
        """Query the device's history.

        Rows of the device's history that the caller may read, from start on, before end: whole rows, or the
        paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/device/{segment(device_id)}/history",
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
        device_id: str,
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
                f"/v1/device/{segment(device_id)}/history",
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
        device_id: str,
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
        """Query the device's history.

        Rows of the device's history that the caller may read, from start on, before end: whole rows, or the
        paths that are named, filtered, grouped and ordered.

        Needs: device.readHistory.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/history",
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
        device_id: str,
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
                f"/v1/device/{segment(device_id)}/history",
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
        device_id: str,
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
        """Query the device's event records.

        Rows of the device's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/device/{segment(device_id)}/events",
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
        device_id: str,
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
                f"/v1/device/{segment(device_id)}/events",
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

    async def event_create(
        self, device_id: str, body: types.EventCreate, *, idempotency_key: str | None = None
    ) -> types.Event:
        """Create an event record.

        Creates an event record of the device. It is safe when this is answered, and can be read a moment
        later. With an Idempotency-Key it is created once.

        Needs: device.updateEvents.
        """
        return cast(
            "types.Event",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/events",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def events_search(
        self,
        device_id: str,
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
        """Query the device's event records.

        Rows of the device's event records that the caller may read, from start on, before end: whole rows,
        or the paths that are named, filtered, grouped and ordered.

        Needs: device.readEvents.
        """
        return cast(
            "dict[str, Any]",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/events.search",
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
        device_id: str,
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
                f"/v1/device/{segment(device_id)}/events.search",
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

    async def event_ack(
        self, device_id: str, event_id: str, *, body: types.AckCreate | None = None
    ) -> types.Ack:
        """Acknowledge an event record.

        Says that the caller took notice of an event record. Of several acknowledgements the first counts.
        Whether there is such a record is not looked up: it may be on its way.

        Needs: device.updateEvents.
        """
        return cast(
            "types.Ack",
            await self._sender.send(
                Request("POST", f"/v1/device/{segment(device_id)}/events/{segment(event_id)}/ack", body=body)
            ),
        )

    async def get_historical(self, device_id: str, at: str) -> types.DeviceState:
        """The state of a device at a past instant.

        The state of the device at an instant, folded from its history as it is known today.

        Needs: device.readHistory.
        """
        return cast(
            "types.DeviceState",
            await self._sender.send(
                Request("GET", f"/v1/device/{segment(device_id)}/getHistorical", query={"at": at})
            ),
        )

    async def start_sim(
        self, device_id: str, *, body: types.StartSim | None = None
    ) -> types.SimulationAccepted:
        """Start a device's simulation, or go on with it.

        A paused device goes on where it was. Any other plays the scenario that is named, else the one that
        it played last, else the only one of its blueprint. Devices that are not simulated are refused. It
        takes effect within one or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationAccepted",
            await self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/startSim", body=body)),
        )

    async def pause_sim(self, device_id: str) -> types.SimulationAccepted:
        """Pause a device's simulation.

        It sends nothing, and keeps its place in the scenario. It takes effect within one or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationAccepted",
            await self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/pauseSim")),
        )

    async def reset_sim(self, device_id: str) -> types.SimulationAccepted:
        """Set a device's simulation back to its beginning.

        A device that plays plays on from the beginning; a paused one stays paused. It takes effect within
        one or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationAccepted",
            await self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/resetSim")),
        )

    async def play_scenario(self, device_id: str, body: types.PlayScenario) -> types.SimulationAccepted:
        """Play a scenario on a device.

        Plays it from its beginning, in place of what the device plays now. The same seed gives the same
        events. Devices that are not simulated are refused. It takes effect within one or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationAccepted",
            await self._sender.send(
                Request("POST", f"/v1/device/{segment(device_id)}/playScenario", body=body)
            ),
        )

    async def stop_scenario(self, device_id: str) -> types.SimulationAccepted:
        """Stop a device's simulation.

        It sends nothing any more until it is started again, from the beginning. It takes effect within one
        or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationAccepted",
            await self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/stopScenario")),
        )

    async def simulation(self, device_id: str) -> types.Simulation:
        """What a device plays, and where it is in it.

        Its state, the scenario, and its position. A device that was never simulated is stopped.

        Needs: device.runSimulation.
        """
        return cast(
            "types.Simulation",
            await self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/simulation")),
        )

    async def record_scenario(self, device_id: str, body: types.RecordScenario) -> types.Scenario:
        """Make a scenario of a device's history.

        What the device reported from start to end becomes a scenario of its blueprint, which other devices
        may play: the same values, at the same distances in time. Needs scenario.create, too.

        Needs: device.readHistory.
        """
        return cast(
            "types.Scenario",
            await self._sender.send(
                Request("POST", f"/v1/device/{segment(device_id)}/recordScenario", body=body)
            ),
        )

    async def simulation_list(
        self,
        project_id: str,
        *,
        state: Literal["playing", "paused", "stopped", "finished"] | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
    ) -> types.SimulationPage:
        """List what a project's devices play.

        A page of the simulations of the devices that the caller may run, by the device's id. A state is the
        one that was noted last: of a scenario that has just ended, playing.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/simulations",
                    query={"state": state, "perPage": per_page, "cursor": cursor},
                )
            ),
        )

    async def simulation_list_all(
        self,
        project_id: str,
        *,
        state: Literal["playing", "paused", "stopped", "finished"] | None = None,
        per_page: int | None = None,
    ) -> AsyncIterator[types.Simulation]:
        """All pages of :meth:`simulation_list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.simulation_list(project_id, state=state, per_page=per_page, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def simulate(self, project_id: str, body: types.SimulateMany) -> types.SimulationsAccepted:
        """Run the simulations of many devices.

        Plays, starts, pauses, resets or stops the devices that are named, or the simulated ones of a system
        or a blueprint: 500 of them at a time, and 'next' says that there are more. Those that are named and
        not simulated are told, and the others play. It takes effect within one or two seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationsAccepted",
            await self._sender.send(
                Request("POST", f"/v1/project/{segment(project_id)}/simulations", body=body)
            ),
        )

    async def import_(
        self,
        project_id: str,
        *,
        content: bytes | str | None = None,
        content_type: Literal["text/csv"] = "text/csv",
        dry_run: bool | None = None,
        partial: bool | None = None,
    ) -> types.ImportReport:
        """Import devices from CSV.

        Makes and changes devices from a table of up to 10,000 rows and 10 MB. A row is about the device
        with its id, its externalId or one of its outside names; if there is none it makes one. An empty
        cell says nothing. All rows are checked before any is written, and nothing is written if one is
        wrong, unless partial. A row that meets what others do meanwhile is reported as failed, with 200,
        and the rest is written. The same table imported again changes nothing. With Accept:
        application/x-ndjson the answer is one JSON object a line: {progress} as it goes, then {report} or
        {error}.

        Needs: device.create.
        """
        return cast(
            "types.ImportReport",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/devices/import",
                    query={"dryRun": dry_run, "partial": partial},
                    content=content,
                    content_type=content_type,
                )
            ),
        )

    def import__stream(
        self,
        project_id: str,
        *,
        content: bytes | str | None = None,
        content_type: Literal["text/csv"] = "text/csv",
        dry_run: bool | None = None,
        partial: bool | None = None,
        accept: Literal["application/x-ndjson"] = "application/x-ndjson",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson'."""
        return self._sender.stream(
            Request(
                "POST",
                f"/v1/project/{segment(project_id)}/devices/import",
                query={"dryRun": dry_run, "partial": partial},
                content=content,
                content_type=content_type,
                accept=accept,
            )
        )

    def export_stream(
        self,
        project_id: str,
        *,
        system_id: str | None = None,
        blueprint_id: str | None = None,
        accept: Literal["text/csv"] = "text/csv",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'text/csv'."""
        return self._sender.stream(
            Request(
                "GET",
                f"/v1/project/{segment(project_id)}/devices/export",
                query={"systemId": system_id, "blueprintId": blueprint_id},
                accept=accept,
            )
        )

    async def search(
        self,
        project_id: str,
        *,
        body: dict[str, Any] | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
    ) -> types.SearchPage:
        """Search the devices of a project.

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
                    f"/v1/project/{segment(project_id)}/devices.search",
                    query={"format": format},
                    body=body,
                )
            ),
        )

    def search_stream(
        self,
        project_id: str,
        *,
        body: dict[str, Any] | None = None,
        format: Literal["json", "csv", "jsonl"] | None = None,
        accept: Literal["application/x-ndjson", "text/csv"] = "application/x-ndjson",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson', 'text/csv'."""
        return self._sender.stream(
            Request(
                "POST",
                f"/v1/project/{segment(project_id)}/devices.search",
                query={"format": format},
                body=body,
                accept=accept,
            )
        )
