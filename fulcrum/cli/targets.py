"""How people name a device and a span of time, for the commands that are written."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated

import typer

from fulcrum.cli.problems import usage

if TYPE_CHECKING:
    from fulcrum.cli.connection import Connection

Alias = Annotated[
    str | None, typer.Option("--alias", help="Find the device by its outside name: NETWORK/KEY=VALUE")
]
Project = Annotated[str | None, typer.Option("--project", help="The project, if not the one in use")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON: one document")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="Write JSON lines, an item each")]
Extract = Annotated[
    str | None, typer.Option("--extract", help="Write what stands at this path of the answer, as items/*/id")
]
Fields = Annotated[
    str, typer.Option("--fields", help="Columns of the table, by path, with commas between them")
]

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w)\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def device_id(connection: Connection, device: str | None, alias: str | None) -> str:
    """The id of the device that is named; Problem if it is named twice or not at all."""
    from fulcrum.client.request import Request

    if (device is None) is (alias is None):
        raise usage("name the device by its id, or by --alias", "as in: --alias greenhouse/serial=room-1")
    if alias is None:
        return device or ""
    triple, sign, value = alias.partition("=")
    network, slash, key = triple.partition("/")
    if not (sign and slash and network and key and value):
        raise usage(f"{alias!r} is no outside name", "write NETWORK/KEY=VALUE")
    query = {"networkId": network, "aliasKey": key, "value": value}
    return str(connection.send(Request("GET", "/v1/device/getByNetworkAlias", query=query))["id"])


def instant(text: str | None) -> str | None:
    """An instant for the API: ``2h`` and ``7d`` are before now; epoch ms and ISO 8601 stay as they are."""
    match = _SPAN.match(text or "")
    if match is None:
        return text
    return str(int((time.time() - float(match[1]) * _SECONDS[match[2]]) * 1000))


def seconds(text: str) -> float:
    """A span of time, ``30s`` or ``2m``, in seconds; Problem for anything else."""
    match = _SPAN.match(text)
    if match is None:
        raise usage(f"{text!r} is no span of time", "write a number and s, m, h, d or w, as in 30s")
    return float(match[1]) * _SECONDS[match[2]]


def names(text: str) -> tuple[str, ...]:
    """``a,b/c`` taken apart."""
    return tuple(name.strip().strip("/") for name in text.split(",") if name.strip())
