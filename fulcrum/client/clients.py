"""The two clients: the same resources, called or awaited."""

from __future__ import annotations

from types import TracebackType

import httpx

from fulcrum.client.api import AsyncResources, Resources
from fulcrum.client.send import AsyncSender, Sender, Token

TIMEOUT = httpx.Timeout(60.0, connect=10.0)


class Client(Resources):
    """Calls the API at ``url``. ``token``: a session's token or an API key, or what gives one anew each time.

    ``project``: the project of paths that name none; not needed with the token of a project's user. Close it,
    or use it in a ``with``.
    """

    def __init__(
        self, url: str, *, token: str | Token = "", project: str = "", http: httpx.Client | None = None
    ) -> None:
        self._http = http or httpx.Client(base_url=url, timeout=TIMEOUT)
        self.sender = Sender(self._http, _giver(token), project)
        super().__init__(self.sender)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(AsyncResources):
    """The same, awaited."""

    def __init__(
        self, url: str, *, token: str | Token = "", project: str = "", http: httpx.AsyncClient | None = None
    ) -> None:
        self._http = http or httpx.AsyncClient(base_url=url, timeout=TIMEOUT)
        self.sender = AsyncSender(self._http, _giver(token), project)
        super().__init__(self.sender)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _giver(token: str | Token) -> Token:
    if callable(token):
        return token
    return lambda: token
