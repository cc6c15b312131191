"""The answer: the way of an event, as the OpenAPI document shows it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.model.base import EpochMs, Model

What = Literal[
    "received",
    "published",
    "routed",
    "unknownDevice",
    "stored",
    "input",
    "copied",
    "ran",
    "effect",
    "sent",
    "setAside",
    "failed",
    "handled",
]


class TraceStep(Model):
    """One thing that happened to an event, or to what came of it."""

    id: str = Field(description="The step's name within this answer", examples=["3"])
    parent: str | None = Field(
        default=None, description="The step that it came of, where that is no earlier hop"
    )
    time: EpochMs = Field(description="When it was done, epoch ms")
    since_ms: float = Field(description="ms since the event was received", examples=[41.5])
    service: str = Field(description="Who did it", examples=["message_processor"])
    what: What
    text: str = Field(description="In words", examples=["found the device and sent it on"])
    message_id: str | None = Field(default=None, description="Pub/Sub's id of the message that it came in")
    attempt: int | None = Field(default=None, description="Which delivery of that message it was, from 1 on")
    ms: float | None = Field(default=None, description="How long the work on its batch took")
    device_id: str | None = None
    event_id: str | None = Field(default=None, description="Of an effect or a copy: its own id")
    script_id: str | None = None
    script_version: int | None = None
    error_type: str | None = None
    error: str | None = None
    entry_id: str | None = Field(default=None, description="In quarantine: the entry's id")
    certain: bool = Field(
        default=True,
        description="False: its batch was packed together with others, and it may have been one of those",
    )


class EventTrace(Model):
    """The way of one event: of one device, with one content."""

    device_id: str | None = Field(
        default=None, description="Absent where no device is known, or none concerned"
    )
    content_hash: str | None = None
    received: EpochMs | None = Field(default=None, description="When it was received")
    total_ms: float = Field(description="ms from then to the last step", examples=[182.4])
    steps: list[TraceStep] = Field(description="In the order in which they began")


class Traces(Model):
    """All events with an id: an id is one event's for each device and content."""

    event_id: str
    count: int = Field(description="How many events have it")
    traces: list[EventTrace]
    logs: Literal["found", "none", "unavailable"] = Field(
        description="Whether lines of logs are in it: without, it has the times that were stored alone"
    )
    notes: list[str] = Field(default_factory=list, description="What is missing in it, and why")
