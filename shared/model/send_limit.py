"""Limits of messages to one recipient, as far as they are in use."""

from __future__ import annotations

from pydantic import Field

from shared.model.base import EpochMs, Kind, Model, Resource
from shared.model.outbox import MessageKind


class SendLimit(Resource):
    """What one recipient has got under one key. Nobody changes it but by lifting it."""

    created: EpochMs = Field(default=0, exclude=True)
    last_modified: EpochMs = Field(default=0, exclude=True)
    version: int = Field(default=0, exclude=True)
    kind: MessageKind
    recipient: str = Field(examples=["+4791234567"])
    key: str = Field(default="", description="The limit's key, or its template", examples=["tooHot"])
    until: EpochMs = Field(description="Until when nothing is sent; 0, or past: nothing is held back")


class SendLimitCreate(Model):
    """Limits come with messages: there is no body that makes one."""


SEND_LIMIT: Kind[SendLimit] = Kind(
    name="sendLimit",
    collection="sendLimits",
    model=SendLimit,
    create=SendLimitCreate,
    patchable=frozenset(),
    mask=("kind", "recipient", "key", "until"),
)
