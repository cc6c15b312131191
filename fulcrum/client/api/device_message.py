"""Operations on ``device_message``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class DeviceMessage:
    """Operations on ``device_message``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        device_id: str,
        *,
        state: Literal["queued", "sent", "acked", "failed", "expired", "replaced", "cancelled"] | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.DeviceMessagePage:
        """List the messages to a device.

        A page of the messages to a device, the latest first, each kept for 30 days after its end.

        Needs: device.sendMessage.
        """
        return cast(
            "types.DeviceMessagePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/device/{segment(device_id)}/messages",
                    query={"state": state, "perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    def list_all(
        self,
        device_id: str,
        *,
        state: Literal["queued", "sent", "acked", "failed", "expired", "replaced", "cancelled"] | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> Iterator[types.DeviceMessage]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(device_id, state=state, per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def send(
        self, device_id: str, body: types.DeviceMessageCreate, *, idempotency_key: str | None = None
    ) -> types.DeviceMessage:
        """Send a message to a device.

        The message waits until the device has it, its time is over, or it is cancelled; by the way that the
        device's network has for messages. The same msgId (or Idempotency-Key) again is the same message,
        sent once.

        Needs: device.sendMessage.
        """
        return cast(
            "types.DeviceMessage",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/messages",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, device_id: str, message_id: str) -> types.DeviceMessage:
        """Read a message to a device.

        One message, and what became of it.

        Needs: device.sendMessage.
        """
        return cast(
            "types.DeviceMessage",
            self._sender.send(
                Request("GET", f"/v1/device/{segment(device_id)}/messages/{segment(message_id)}")
            ),
        )

    def cancel(self, device_id: str, message_id: str) -> types.DeviceMessage:
        """Cancel a message to a device.

        A message that waits is not sent any more. One that is cancelled already stays so.

        Needs: device.sendMessage.
        """
        return cast(
            "types.DeviceMessage",
            self._sender.send(
                Request("POST", f"/v1/device/{segment(device_id)}/messages/{segment(message_id)}/cancel")
            ),
        )


class AsyncDeviceMessage:
    """Operations on ``device_message``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        device_id: str,
        *,
        state: Literal["queued", "sent", "acked", "failed", "expired", "replaced", "cancelled"] | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.DeviceMessagePage:
        """List the messages to a device.

        A page of the messages to a device, the latest first, each kept for 30 days after its end.

        Needs: device.sendMessage.
        """
        return cast(
            "types.DeviceMessagePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/device/{segment(device_id)}/messages",
                    query={"state": state, "perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    async def list_all(
        self,
        device_id: str,
        *,
        state: Literal["queued", "sent", "acked", "failed", "expired", "replaced", "cancelled"] | None = None,
        per_page: int | None = None,
        total: bool | None = None,
    ) -> AsyncIterator[types.DeviceMessage]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(device_id, state=state, per_page=per_page, total=total, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def send(
        self, device_id: str, body: types.DeviceMessageCreate, *, idempotency_key: str | None = None
    ) -> types.DeviceMessage:
        """Send a message to a device.

        The message waits until the device has it, its time is over, or it is cancelled; by the way that the
        device's network has for messages. The same msgId (or Idempotency-Key) again is the same message,
        sent once.

        Needs: device.sendMessage.
        """
        return cast(
            "types.DeviceMessage",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/device/{segment(device_id)}/messages",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, device_id: str, message_id: str) -> types.DeviceMessage:
        """Read a message to a device.

        One message, and what became of it.

        Needs: device.sendMessage.
        """
        return cast(
            "types.DeviceMessage",
            await self._sender.send(
                Request("GET", f"/v1/device/{segment(device_id)}/messages/{segment(message_id)}")
            ),
        )

    async def cancel(self, device_id: str, message_id: str) -> types.DeviceMessage:
        """Cancel a message to a device.

        A message that waits is not sent any more. One that is cancelled already stays so.

        Needs: device.sendMessage.
        """
        return cast(
            "types.DeviceMessage",
            await self._sender.send(
                Request("POST", f"/v1/device/{segment(device_id)}/messages/{segment(message_id)}/cancel")
            ),
        )
