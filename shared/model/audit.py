"""The audit: who changed what, and when."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.model.base import EpochMs, Identifier, Kind, Model, Resource


class Actor(Model):
    """Who acted."""

    kind: Literal["user", "apiAccess", "platform"]
    id: str
    name: str = ""


class ChangedField(Model):
    """A field that was changed; ``hidden`` stands in place of the values of a secret."""

    path: str = Field(examples=["name"])
    before: Any = None
    after: Any = None
    hidden: bool | None = None


class AuditEntry(Resource):
    """One resource changed by one request."""

    # An entry never changes: it has a time of its own, and no version.
    created: EpochMs = Field(default=0, exclude=True)
    last_modified: EpochMs = Field(default=0, exclude=True)
    version: int = Field(default=0, exclude=True)
    time: EpochMs
    request_id: str = Field(description="The request, as in the answer's X-Request-Id and the logs")
    actor: Actor
    verb: str = Field(examples=["updated"])
    kind: str = Field(examples=["blueprint"])
    resource_id: Identifier
    name: str | None = None
    system_id: str | None = None
    changes: list[ChangedField] = Field(default_factory=list)


class AuditCreate(Model):
    """Entries are written by changes alone: there is no body that makes one."""


AUDIT: Kind[AuditEntry] = Kind(
    name="audit",
    collection="audit",
    model=AuditEntry,
    create=AuditCreate,
    patchable=frozenset(),
    json_text=frozenset({"changes"}),
)
