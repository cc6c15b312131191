"""Operations on ``network``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Network:
    """Operations on ``network``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
    ) -> types.NetworkPage:
        """List the networks of a project.

        A page of the project's networks, by id; by name if asked for a name.

        Needs: network.list.
        """
        return cast(
            "types.NetworkPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/networks",
                    query={"perPage": per_page, "cursor": cursor, "total": total, "name": name, "tags": tags},
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
        tags: str | None = None,
    ) -> Iterator[types.Network]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(project_id, per_page=per_page, total=total, name=name, tags=tags, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.NetworkCreate, *, idempotency_key: str | None = None
    ) -> types.Network:
        """Create a network.

        Creates a network in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: network.create.
        """
        return cast(
            "types.Network",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/networks",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, network_id: str) -> types.Network:
        """Read a network.

        One network; its ETag says its version.

        Needs: network.read.
        """
        return cast("types.Network", self._sender.send(Request("GET", f"/v1/network/{segment(network_id)}")))

    def update(
        self,
        network_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Network:
        """Change a network.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        aliasKeys, desc, metadata, name, outbound, rateLimit, tags. With If-Match, only if nobody was
        faster.

        Needs: network.update.
        """
        return cast(
            "types.Network",
            self._sender.send(
                Request(
                    "PATCH", f"/v1/network/{segment(network_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    def delete(self, network_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a network.

        The network is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: network.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/network/{segment(network_id)}", headers={"If-Match": if_match})
            ),
        )

    def list_secret_headers(self, network_id: str) -> types.SecretHeaderNames:
        """List the names of a network's secret headers.

        Their names alone.

        Needs: network.read.
        """
        return cast(
            "types.SecretHeaderNames",
            self._sender.send(Request("GET", f"/v1/network/{segment(network_id)}/secretHeaders")),
        )

    def set_secret_headers(self, network_id: str, body: types.SecretHeaders) -> types.SecretHeaderNames:
        """Set a network's secret headers.

        Headers that requests to the network's devices bear beside those in its 'outbound', such as
        Authorization. All that there were before are replaced. Their values are kept sealed and never
        shown.

        Needs: network.update.
        """
        return cast(
            "types.SecretHeaderNames",
            self._sender.send(Request("PUT", f"/v1/network/{segment(network_id)}/secretHeaders", body=body)),
        )


class AsyncNetwork:
    """Operations on ``network``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
    ) -> types.NetworkPage:
        """List the networks of a project.

        A page of the project's networks, by id; by name if asked for a name.

        Needs: network.list.
        """
        return cast(
            "types.NetworkPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/networks",
                    query={"perPage": per_page, "cursor": cursor, "total": total, "name": name, "tags": tags},
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
        tags: str | None = None,
    ) -> AsyncIterator[types.Network]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id, per_page=per_page, total=total, name=name, tags=tags, cursor=cursor
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.NetworkCreate, *, idempotency_key: str | None = None
    ) -> types.Network:
        """Create a network.

        Creates a network in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: network.create.
        """
        return cast(
            "types.Network",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/networks",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, network_id: str) -> types.Network:
        """Read a network.

        One network; its ETag says its version.

        Needs: network.read.
        """
        return cast(
            "types.Network", await self._sender.send(Request("GET", f"/v1/network/{segment(network_id)}"))
        )

    async def update(
        self,
        network_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Network:
        """Change a network.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        aliasKeys, desc, metadata, name, outbound, rateLimit, tags. With If-Match, only if nobody was
        faster.

        Needs: network.update.
        """
        return cast(
            "types.Network",
            await self._sender.send(
                Request(
                    "PATCH", f"/v1/network/{segment(network_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    async def delete(self, network_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a network.

        The network is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: network.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/network/{segment(network_id)}", headers={"If-Match": if_match})
            ),
        )

    async def list_secret_headers(self, network_id: str) -> types.SecretHeaderNames:
        """List the names of a network's secret headers.

        Their names alone.

        Needs: network.read.
        """
        return cast(
            "types.SecretHeaderNames",
            await self._sender.send(Request("GET", f"/v1/network/{segment(network_id)}/secretHeaders")),
        )

    async def set_secret_headers(self, network_id: str, body: types.SecretHeaders) -> types.SecretHeaderNames:
        """Set a network's secret headers.

        Headers that requests to the network's devices bear beside those in its 'outbound', such as
        Authorization. All that there were before are replaced. Their values are kept sealed and never
        shown.

        Needs: network.update.
        """
        return cast(
            "types.SecretHeaderNames",
            await self._sender.send(
                Request("PUT", f"/v1/network/{segment(network_id)}/secretHeaders", body=body)
            ),
        )
