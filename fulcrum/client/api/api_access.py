"""Operations on ``api_access``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class ApiAccess:
    """Operations on ``api_access``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.ApiAccessPage:
        """List the API keys of a project.

        A page of the project's API keys, without their secrets.

        Needs: apiAccess.list.
        """
        return cast(
            "types.ApiAccessPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/apiAccess",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    def list_all(
        self, project_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> Iterator[types.ApiAccess]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(project_id, per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.ApiAccessCreate, *, idempotency_key: str | None = None
    ) -> types.ApiAccessSecret:
        """Create an API key.

        The answer shows the secret, this once. Without roles the key may do everything in the project, so
        only who may do everything makes one; a narrowed key may do what its roles say.

        Needs: apiAccess.create.
        """
        return cast(
            "types.ApiAccessSecret",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/apiAccess",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def rotate(self, api_access_id: str, *, if_match: str | None = None) -> types.ApiAccessSecret:
        """Give an API key a new secret.

        The answer shows the new secret, this once; the old one stops within 10 s. Only by who holds all
        that the key does. With If-Match, only if nobody was faster.

        Needs: apiAccess.update.
        """
        return cast(
            "types.ApiAccessSecret",
            self._sender.send(
                Request(
                    "POST", f"/v1/apiAccess/{segment(api_access_id)}/rotate", headers={"If-Match": if_match}
                )
            ),
        )

    def get(self, api_access_id: str) -> types.ApiAccess:
        """Read an apiAccess.

        One apiAccess; its ETag says its version.

        Needs: apiAccess.read.
        """
        return cast(
            "types.ApiAccess", self._sender.send(Request("GET", f"/v1/apiAccess/{segment(api_access_id)}"))
        )

    def update(
        self,
        api_access_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.ApiAccess:
        """Change an apiAccess.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        expires, metadata, name, narrowed, revoked. With If-Match, only if nobody was faster.

        Needs: apiAccess.update.
        """
        return cast(
            "types.ApiAccess",
            self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/apiAccess/{segment(api_access_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    def delete(self, api_access_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete an apiAccess.

        The apiAccess is gone at once; a job clears what hung on it. With If-Match, only if nobody changed
        it meanwhile.

        Needs: apiAccess.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/apiAccess/{segment(api_access_id)}", headers={"If-Match": if_match})
            ),
        )


class AsyncApiAccess:
    """Operations on ``api_access``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.ApiAccessPage:
        """List the API keys of a project.

        A page of the project's API keys, without their secrets.

        Needs: apiAccess.list.
        """
        return cast(
            "types.ApiAccessPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/apiAccess",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    async def list_all(
        self, project_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> AsyncIterator[types.ApiAccess]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(project_id, per_page=per_page, total=total, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.ApiAccessCreate, *, idempotency_key: str | None = None
    ) -> types.ApiAccessSecret:
        """Create an API key.

        The answer shows the secret, this once. Without roles the key may do everything in the project, so
        only who may do everything makes one; a narrowed key may do what its roles say.

        Needs: apiAccess.create.
        """
        return cast(
            "types.ApiAccessSecret",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/apiAccess",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def rotate(self, api_access_id: str, *, if_match: str | None = None) -> types.ApiAccessSecret:
        """Give an API key a new secret.

        The answer shows the new secret, this once; the old one stops within 10 s. Only by who holds all
        that the key does. With If-Match, only if nobody was faster.

        Needs: apiAccess.update.
        """
        return cast(
            "types.ApiAccessSecret",
            await self._sender.send(
                Request(
                    "POST", f"/v1/apiAccess/{segment(api_access_id)}/rotate", headers={"If-Match": if_match}
                )
            ),
        )

    async def get(self, api_access_id: str) -> types.ApiAccess:
        """Read an apiAccess.

        One apiAccess; its ETag says its version.

        Needs: apiAccess.read.
        """
        return cast(
            "types.ApiAccess",
            await self._sender.send(Request("GET", f"/v1/apiAccess/{segment(api_access_id)}")),
        )

    async def update(
        self,
        api_access_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.ApiAccess:
        """Change an apiAccess.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        expires, metadata, name, narrowed, revoked. With If-Match, only if nobody was faster.

        Needs: apiAccess.update.
        """
        return cast(
            "types.ApiAccess",
            await self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/apiAccess/{segment(api_access_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    async def delete(self, api_access_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete an apiAccess.

        The apiAccess is gone at once; a job clears what hung on it. With If-Match, only if nobody changed
        it meanwhile.

        Needs: apiAccess.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/apiAccess/{segment(api_access_id)}", headers={"If-Match": if_match})
            ),
        )
