"""Operations on ``device_token``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from typing import cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class DeviceToken:
    """Operations on ``device_token``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(self, device_id: str) -> types.Tokens:
        """List the tokens of a device.

        All tokens of the device with their state, the latest first, without their secrets.

        Needs: device.read.
        """
        return cast(
            "types.Tokens", self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/tokens"))
        )

    def create(self, device_id: str, body: types.TokenCreate) -> types.NewToken:
        """Make a token for a device.

        The token's text is in this answer and never shown again. If the answer is lost, revoke the token
        and make another. Ingest takes it within five seconds, for the device's aliases on one network.

        Needs: device.update.
        """
        return cast(
            "types.NewToken",
            self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/tokens", body=body)),
        )

    def rotate(self, device_id: str, token_id: str, body: types.Rotation) -> types.NewToken:
        """Replace a token of a device.

        Makes a new token; the old one stays valid for a while, so that no event is refused.

        Needs: device.update.
        """
        return cast(
            "types.NewToken",
            self._sender.send(
                Request(
                    "POST", f"/v1/device/{segment(device_id)}/tokens/{segment(token_id)}/rotate", body=body
                )
            ),
        )

    def revoke(self, device_id: str, token_id: str) -> types.Token:
        """Revoke a token of a device.

        Ingest refuses the token within five seconds, for good. Revoking it again changes nothing.

        Needs: device.update.
        """
        return cast(
            "types.Token",
            self._sender.send(
                Request("DELETE", f"/v1/device/{segment(device_id)}/tokens/{segment(token_id)}")
            ),
        )


class AsyncDeviceToken:
    """Operations on ``device_token``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(self, device_id: str) -> types.Tokens:
        """List the tokens of a device.

        All tokens of the device with their state, the latest first, without their secrets.

        Needs: device.read.
        """
        return cast(
            "types.Tokens", await self._sender.send(Request("GET", f"/v1/device/{segment(device_id)}/tokens"))
        )

    async def create(self, device_id: str, body: types.TokenCreate) -> types.NewToken:
        """Make a token for a device.

        The token's text is in this answer and never shown again. If the answer is lost, revoke the token
        and make another. Ingest takes it within five seconds, for the device's aliases on one network.

        Needs: device.update.
        """
        return cast(
            "types.NewToken",
            await self._sender.send(Request("POST", f"/v1/device/{segment(device_id)}/tokens", body=body)),
        )

    async def rotate(self, device_id: str, token_id: str, body: types.Rotation) -> types.NewToken:
        """Replace a token of a device.

        Makes a new token; the old one stays valid for a while, so that no event is refused.

        Needs: device.update.
        """
        return cast(
            "types.NewToken",
            await self._sender.send(
                Request(
                    "POST", f"/v1/device/{segment(device_id)}/tokens/{segment(token_id)}/rotate", body=body
                )
            ),
        )

    async def revoke(self, device_id: str, token_id: str) -> types.Token:
        """Revoke a token of a device.

        Ingest refuses the token within five seconds, for good. Revoking it again changes nothing.

        Needs: device.update.
        """
        return cast(
            "types.Token",
            await self._sender.send(
                Request("DELETE", f"/v1/device/{segment(device_id)}/tokens/{segment(token_id)}")
            ),
        )
