"""Operations on ``attribute``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Attribute:
    """Operations on ``attribute``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        blueprint_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
        type: str | None = None,
        path: str | None = None,
        target_blueprint_id: str | None = None,
        source_blueprint_id: str | None = None,
        refs: bool | None = None,
    ) -> types.AttributePage:
        """List the attributes of a blueprint.

        A page of the blueprint's attributes, by id; by name if asked for a name.

        Needs: attribute.list.
        """
        return cast(
            "types.AttributePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/blueprint/{segment(blueprint_id)}/attributes",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "tags": tags,
                        "type": type,
                        "path": path,
                        "targetBlueprintId": target_blueprint_id,
                        "sourceBlueprintId": source_blueprint_id,
                        "refs": refs,
                    },
                )
            ),
        )

    def list_all(
        self,
        blueprint_id: str,
        *,
        per_page: int | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
        type: str | None = None,
        path: str | None = None,
        target_blueprint_id: str | None = None,
        source_blueprint_id: str | None = None,
        refs: bool | None = None,
    ) -> Iterator[types.Attribute]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                blueprint_id,
                per_page=per_page,
                total=total,
                name=name,
                tags=tags,
                type=type,
                path=path,
                target_blueprint_id=target_blueprint_id,
                source_blueprint_id=source_blueprint_id,
                refs=refs,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, blueprint_id: str, body: types.AttributeCreate, *, idempotency_key: str | None = None
    ) -> types.Attribute:
        """Create an attribute.

        Creates an attribute in the blueprint. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: attribute.create.
        """
        return cast(
            "types.Attribute",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/blueprint/{segment(blueprint_id)}/attributes",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, attribute_id: str, *, refs: bool | None = None) -> types.Attribute:
        """Read an attribute.

        One attribute; its ETag says its version.

        Needs: attribute.read.
        """
        return cast(
            "types.Attribute",
            self._sender.send(Request("GET", f"/v1/attribute/{segment(attribute_id)}", query={"refs": refs})),
        )

    def update(
        self,
        attribute_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Attribute:
        """Change an attribute.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        max, metadata, min, name, source, tags, values. With If-Match, only if nobody was faster.

        Needs: attribute.update.
        """
        return cast(
            "types.Attribute",
            self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/attribute/{segment(attribute_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    def delete(self, attribute_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete an attribute.

        The attribute is gone at once; a job clears what hung on it. With If-Match, only if nobody changed
        it meanwhile.

        Needs: attribute.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/attribute/{segment(attribute_id)}", headers={"If-Match": if_match})
            ),
        )


class AsyncAttribute:
    """Operations on ``attribute``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        blueprint_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
        type: str | None = None,
        path: str | None = None,
        target_blueprint_id: str | None = None,
        source_blueprint_id: str | None = None,
        refs: bool | None = None,
    ) -> types.AttributePage:
        """List the attributes of a blueprint.

        A page of the blueprint's attributes, by id; by name if asked for a name.

        Needs: attribute.list.
        """
        return cast(
            "types.AttributePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/blueprint/{segment(blueprint_id)}/attributes",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "tags": tags,
                        "type": type,
                        "path": path,
                        "targetBlueprintId": target_blueprint_id,
                        "sourceBlueprintId": source_blueprint_id,
                        "refs": refs,
                    },
                )
            ),
        )

    async def list_all(
        self,
        blueprint_id: str,
        *,
        per_page: int | None = None,
        total: bool | None = None,
        name: str | None = None,
        tags: str | None = None,
        type: str | None = None,
        path: str | None = None,
        target_blueprint_id: str | None = None,
        source_blueprint_id: str | None = None,
        refs: bool | None = None,
    ) -> AsyncIterator[types.Attribute]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                blueprint_id,
                per_page=per_page,
                total=total,
                name=name,
                tags=tags,
                type=type,
                path=path,
                target_blueprint_id=target_blueprint_id,
                source_blueprint_id=source_blueprint_id,
                refs=refs,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, blueprint_id: str, body: types.AttributeCreate, *, idempotency_key: str | None = None
    ) -> types.Attribute:
        """Create an attribute.

        Creates an attribute in the blueprint. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: attribute.create.
        """
        return cast(
            "types.Attribute",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/blueprint/{segment(blueprint_id)}/attributes",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, attribute_id: str, *, refs: bool | None = None) -> types.Attribute:
        """Read an attribute.

        One attribute; its ETag says its version.

        Needs: attribute.read.
        """
        return cast(
            "types.Attribute",
            await self._sender.send(
                Request("GET", f"/v1/attribute/{segment(attribute_id)}", query={"refs": refs})
            ),
        )

    async def update(
        self,
        attribute_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Attribute:
        """Change an attribute.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        max, metadata, min, name, source, tags, values. With If-Match, only if nobody was faster.

        Needs: attribute.update.
        """
        return cast(
            "types.Attribute",
            await self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/attribute/{segment(attribute_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    async def delete(self, attribute_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete an attribute.

        The attribute is gone at once; a job clears what hung on it. With If-Match, only if nobody changed
        it meanwhile.

        Needs: attribute.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/attribute/{segment(attribute_id)}", headers={"If-Match": if_match})
            ),
        )
