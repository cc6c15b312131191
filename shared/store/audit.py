"""Who changed what: the entries that every change writes beside itself. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

# What changes with every write, or follows from the rest, says nothing.
_SILENT = frozenset(
    {"created", "lastModified", "version", "revision", "checks", "attributesVersion", "attributeCount"}
)
_MAX_VALUE = 2000
_json = msgspec.json.Encoder().encode


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a user, an API key, or the platform itself."""

    kind: Literal["user", "apiAccess", "platform"]
    id: str
    name: str = ""

    def fields(self) -> dict[str, str]:
        """What is stored of it."""
        return {"kind": self.kind, "id": self.id, "name": self.name}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same, types included: ``True`` is not ``1``."""
    return one is other or (one == other and canonical(one) == canonical(other))


def canonical(value: Any) -> str:
    """A text that two JSON values share only if they are the same."""
    return json.dumps(value, sort_keys=True, default=repr)


def differences(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    secret: frozenset[str],
    only: Iterable[str] | None = None,
) -> list[dict[str, Any]]:
    """``[{path, before, after}]`` of the top-level fields that differ; long values cut, secrets left out."""
    paths = sorted(set(only) if only is not None else {*before, *after})
    changes = []
    for path in paths:
        if path in _SILENT or same(before.get(path), after.get(path)):
            continue
        if path in secret:
            changes.append({"path": path, "hidden": True})
        else:
            values = {"before": before.get(path), "after": after.get(path)}
            changes.append({"path": path} | {k: _short(v) for k, v in values.items() if v is not None})
    return changes


def _short(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = _json(value)
    return value if len(text) <= _MAX_VALUE else text[:_MAX_VALUE].decode(errors="replace") + "…"
