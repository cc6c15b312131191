"""Operations on ``script``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Literal, cast

import httpx

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Script:
    """Operations on ``script``."""

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
    ) -> types.ScriptPage:
        """List the scripts of a project.

        A page of the project's scripts, by id; by name if asked for a name.

        Needs: script.list.
        """
        return cast(
            "types.ScriptPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/scripts",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "alias": alias,
                        "tags": tags,
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
    ) -> Iterator[types.Script]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id, per_page=per_page, total=total, name=name, alias=alias, tags=tags, cursor=cursor
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.ScriptCreate, *, idempotency_key: str | None = None
    ) -> types.Script:
        """Create a script.

        Creates a script in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: script.create.
        """
        return cast(
            "types.Script",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/scripts",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, script_id: str) -> types.Script:
        """Read a script.

        One script; its ETag says its version.

        Needs: script.read.
        """
        return cast("types.Script", self._sender.send(Request("GET", f"/v1/script/{segment(script_id)}")))

    def update(
        self,
        script_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Script:
        """Change a script.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        alias, code, desc, files, metadata, name, requirements, tags. With If-Match, only if nobody was
        faster.

        Needs: script.update.
        """
        return cast(
            "types.Script",
            self._sender.send(
                Request(
                    "PATCH", f"/v1/script/{segment(script_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    def delete(self, script_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a script.

        The script is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: script.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/script/{segment(script_id)}", headers={"If-Match": if_match})
            ),
        )

    def replay_input_stream(
        self,
        script_id: str,
        body: types.ReplayAsked,
        *,
        accept: Literal["application/x-ndjson"] = "application/x-ndjson",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson'."""
        return self._sender.stream(
            Request("POST", f"/v1/script/{segment(script_id)}/replayInput", body=body, accept=accept)
        )


class AsyncScript:
    """Operations on ``script``."""

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
    ) -> types.ScriptPage:
        """List the scripts of a project.

        A page of the project's scripts, by id; by name if asked for a name.

        Needs: script.list.
        """
        return cast(
            "types.ScriptPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/scripts",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "alias": alias,
                        "tags": tags,
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
    ) -> AsyncIterator[types.Script]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id, per_page=per_page, total=total, name=name, alias=alias, tags=tags, cursor=cursor
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.ScriptCreate, *, idempotency_key: str | None = None
    ) -> types.Script:
        """Create a script.

        Creates a script in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: script.create.
        """
        return cast(
            "types.Script",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/scripts",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, script_id: str) -> types.Script:
        """Read a script.

        One script; its ETag says its version.

        Needs: script.read.
        """
        return cast(
            "types.Script", await self._sender.send(Request("GET", f"/v1/script/{segment(script_id)}"))
        )

    async def update(
        self,
        script_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Script:
        """Change a script.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        alias, code, desc, files, metadata, name, requirements, tags. With If-Match, only if nobody was
        faster.

        Needs: script.update.
        """
        return cast(
            "types.Script",
            await self._sender.send(
                Request(
                    "PATCH", f"/v1/script/{segment(script_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    async def delete(self, script_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a script.

        The script is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: script.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/script/{segment(script_id)}", headers={"If-Match": if_match})
            ),
        )

    def replay_input_stream(
        self,
        script_id: str,
        body: types.ReplayAsked,
        *,
        accept: Literal["application/x-ndjson"] = "application/x-ndjson",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson'."""
        return self._sender.stream(
            Request("POST", f"/v1/script/{segment(script_id)}/replayInput", body=body, accept=accept)
        )
