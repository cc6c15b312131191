"""Operations on ``interface``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Interface:
    """Operations on ``interface``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        system_id: str,
        blueprint_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        refs: bool | None = None,
    ) -> types.DevicePage:
        """List the devices of a blueprint in a system.

        A page of the devices that you may read, by id.

        Needs: device.read.
        """
        return cast(
            "types.DevicePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}",
                    query={"perPage": per_page, "cursor": cursor, "refs": refs},
                )
            ),
        )

    def list_all(
        self, system_id: str, blueprint_id: str, *, per_page: int | None = None, refs: bool | None = None
    ) -> Iterator[types.Device]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(system_id, blueprint_id, per_page=per_page, refs=refs, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def search_root(
        self, system_id: str, blueprint_id: str, *, body: dict[str, Any] | None = None
    ) -> types.SearchPage:
        """Search the devices of a blueprint in a system.

        The path ends on .search; the body is that of a search.

        Needs: device.read.
        """
        return cast(
            "types.SearchPage",
            self._sender.send(
                Request("POST", f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}", body=body)
            ),
        )

    def get(
        self,
        system_id: str,
        blueprint_id: str,
        path: str,
        *,
        network_id: str | None = None,
        alias_key: str | None = None,
        value: str | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        refs: bool | None = None,
    ) -> types.Device | types.DevicePage:
        """Walk to devices along relationships.

        Ends on a device (its id, or a relationship with one child): that device. Ends on a relationship or
        '*': a page of devices. Ends on getDeviceByNetworkAlias, history or events: those of what stands
        before, by query parameters. Reads a bounded number of devices whatever the path: a page may be
        short, and 'next' goes on.

        Needs: device.read.
        """
        return cast(
            "types.Device | types.DevicePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}/{segment(path)}",
                    query={
                        "networkId": network_id,
                        "aliasKey": alias_key,
                        "value": value,
                        "perPage": per_page,
                        "cursor": cursor,
                        "refs": refs,
                    },
                )
            ),
        )

    def create(
        self,
        system_id: str,
        blueprint_id: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> types.Device:
        """Create, link or search devices along relationships.

        On a root: /create makes a device. On a relationship: makes a device and links it in one commit, or
        links the one that 'deviceId' names. Ends on .search: searches what stands before, and on history or
        events: queries them. With an Idempotency-Key a device is created once.

        Needs: device.create.
        """
        return cast(
            "types.Device",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}/{segment(path)}",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def update(
        self,
        system_id: str,
        blueprint_id: str,
        path: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Device:
        """Change a device at the end of a walk.

        As device_update, for the device that the path ends on.

        Needs: device.update.
        """
        return cast(
            "types.Device",
            self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}/{segment(path)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    def delete(
        self,
        system_id: str,
        blueprint_id: str,
        path: str,
        *,
        unlink: bool | None = None,
        if_match: str | None = None,
    ) -> types.Deleted:
        """Delete a device at the end of a walk, or cut its link.

        Deletes the device as device_delete does. With unlink=true only the last link of the path is cut,
        and the device stays.

        Needs: device.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request(
                    "DELETE",
                    f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}/{segment(path)}",
                    query={"unlink": unlink},
                    headers={"If-Match": if_match},
                )
            ),
        )


class AsyncInterface:
    """Operations on ``interface``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        system_id: str,
        blueprint_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        refs: bool | None = None,
    ) -> types.DevicePage:
        """List the devices of a blueprint in a system.

        A page of the devices that you may read, by id.

        Needs: device.read.
        """
        return cast(
            "types.DevicePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}",
                    query={"perPage": per_page, "cursor": cursor, "refs": refs},
                )
            ),
        )

    async def list_all(
        self, system_id: str, blueprint_id: str, *, per_page: int | None = None, refs: bool | None = None
    ) -> AsyncIterator[types.Device]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(system_id, blueprint_id, per_page=per_page, refs=refs, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def search_root(
        self, system_id: str, blueprint_id: str, *, body: dict[str, Any] | None = None
    ) -> types.SearchPage:
        """Search the devices of a blueprint in a system.

        The path ends on .search; the body is that of a search.

        Needs: device.read.
        """
        return cast(
            "types.SearchPage",
            await self._sender.send(
                Request("POST", f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}", body=body)
            ),
        )

    async def get(
        self,
        system_id: str,
        blueprint_id: str,
        path: str,
        *,
        network_id: str | None = None,
        alias_key: str | None = None,
        value: str | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        refs: bool | None = None,
    ) -> types.Device | types.DevicePage:
        """Walk to devices along relationships.

        Ends on a device (its id, or a relationship with one child): that device. Ends on a relationship or
        '*': a page of devices. Ends on getDeviceByNetworkAlias, history or events: those of what stands
        before, by query parameters. Reads a bounded number of devices whatever the path: a page may be
        short, and 'next' goes on.

        Needs: device.read.
        """
        return cast(
            "types.Device | types.DevicePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}/{segment(path)}",
                    query={
                        "networkId": network_id,
                        "aliasKey": alias_key,
                        "value": value,
                        "perPage": per_page,
                        "cursor": cursor,
                        "refs": refs,
                    },
                )
            ),
        )

    async def create(
        self,
        system_id: str,
        blueprint_id: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> types.Device:
        """Create, link or search devices along relationships.

        On a root: /create makes a device. On a relationship: makes a device and links it in one commit, or
        links the one that 'deviceId' names. Ends on .search: searches what stands before, and on history or
        events: queries them. With an Idempotency-Key a device is created once.

        Needs: device.create.
        """
        return cast(
            "types.Device",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}/{segment(path)}",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def update(
        self,
        system_id: str,
        blueprint_id: str,
        path: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Device:
        """Change a device at the end of a walk.

        As device_update, for the device that the path ends on.

        Needs: device.update.
        """
        return cast(
            "types.Device",
            await self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}/{segment(path)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    async def delete(
        self,
        system_id: str,
        blueprint_id: str,
        path: str,
        *,
        unlink: bool | None = None,
        if_match: str | None = None,
    ) -> types.Deleted:
        """Delete a device at the end of a walk, or cut its link.

        Deletes the device as device_delete does. With unlink=true only the last link of the path is cut,
        and the device stays.

        Needs: device.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request(
                    "DELETE",
                    f"/v1/interface/{segment(system_id)}/{segment(blueprint_id)}/{segment(path)}",
                    query={"unlink": unlink},
                    headers={"If-Match": if_match},
                )
            ),
        )
