"""Operations on ``timer``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Timer:
    """Operations on ``timer``."""

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
        system_id: str | None = None,
        device_id: str | None = None,
        script_id: str | None = None,
        refs: bool | None = None,
    ) -> types.TimerPage:
        """List the timers of a project.

        A page of the project's timers, by id; by name if asked for a name.

        Needs: timer.list.
        """
        return cast(
            "types.TimerPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/timers",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "tags": tags,
                        "systemId": system_id,
                        "deviceId": device_id,
                        "scriptId": script_id,
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
        system_id: str | None = None,
        device_id: str | None = None,
        script_id: str | None = None,
        refs: bool | None = None,
    ) -> Iterator[types.Timer]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id,
                per_page=per_page,
                total=total,
                name=name,
                tags=tags,
                system_id=system_id,
                device_id=device_id,
                script_id=script_id,
                refs=refs,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.TimerCreate, *, idempotency_key: str | None = None
    ) -> types.Timer:
        """Create a timer.

        Creates a timer in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: timer.create.
        """
        return cast(
            "types.Timer",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/timers",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, timer_id: str, *, refs: bool | None = None) -> types.Timer:
        """Read a timer.

        One timer; its ETag says its version.

        Needs: timer.read.
        """
        return cast(
            "types.Timer",
            self._sender.send(Request("GET", f"/v1/timer/{segment(timer_id)}", query={"refs": refs})),
        )

    def update(
        self,
        timer_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Timer:
        """Change a timer.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        action, desc, name, tags, timer. With If-Match, only if nobody was faster.

        Needs: timer.update.
        """
        return cast(
            "types.Timer",
            self._sender.send(
                Request("PATCH", f"/v1/timer/{segment(timer_id)}", headers={"If-Match": if_match}, body=body)
            ),
        )

    def delete(self, timer_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a timer.

        The timer is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: timer.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/timer/{segment(timer_id)}", headers={"If-Match": if_match})
            ),
        )

    def start(self, timer_id: str) -> types.TimerAccepted:
        """Start a timer.

        Has the timer run as it is defined now, its delay from now on; one that runs starts anew. A later
        change of the timer counts once it is started again.

        Needs: timer.start.
        """
        return cast(
            "types.TimerAccepted", self._sender.send(Request("POST", f"/v1/timer/{segment(timer_id)}/start"))
        )

    def stop(self, timer_id: str) -> types.TimerAccepted:
        """Stop a timer.

        The timer fires no more until it is started again.

        Needs: timer.start.
        """
        return cast(
            "types.TimerAccepted", self._sender.send(Request("POST", f"/v1/timer/{segment(timer_id)}/stop"))
        )

    def state(self, timer_id: str, *, count: int | None = None) -> types.TimerRun:
        """Whether a timer runs, and when it fires.

        Its state, the next times at which it fires, and how often it has fired since it was started.

        Needs: timer.read.
        """
        return cast(
            "types.TimerRun",
            self._sender.send(Request("GET", f"/v1/timer/{segment(timer_id)}/state", query={"count": count})),
        )


class AsyncTimer:
    """Operations on ``timer``."""

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
        system_id: str | None = None,
        device_id: str | None = None,
        script_id: str | None = None,
        refs: bool | None = None,
    ) -> types.TimerPage:
        """List the timers of a project.

        A page of the project's timers, by id; by name if asked for a name.

        Needs: timer.list.
        """
        return cast(
            "types.TimerPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/timers",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "tags": tags,
                        "systemId": system_id,
                        "deviceId": device_id,
                        "scriptId": script_id,
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
        system_id: str | None = None,
        device_id: str | None = None,
        script_id: str | None = None,
        refs: bool | None = None,
    ) -> AsyncIterator[types.Timer]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id,
                per_page=per_page,
                total=total,
                name=name,
                tags=tags,
                system_id=system_id,
                device_id=device_id,
                script_id=script_id,
                refs=refs,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.TimerCreate, *, idempotency_key: str | None = None
    ) -> types.Timer:
        """Create a timer.

        Creates a timer in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: timer.create.
        """
        return cast(
            "types.Timer",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/timers",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, timer_id: str, *, refs: bool | None = None) -> types.Timer:
        """Read a timer.

        One timer; its ETag says its version.

        Needs: timer.read.
        """
        return cast(
            "types.Timer",
            await self._sender.send(Request("GET", f"/v1/timer/{segment(timer_id)}", query={"refs": refs})),
        )

    async def update(
        self,
        timer_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Timer:
        """Change a timer.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        action, desc, name, tags, timer. With If-Match, only if nobody was faster.

        Needs: timer.update.
        """
        return cast(
            "types.Timer",
            await self._sender.send(
                Request("PATCH", f"/v1/timer/{segment(timer_id)}", headers={"If-Match": if_match}, body=body)
            ),
        )

    async def delete(self, timer_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a timer.

        The timer is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: timer.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/timer/{segment(timer_id)}", headers={"If-Match": if_match})
            ),
        )

    async def start(self, timer_id: str) -> types.TimerAccepted:
        """Start a timer.

        Has the timer run as it is defined now, its delay from now on; one that runs starts anew. A later
        change of the timer counts once it is started again.

        Needs: timer.start.
        """
        return cast(
            "types.TimerAccepted",
            await self._sender.send(Request("POST", f"/v1/timer/{segment(timer_id)}/start")),
        )

    async def stop(self, timer_id: str) -> types.TimerAccepted:
        """Stop a timer.

        The timer fires no more until it is started again.

        Needs: timer.start.
        """
        return cast(
            "types.TimerAccepted",
            await self._sender.send(Request("POST", f"/v1/timer/{segment(timer_id)}/stop")),
        )

    async def state(self, timer_id: str, *, count: int | None = None) -> types.TimerRun:
        """Whether a timer runs, and when it fires.

        Its state, the next times at which it fires, and how often it has fired since it was started.

        Needs: timer.read.
        """
        return cast(
            "types.TimerRun",
            await self._sender.send(
                Request("GET", f"/v1/timer/{segment(timer_id)}/state", query={"count": count})
            ),
        )
