"""Operations on ``about``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request
from fulcrum.client.send import AsyncSender, Sender


class About:
    """Operations on ``about``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def get(self) -> types.About:
        """Say what answers here.

        Answer that the API is up, and which version of it.

        Needs: public.
        """
        return cast("types.About", self._sender.send(Request("GET", "/v1/about")))

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document.

        Answer the description of every operation, from which clients are generated.

        Needs: public.
        """
        return cast("dict[str, Any]", self._sender.send(Request("GET", "/v1/openapi.json")))


class AsyncAbout:
    """Operations on ``about``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def get(self) -> types.About:
        """Say what answers here.

        Answer that the API is up, and which version of it.

        Needs: public.
        """
        return cast("types.About", await self._sender.send(Request("GET", "/v1/about")))

    async def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document.

        Answer the description of every operation, from which clients are generated.

        Needs: public.
        """
        return cast("dict[str, Any]", await self._sender.send(Request("GET", "/v1/openapi.json")))
