"""Bodies and answers of history and events, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from shared.model.base import EpochMs, Identifier, Json, Model

EventType = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.\-]+$", examples=["alarm"])
]


class HistoryPage(Model):
    """A page of rows. Without ``paths`` a row is as in the example; with paths it has their aliases."""

    count: int = Field(description="How many items this page has", examples=[1])
    per_page: int = Field(description="How many items a page has at most", examples=[50])
    total: int | None = Field(default=None, description="How many rows there are, if asked by total=true")
    next: str | None = Field(default=None, description="Cursor of the next page; absent on the last one")
    items: list[dict[str, Any]] = Field(
        examples=[
            [
                {
                    "id": "reading-18",
                    "time": 1792649730000,
                    "deviceId": "4kU",
                    "systemId": "7Yc",
                    "blueprintId": "0aB",
                    "data": {"temperature": 21.5},
                    "userId": None,
                }
            ]
        ]
    )


class QueryCost(Model):
    """What a query would read (``dryRun``)."""

    bytes: int = Field(description="How many bytes it would read", examples=[10485760])
    max_bytes: int = Field(description="How many it may read", examples=[10737418240])
    allowed: bool = Field(description="Whether it may be asked", examples=[True])


class EventCreate(Model):
    """An event record to be created; its id is made by the server."""

    type: EventType = "default"
    time: EpochMs | None = Field(default=None, description="When it happened, epoch ms; now if left out")
    data: Json = Field(default=None, description="Whatever belongs to it", examples=[{"level": 2}])


class Event(Model):
    """An event record."""

    id: str
    type: str
    time: EpochMs
    device_id: Identifier
    system_id: str | None = None
    blueprint_id: str | None = None
    data: Any = None
    user_id: str | None = None


class AckCreate(Model):
    """An acknowledgement of an event record."""

    type: EventType = Field(default="default", description="The type of the event record")
    data: Json = Field(default=None, description="Whatever belongs to it", examples=[{"note": "seen"}])


class Ack(Model):
    """Somebody took notice of an event record."""

    id: str = Field(description="The id of the event record")
    time: EpochMs
    data: Any = None
    user_id: str | None = None


class DeviceState(Model):
    """The state of a device at an instant."""

    device_id: Identifier
    at: EpochMs
    last_event_time: EpochMs | None = Field(
        default=None, description="When the latest of what counts happened; absent if nothing had"
    )
    data: dict[str, Any] = Field(examples=[{"temperature": 21.5}])
