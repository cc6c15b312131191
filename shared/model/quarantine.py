"""Quarantine: what could not be processed, with its original bytes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from shared.model.base import EpochMs, Identifier, Kind, Model, Resource

MAX_AT_ONCE = 500


class QuarantineEntry(Resource):
    """Something that could not be processed, without its bytes."""

    error_type: str = Field(default="", examples=["message.undecodable"])
    message: str = Field(default="", description="What was wrong")
    script_id: str | None = Field(default=None, description="The script that failed on it")
    script_version: int | None = Field(default=None, description="Which version of the script")
    service: str = Field(default="", description="Who set it aside; empty for a dead letter")
    topic: str = Field(default="", description="Where it came from; empty for a dead letter")
    subscription: str | None = Field(default=None, description="Of a dead letter: whose deliveries failed")
    time: EpochMs = Field(default=0, description="When it was set aside")
    publish_time: EpochMs | None = None
    source_message_id: str | None = None
    index: int = Field(default=0, description="Its place in the delivery")
    project_id: str | None = None
    network_id: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict, description="As they came with the message")
    size: int = Field(default=0, description="How many bytes it has")
    detail: str | None = Field(default=None, description="More of it: the end of a script's traceback")

    @model_validator(mode="after")
    def _created_when_set_aside(self) -> QuarantineEntry:
        # No part of the API makes one, and so nothing else has said when.
        self.created = self.created or self.time
        self.last_modified = self.last_modified or self.time
        return self


class QuarantineContent(QuarantineEntry):
    """An entry with its original bytes, as text if they are UTF-8."""

    encoding: Literal["utf-8", "base64"]
    data: str = Field(examples=['{"type": "inboundDataEventMsg"}'])


class QuarantineChoice(Model):
    """Which entries: some by their ids, or all that the filters leave."""

    ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_AT_ONCE)] | None = None
    all: bool = Field(default=False, description="All that the filters leave, or simply all")
    error_type: str | None = Field(default=None, max_length=200, description="Only of this type")
    service: str | None = Field(default=None, max_length=100, description="Only what this service set aside")
    since: EpochMs | None = Field(default=None, description="Only set aside at this time or later")
    until: EpochMs | None = Field(default=None, description="Only set aside before this time")


class Redrive(Model):
    """Where an entry goes."""

    topic: str | None = Field(
        default=None,
        max_length=255,
        description="Another topic than it came from; only for administrators of the platform",
    )


class RedriveMany(QuarantineChoice, Redrive):
    """Which entries to send again."""


class QuarantineProblem(Model):
    """An entry that could not be dealt with."""

    id: str
    error: str
    message: str


class QuarantineDone(Model):
    """What became of entries."""

    done: int = Field(description="How many entries were sent again, or deleted")
    failed: int = 0
    problems: list[QuarantineProblem] = Field(default_factory=list, description="The first 100")
    more: bool = Field(default=False, description="There are more of them: send the same request again")


class QuarantineCreate(Model):
    """Entries come from services alone: there is no body that makes one."""


QUARANTINE: Kind[QuarantineEntry] = Kind(
    name="quarantine",
    collection="quarantine",
    model=QuarantineEntry,
    create=QuarantineCreate,
    patchable=frozenset(),
    # All but the bytes, which may be many.
    mask=(
        *("errorType", "message", "detail", "scriptId", "scriptVersion", "service", "topic", "subscription"),
        *("time", "publishTime"),
        *("sourceMessageId", "index", "projectId", "networkId", "attributes", "size", "parts"),
    ),
)
