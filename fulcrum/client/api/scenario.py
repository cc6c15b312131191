"""Operations on ``scenario``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Scenario:
    """Operations on ``scenario``."""

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
        blueprint_id: str | None = None,
        refs: bool | None = None,
    ) -> types.ScenarioPage:
        """List the scenarios of a project.

        A page of the project's scenarios, by id; by name if asked for a name.

        Needs: scenario.list.
        """
        return cast(
            "types.ScenarioPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/scenarios",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "tags": tags,
                        "blueprintId": blueprint_id,
                        "refs": refs,
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
        tags: str | None = None,
        blueprint_id: str | None = None,
        refs: bool | None = None,
    ) -> Iterator[types.Scenario]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id,
                per_page=per_page,
                total=total,
                name=name,
                tags=tags,
                blueprint_id=blueprint_id,
                refs=refs,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.ScenarioCreate, *, idempotency_key: str | None = None
    ) -> types.Scenario:
        """Create a scenario.

        Creates a scenario in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: scenario.create.
        """
        return cast(
            "types.Scenario",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/scenarios",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, scenario_id: str, *, refs: bool | None = None) -> types.Scenario:
        """Read a scenario.

        One scenario; its ETag says its version.

        Needs: scenario.read.
        """
        return cast(
            "types.Scenario",
            self._sender.send(Request("GET", f"/v1/scenario/{segment(scenario_id)}", query={"refs": refs})),
        )

    def update(
        self,
        scenario_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Scenario:
        """Change a scenario.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        duration, faults, loop, name, tags, tracks. With If-Match, only if nobody was faster.

        Needs: scenario.update.
        """
        return cast(
            "types.Scenario",
            self._sender.send(
                Request(
                    "PATCH", f"/v1/scenario/{segment(scenario_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    def delete(self, scenario_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a scenario.

        The scenario is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: scenario.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/scenario/{segment(scenario_id)}", headers={"If-Match": if_match})
            ),
        )


class AsyncScenario:
    """Operations on ``scenario``."""

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
        blueprint_id: str | None = None,
        refs: bool | None = None,
    ) -> types.ScenarioPage:
        """List the scenarios of a project.

        A page of the project's scenarios, by id; by name if asked for a name.

        Needs: scenario.list.
        """
        return cast(
            "types.ScenarioPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/scenarios",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "tags": tags,
                        "blueprintId": blueprint_id,
                        "refs": refs,
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
        tags: str | None = None,
        blueprint_id: str | None = None,
        refs: bool | None = None,
    ) -> AsyncIterator[types.Scenario]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id,
                per_page=per_page,
                total=total,
                name=name,
                tags=tags,
                blueprint_id=blueprint_id,
                refs=refs,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.ScenarioCreate, *, idempotency_key: str | None = None
    ) -> types.Scenario:
        """Create a scenario.

        Creates a scenario in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: scenario.create.
        """
        return cast(
            "types.Scenario",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/scenarios",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, scenario_id: str, *, refs: bool | None = None) -> types.Scenario:
        """Read a scenario.

        One scenario; its ETag says its version.

        Needs: scenario.read.
        """
        return cast(
            "types.Scenario",
            await self._sender.send(
                Request("GET", f"/v1/scenario/{segment(scenario_id)}", query={"refs": refs})
            ),
        )

    async def update(
        self,
        scenario_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Scenario:
        """Change a scenario.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc,
        duration, faults, loop, name, tags, tracks. With If-Match, only if nobody was faster.

        Needs: scenario.update.
        """
        return cast(
            "types.Scenario",
            await self._sender.send(
                Request(
                    "PATCH", f"/v1/scenario/{segment(scenario_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    async def delete(self, scenario_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a scenario.

        The scenario is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: scenario.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/scenario/{segment(scenario_id)}", headers={"If-Match": if_match})
            ),
        )
