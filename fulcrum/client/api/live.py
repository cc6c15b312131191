"""Operations on ``live``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Literal

import httpx

from fulcrum.client.request import Request
from fulcrum.client.send import AsyncSender, Sender


class Live:
    """Operations on ``live``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def get_stream(
        self,
        *,
        name: builtins.list[Literal["data", "event", "ack", "changed"]] | None = None,
        device_id: builtins.list[str] | None = None,
        system_id: str | None = None,
        blueprint_id: str | None = None,
        last_event_id: str | None = None,
        accept: Literal["text/event-stream"] = "text/event-stream",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'text/event-stream'."""
        return self._sender.stream(
            Request(
                "GET",
                "/v1/live",
                query={
                    "name": name,
                    "deviceId": device_id,
                    "systemId": system_id,
                    "blueprintId": blueprint_id,
                },
                headers={"Last-Event-ID": last_event_id},
                accept=accept,
            )
        )


class AsyncLive:
    """Operations on ``live``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    def get_stream(
        self,
        *,
        name: builtins.list[Literal["data", "event", "ack", "changed"]] | None = None,
        device_id: builtins.list[str] | None = None,
        system_id: str | None = None,
        blueprint_id: str | None = None,
        last_event_id: str | None = None,
        accept: Literal["text/event-stream"] = "text/event-stream",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'text/event-stream'."""
        return self._sender.stream(
            Request(
                "GET",
                "/v1/live",
                query={
                    "name": name,
                    "deviceId": device_id,
                    "systemId": system_id,
                    "blueprintId": blueprint_id,
                },
                headers={"Last-Event-ID": last_event_id},
                accept=accept,
            )
        )
