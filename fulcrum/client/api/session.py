"""Operations on ``session``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Session:
    """Operations on ``session``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def setup_create(self, body: types.Setup) -> types.User:
        """Make the first administrator.

        Makes the platform's first administrator for whoever holds the deployment's secret SETUP_TOKEN,
        while there is none.

        Needs: public.
        """
        return cast("types.User", self._sender.send(Request("POST", "/v1/setup", body=body)))

    def create(
        self, body: types.SignIn, *, session: Literal["token", "cookie"] | None = None
    ) -> types.SignedIn:
        """Sign in.

        Opens a session by username and password. After repeated failures the same source has to wait (429,
        Retry-After), longer each time; others are not affected.

        Needs: public.
        """
        return cast(
            "types.SignedIn",
            self._sender.send(Request("POST", "/v1/login", query={"session": session}, body=body)),
        )

    def refresh(self, *, body: types.Refresh | None = None) -> types.SignedIn:
        """Go on with a session.

        Answers new tokens for a refresh token, which is good once: one that is used again ends its session.
        A page sends no body: its cookie says it.

        Needs: public.
        """
        return cast("types.SignedIn", self._sender.send(Request("POST", "/v1/login/refresh", body=body)))

    def end(self) -> types.Done:
        """Sign out.

        Ends the session that the request belongs to, and takes a page's cookies away.

        Needs: signedIn.
        """
        return cast("types.Done", self._sender.send(Request("POST", "/v1/logout")))

    def list(self, *, per_page: int | None = None, cursor: str | None = None) -> types.SessionPage:
        """List one's own sessions.

        A page of the caller's open sessions; a page may be empty and not be the last.

        Needs: signedIn.
        """
        return cast(
            "types.SessionPage",
            self._sender.send(
                Request("GET", "/v1/user/me/sessions", query={"perPage": per_page, "cursor": cursor})
            ),
        )

    def list_all(self, *, per_page: int | None = None) -> Iterator[types.Session]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(per_page=per_page, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def delete(self, session_id: str) -> types.Done:
        """End one of one's own sessions.

        Ends it wherever it is open, within 10 s.

        Needs: signedIn.
        """
        return cast(
            "types.Done", self._sender.send(Request("DELETE", f"/v1/user/me/sessions/{segment(session_id)}"))
        )


class AsyncSession:
    """Operations on ``session``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def setup_create(self, body: types.Setup) -> types.User:
        """Make the first administrator.

        Makes the platform's first administrator for whoever holds the deployment's secret SETUP_TOKEN,
        while there is none.

        Needs: public.
        """
        return cast("types.User", await self._sender.send(Request("POST", "/v1/setup", body=body)))

    async def create(
        self, body: types.SignIn, *, session: Literal["token", "cookie"] | None = None
    ) -> types.SignedIn:
        """Sign in.

        Opens a session by username and password. After repeated failures the same source has to wait (429,
        Retry-After), longer each time; others are not affected.

        Needs: public.
        """
        return cast(
            "types.SignedIn",
            await self._sender.send(Request("POST", "/v1/login", query={"session": session}, body=body)),
        )

    async def refresh(self, *, body: types.Refresh | None = None) -> types.SignedIn:
        """Go on with a session.

        Answers new tokens for a refresh token, which is good once: one that is used again ends its session.
        A page sends no body: its cookie says it.

        Needs: public.
        """
        return cast(
            "types.SignedIn", await self._sender.send(Request("POST", "/v1/login/refresh", body=body))
        )

    async def end(self) -> types.Done:
        """Sign out.

        Ends the session that the request belongs to, and takes a page's cookies away.

        Needs: signedIn.
        """
        return cast("types.Done", await self._sender.send(Request("POST", "/v1/logout")))

    async def list(self, *, per_page: int | None = None, cursor: str | None = None) -> types.SessionPage:
        """List one's own sessions.

        A page of the caller's open sessions; a page may be empty and not be the last.

        Needs: signedIn.
        """
        return cast(
            "types.SessionPage",
            await self._sender.send(
                Request("GET", "/v1/user/me/sessions", query={"perPage": per_page, "cursor": cursor})
            ),
        )

    async def list_all(self, *, per_page: int | None = None) -> AsyncIterator[types.Session]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(per_page=per_page, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def delete(self, session_id: str) -> types.Done:
        """End one of one's own sessions.

        Ends it wherever it is open, within 10 s.

        Needs: signedIn.
        """
        return cast(
            "types.Done",
            await self._sender.send(Request("DELETE", f"/v1/user/me/sessions/{segment(session_id)}")),
        )
