"""Names that no two resources share: the documents that reserve them, created only if there is none yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fulcrum.core import ids
from shared import names
from shared.errors import ApiError
from shared.model.base import Unique
from shared.store.scope import Scope


@dataclass(frozen=True)
class Lock:
    """A document that a change reserves a name with."""

    name: str
    kind: str
    field: str
    text: str
    # What is written there; None where that says nothing of whose it is.
    fields: Mapping[str, Any] | None


def unique_text(unique: Unique, fields: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The parts of a unique name; None where the resource has none."""
    text = fields.get(unique.field)
    if not isinstance(text, str) or not text:
        return None
    text = text.casefold() if unique.fold_case else text
    return (str(fields.get(unique.scope)), text) if unique.scope else (text,)


def lock_name(scope: Scope, kind: str, field_name: str, *parts: str) -> str:
    """The document that reserves a name within a project."""
    return names.document("projects", scope.project_id, "locks", ids.digest(kind, field_name, *parts))


def taken(kind: str, field_name: str, text: str) -> ApiError:
    """409 for a name that another resource has."""
    return ApiError(
        409,
        f"{kind}.{field_name}Taken",
        f"another {kind} has the {field_name} {text[:200]!r} already",
        f"choose another {field_name}, or change or delete the {kind} that has it",
    )
