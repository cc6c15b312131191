"""Fulcrum's client: everything that the API does, typed, for programs and for the command ``fulcrum``.

>>> from fulcrum import Client
>>> with Client("https://api.example.com", token="...", project="greenhouses") as client:
...     for device in client.device.list_all("greenhouses"):
...         print(device["name"])

``AsyncClient`` has the same methods, to be awaited. Errors are :class:`fulcrum.errors.ApiError` and
:class:`fulcrum.errors.Unreachable`.
"""

from fulcrum.client.clients import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]
