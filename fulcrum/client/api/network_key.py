"""Operations on ``network_key``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from typing import cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class NetworkKey:
    """Operations on ``network_key``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(self, network_id: str) -> types.Keys:
        """List the keys of a network.

        All keys of the network with their state, the latest first, without their secrets.

        Needs: network.read.
        """
        return cast(
            "types.Keys", self._sender.send(Request("GET", f"/v1/network/{segment(network_id)}/keys"))
        )

    def create(self, network_id: str, body: types.KeyCreate) -> types.NewKey:
        """Make a key for a network.

        The key's text is in this answer and never shown again. If the answer is lost, revoke the key and
        make another. Ingest takes it within five seconds.

        Needs: network.update.
        """
        return cast(
            "types.NewKey",
            self._sender.send(Request("POST", f"/v1/network/{segment(network_id)}/keys", body=body)),
        )

    def rotate(self, network_id: str, key_id: str, body: types.Rotation) -> types.NewKey:
        """Replace a key of a network.

        Makes a new key; the old one stays valid for a while, so that no event is refused.

        Needs: network.update.
        """
        return cast(
            "types.NewKey",
            self._sender.send(
                Request("POST", f"/v1/network/{segment(network_id)}/keys/{segment(key_id)}/rotate", body=body)
            ),
        )

    def revoke(self, network_id: str, key_id: str) -> types.Key:
        """Revoke a key of a network.

        Ingest refuses the key within five seconds, for good. Revoking it again changes nothing.

        Needs: network.update.
        """
        return cast(
            "types.Key",
            self._sender.send(Request("DELETE", f"/v1/network/{segment(network_id)}/keys/{segment(key_id)}")),
        )


class AsyncNetworkKey:
    """Operations on ``network_key``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(self, network_id: str) -> types.Keys:
        """List the keys of a network.

        All keys of the network with their state, the latest first, without their secrets.

        Needs: network.read.
        """
        return cast(
            "types.Keys", await self._sender.send(Request("GET", f"/v1/network/{segment(network_id)}/keys"))
        )

    async def create(self, network_id: str, body: types.KeyCreate) -> types.NewKey:
        """Make a key for a network.

        The key's text is in this answer and never shown again. If the answer is lost, revoke the key and
        make another. Ingest takes it within five seconds.

        Needs: network.update.
        """
        return cast(
            "types.NewKey",
            await self._sender.send(Request("POST", f"/v1/network/{segment(network_id)}/keys", body=body)),
        )

    async def rotate(self, network_id: str, key_id: str, body: types.Rotation) -> types.NewKey:
        """Replace a key of a network.

        Makes a new key; the old one stays valid for a while, so that no event is refused.

        Needs: network.update.
        """
        return cast(
            "types.NewKey",
            await self._sender.send(
                Request("POST", f"/v1/network/{segment(network_id)}/keys/{segment(key_id)}/rotate", body=body)
            ),
        )

    async def revoke(self, network_id: str, key_id: str) -> types.Key:
        """Revoke a key of a network.

        Ingest refuses the key within five seconds, for good. Revoking it again changes nothing.

        Needs: network.update.
        """
        return cast(
            "types.Key",
            await self._sender.send(
                Request("DELETE", f"/v1/network/{segment(network_id)}/keys/{segment(key_id)}")
            ),
        )
