"""Operations on ``blueprint``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Blueprint:
    """Operations on ``blueprint``."""

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
        alias: str | None = None,
        tags: str | None = None,
        purpose: str | None = None,
        message_route_id: str | None = None,
        refs: bool | None = None,
        children: str | None = None,
    ) -> types.BlueprintPage:
        """List the blueprints of a project.

        A page of the project's blueprints, by id; by name if asked for a name.

        Needs: blueprint.list.
        """
        return cast(
            "types.BlueprintPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/blueprints",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "alias": alias,
                        "tags": tags,
                        "purpose": purpose,
                        "messageRouteId": message_route_id,
                        "refs": refs,
                        "children": children,
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
        purpose: str | None = None,
        message_route_id: str | None = None,
        refs: bool | None = None,
        children: str | None = None,
    ) -> Iterator[types.Blueprint]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id,
                per_page=per_page,
                total=total,
                name=name,
                alias=alias,
                tags=tags,
                purpose=purpose,
                message_route_id=message_route_id,
                refs=refs,
                children=children,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.BlueprintCreate, *, idempotency_key: str | None = None
    ) -> types.Blueprint:
        """Create a blueprint.

        Creates a blueprint in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: blueprint.create.
        """
        return cast(
            "types.Blueprint",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/blueprints",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(
        self, blueprint_id: str, *, refs: bool | None = None, children: str | None = None
    ) -> types.Blueprint:
        """Read a blueprint.

        One blueprint; its ETag says its version.

        Needs: blueprint.read.
        """
        return cast(
            "types.Blueprint",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/blueprint/{segment(blueprint_id)}",
                    query={"refs": refs, "children": children},
                )
            ),
        )

    def update(
        self,
        blueprint_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Blueprint:
        """Change a blueprint.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        alias, checkMode, desc, messageRoute, messageRouteId, metadata, name, retention, tags. With If-
        Match, only if nobody was faster.

        Needs: blueprint.update.
        """
        return cast(
            "types.Blueprint",
            self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/blueprint/{segment(blueprint_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    def delete(self, blueprint_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a blueprint.

        The blueprint is gone at once; a job clears what hung on it. With If-Match, only if nobody changed
        it meanwhile.

        Needs: blueprint.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/blueprint/{segment(blueprint_id)}", headers={"If-Match": if_match})
            ),
        )

    def simulate(self, blueprint_id: str, body: types.SimulateBlueprint) -> types.SimulationsAccepted:
        """Run the simulations of a blueprint's devices.

        Plays, starts, pauses, resets or stops the simulated devices of a blueprint, of one system or all:
        500 of them at a time, and 'next' says that there are more. It takes effect within one or two
        seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationsAccepted",
            self._sender.send(Request("POST", f"/v1/blueprint/{segment(blueprint_id)}/simulate", body=body)),
        )


class AsyncBlueprint:
    """Operations on ``blueprint``."""

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
        alias: str | None = None,
        tags: str | None = None,
        purpose: str | None = None,
        message_route_id: str | None = None,
        refs: bool | None = None,
        children: str | None = None,
    ) -> types.BlueprintPage:
        """List the blueprints of a project.

        A page of the project's blueprints, by id; by name if asked for a name.

        Needs: blueprint.list.
        """
        return cast(
            "types.BlueprintPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/blueprints",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "alias": alias,
                        "tags": tags,
                        "purpose": purpose,
                        "messageRouteId": message_route_id,
                        "refs": refs,
                        "children": children,
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
        purpose: str | None = None,
        message_route_id: str | None = None,
        refs: bool | None = None,
        children: str | None = None,
    ) -> AsyncIterator[types.Blueprint]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id,
                per_page=per_page,
                total=total,
                name=name,
                alias=alias,
                tags=tags,
                purpose=purpose,
                message_route_id=message_route_id,
                refs=refs,
                children=children,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.BlueprintCreate, *, idempotency_key: str | None = None
    ) -> types.Blueprint:
        """Create a blueprint.

        Creates a blueprint in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: blueprint.create.
        """
        return cast(
            "types.Blueprint",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/blueprints",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(
        self, blueprint_id: str, *, refs: bool | None = None, children: str | None = None
    ) -> types.Blueprint:
        """Read a blueprint.

        One blueprint; its ETag says its version.

        Needs: blueprint.read.
        """
        return cast(
            "types.Blueprint",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/blueprint/{segment(blueprint_id)}",
                    query={"refs": refs, "children": children},
                )
            ),
        )

    async def update(
        self,
        blueprint_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Blueprint:
        """Change a blueprint.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        alias, checkMode, desc, messageRoute, messageRouteId, metadata, name, retention, tags. With If-
        Match, only if nobody was faster.

        Needs: blueprint.update.
        """
        return cast(
            "types.Blueprint",
            await self._sender.send(
                Request(
                    "PATCH",
                    f"/v1/blueprint/{segment(blueprint_id)}",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    async def delete(self, blueprint_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a blueprint.

        The blueprint is gone at once; a job clears what hung on it. With If-Match, only if nobody changed
        it meanwhile.

        Needs: blueprint.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/blueprint/{segment(blueprint_id)}", headers={"If-Match": if_match})
            ),
        )

    async def simulate(self, blueprint_id: str, body: types.SimulateBlueprint) -> types.SimulationsAccepted:
        """Run the simulations of a blueprint's devices.

        Plays, starts, pauses, resets or stops the simulated devices of a blueprint, of one system or all:
        500 of them at a time, and 'next' says that there are more. It takes effect within one or two
        seconds.

        Needs: device.runSimulation.
        """
        return cast(
            "types.SimulationsAccepted",
            await self._sender.send(
                Request("POST", f"/v1/blueprint/{segment(blueprint_id)}/simulate", body=body)
            ),
        )
