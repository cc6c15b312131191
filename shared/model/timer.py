"""Timers: when something is to happen, and what."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from shared.model.base import (
    Description,
    EpochMs,
    Identifier,
    Json,
    JsonObject,
    Kind,
    Model,
    Name,
    Resource,
    Tags,
)
from shared.model.cron import problem

Delay = Annotated[int, Field(ge=1000, le=10 * 366 * 86_400_000, description="In ms", examples=[60_000])]


def _cron(text: str) -> str:
    if found := problem(text):
        raise ValueError(found)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone: use a name such as Europe/Oslo") from None
    return name


Cron = Annotated[
    str,
    Field(max_length=200, description="minute hour day month weekday", examples=["0 6 * * 1-5"]),
    AfterValidator(_cron),
]
Zone = Annotated[str, Field(max_length=64, examples=["Europe/Oslo"]), AfterValidator(_zone)]


class Once(Model):
    """Fires once: ``delay`` ms after its start, or at an instant."""

    type: Literal["once"]
    delay: Delay | None = None
    when: EpochMs | None = None

    @model_validator(mode="after")
    def _one(self) -> Once:
        if (self.delay is None) == (self.when is None):
            raise ValueError("say either 'delay', in ms from the start, or 'when', in epoch ms")
        return self


class Repeating(Model):
    """Fires every ``delay`` ms, and at its start too if asked."""

    type: Literal["repeating"]
    delay: Delay
    run_immediately: bool = False


class Scheduled(Model):
    """Fires when the clocks of a time zone say what the cron expression says."""

    type: Literal["scheduled"]
    cron: Cron
    timezone: Zone = "UTC"


class Solar(Model):
    """Fires at sunrise or sunset of a place, ``offset`` ms later (or earlier, if negative).

    The days are those of the cron expression; its minute and hour are ignored.
    """

    type: Literal["solar"]
    latitude: float = Field(ge=-90, le=90, examples=[59.9])
    longitude: float = Field(ge=-180, le=180, examples=[10.7])
    from_sunrise: bool = Field(default=True, description="Of sunrise; false: of sunset")
    offset: int = Field(default=0, ge=-86_400_000, le=86_400_000, description="In ms")
    cron: Cron = "0 0 * * *"


class PublishTopic(Model):
    """Publishes a message to a topic: one that is declared for users, or ``reason``, which runs a script.

    ``options`` as in a route: of ``reason`` they say which script, with which parameters.
    """

    type: Literal["publishTopic"]
    topic: str = Field(min_length=3, max_length=255, examples=["writer"])
    message: JsonObject = Field(default_factory=dict)
    options: JsonObject | None = Field(
        default=None,
        description="What the service behind the topic is told",
        examples=[{"reasoner": {"id": "watchdog", "targetFunction": "run"}}],
    )


class QueryUrl(Model):
    """Calls a URL."""

    type: Literal["queryUrl"]
    url: str = Field(
        max_length=2000, pattern=r"^https?://[^\s/?#]+\S*$", examples=["https://example.com/hook"]
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    header: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9\-_]{1,100}$")], Annotated[str, Field(max_length=4000)]
    ] = Field(default_factory=dict, max_length=50)
    body: Json = None


When = Annotated[Once | Repeating | Scheduled | Solar, Field(discriminator="type")]
Action = Annotated[PublishTopic | QueryUrl, Field(discriminator="type")]


class TimerFields(Model):
    """What a timer says that is no single device's."""

    name: Name
    desc: Description | None = None
    timer: When = Field(examples=[{"type": "scheduled", "cron": "0 6 * * 1-5", "timezone": "Europe/Oslo"}])
    action: Action = Field(examples=[{"type": "publishTopic", "topic": "writer", "message": {}}])
    system_id: Identifier | None = None
    script_id: Identifier | None = None
    tags: Tags = Field(default_factory=list)


class TimerCreate(TimerFields):
    """A new timer. It does nothing until it is started."""

    device_id: Identifier | None = None


class Timer(TimerCreate, Resource):
    """A timer."""


TIMER: Kind[Timer] = Kind(
    name="timer",
    collection="timers",
    model=Timer,
    create=TimerCreate,
    patchable=frozenset({"name", "desc", "timer", "action", "tags"}),
    json_text=frozenset({"action"}),
)
