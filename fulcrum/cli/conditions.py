"""Conditions of a search as people type them, ``temperature>25``, as the API takes them. Pure."""

from __future__ import annotations

import re
from typing import Any

from fulcrum.cli import values
from fulcrum.cli.problems import usage

# What a device is; every other name is a path in what it last said.
_OWN = frozenset(
    {
        *("id", "name", "blueprintId", "systemId", "networkId", "simNetworkId", "parentDeviceId"),
        *("messageRouteId", "purpose", "simulated", "created", "tags", "links"),
    }
)
_INTO = ("metadata/", "networkAliases/", "data/")
_FORM = re.compile(r"(?P<field>[^=<>!~^$?]+)(?P<sign><=|>=|!=|~=|\^=|\$=|=|<|>|\?)(?P<value>.*)\Z", re.DOTALL)
_TEXTS = {"~=": "contains", "^=": "startsWith", "$=": "endsWith"}


def field(name: str) -> str:
    """A field as the API calls it: ``temperature`` is ``data/temperature``."""
    name = name.strip().strip("/")
    return name if name in _OWN or name.startswith(_INTO) else f"data/{name}"


def condition(text: str) -> dict[str, Any]:
    """One condition; Problem for what is none."""
    match = _FORM.match(text)
    if match is None:
        raise usage(
            f"{text!r} is no condition",
            "write field=value, with one of = != < <= > >= ~= (contains) ^= (starts with) $= (ends with), "
            "or field? (there is one)",
        )
    name, sign, raw = field(match["field"]), match["sign"], match["value"]
    if sign == "?":
        return {"type": "exists", "field": name}
    if sign in _TEXTS:
        return {"type": _TEXTS[sign], "field": name, "value": raw, "ignoreCase": True}
    value = values.parsed(raw)
    if sign in ("=", "!="):
        same = {"type": "equals", "field": name, "value": value}
        return same if sign == "=" else {"type": "not", "condition": same}
    return {"type": "comparison", "field": name, "operator": sign, "value": value}


def sort(text: str) -> list[dict[str, str]]:
    """``-temperature,name`` as the API's list of sorts."""
    made = []
    for part in text.split(","):
        name = part.strip()
        if name:
            made.append(
                {"field": field(name.removeprefix("-")), "order": "desc" if name[0] == "-" else "asc"}
            )
    return made
