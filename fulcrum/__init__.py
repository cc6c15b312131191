"""Fulcrum's client: everything that the API does, typed, for programs and for the command ``fulcrum``.

>>> from fulcrum import Client
>>> with Client("https://api.example.com", token="...", project="greenhouses") as client:
...     for device in client.device.list_all("greenhouses"):
...         print(device["name"])

``AsyncClient`` has the same methods, to be awaited. Errors are :class:`fulcrum.errors.ApiError` and
:class:`fulcrum.errors.Unreachable`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fulcrum.client.clients import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]


def __getattr__(name: str) -> Any:
    # The command starts in a fraction of the time that importing every resource takes.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fulcrum.client import clients

    return getattr(clients, name)
