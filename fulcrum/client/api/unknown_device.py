"""Operations on ``unknown_device``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class UnknownDevice:
    """Operations on ``unknown_device``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        project_id: str,
        *,
        network_id: str | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.UnknownDevicePage:
        """List unknown devices.

        A page of the outside names that sent events and belong to no device, the latest seen first. Each is
        forgotten 30 days after its last event. A name that a device has got meanwhile is left out of its
        page, which is shorter then; total counts it.

        Needs: unknownDevice.list.
        """
        return cast(
            "types.UnknownDevicePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/unknownDevices",
                    query={"networkId": network_id, "perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    def list_all(
        self,
        project_id: str,
        *,
        network_id: str | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> Iterator[types.UnknownDevice]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(project_id, network_id=network_id, per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def get(self, unknown_device_id: str) -> types.UnknownDevice:
        """Read an unknown device.

        An outside name that belongs to no device, with the last event that was kept.

        Needs: unknownDevice.read.
        """
        return cast(
            "types.UnknownDevice",
            self._sender.send(Request("GET", f"/v1/unknownDevice/{segment(unknown_device_id)}")),
        )

    def delete(self, unknown_device_id: str) -> types.Deleted:
        """Forget an unknown device.

        Forgets the outside name. It is listed again when it sends another event.

        Needs: unknownDevice.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(Request("DELETE", f"/v1/unknownDevice/{segment(unknown_device_id)}")),
        )

    def adopt(self, unknown_device_id: str, body: types.Adoption) -> types.Device:
        """Make a device of an unknown one.

        Creates a device with the outside name, and forgets the unknown device, in one commit: of many who
        adopt it at once, one wins. Its events arrive from then on, within 10 seconds; those before are
        gone. Needs the permission to create such a device as well.

        Needs: unknownDevice.update.
        """
        return cast(
            "types.Device",
            self._sender.send(
                Request("POST", f"/v1/unknownDevice/{segment(unknown_device_id)}/adopt", body=body)
            ),
        )


class AsyncUnknownDevice:
    """Operations on ``unknown_device``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str,
        *,
        network_id: str | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.UnknownDevicePage:
        """List unknown devices.

        A page of the outside names that sent events and belong to no device, the latest seen first. Each is
        forgotten 30 days after its last event. A name that a device has got meanwhile is left out of its
        page, which is shorter then; total counts it.

        Needs: unknownDevice.list.
        """
        return cast(
            "types.UnknownDevicePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/unknownDevices",
                    query={"networkId": network_id, "perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    async def list_all(
        self,
        project_id: str,
        *,
        network_id: str | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> AsyncIterator[types.UnknownDevice]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id, network_id=network_id, per_page=per_page, total=total, cursor=cursor
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def get(self, unknown_device_id: str) -> types.UnknownDevice:
        """Read an unknown device.

        An outside name that belongs to no device, with the last event that was kept.

        Needs: unknownDevice.read.
        """
        return cast(
            "types.UnknownDevice",
            await self._sender.send(Request("GET", f"/v1/unknownDevice/{segment(unknown_device_id)}")),
        )

    async def delete(self, unknown_device_id: str) -> types.Deleted:
        """Forget an unknown device.

        Forgets the outside name. It is listed again when it sends another event.

        Needs: unknownDevice.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(Request("DELETE", f"/v1/unknownDevice/{segment(unknown_device_id)}")),
        )

    async def adopt(self, unknown_device_id: str, body: types.Adoption) -> types.Device:
        """Make a device of an unknown one.

        Creates a device with the outside name, and forgets the unknown device, in one commit: of many who
        adopt it at once, one wins. Its events arrive from then on, within 10 seconds; those before are
        gone. Needs the permission to create such a device as well.

        Needs: unknownDevice.update.
        """
        return cast(
            "types.Device",
            await self._sender.send(
                Request("POST", f"/v1/unknownDevice/{segment(unknown_device_id)}/adopt", body=body)
            ),
        )
