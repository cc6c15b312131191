"""The body of a request for a replay's input."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared.model.base import Identifier, JsonObject, Model

Instant = Annotated[str | int, Field(description="Epoch ms, or ISO 8601", examples=[1792649730000])]


class ReplayAsked(Model):
    """Which events, and how a script meets them that never ran on them."""

    since: Instant | None = Field(
        default=None,
        description="From when on, by the time of receipt; a week ago if left out",
        examples=[1792649730000],
    )
    until: Instant | None = Field(default=None, description="Before when; now if left out")
    devices: list[Identifier] | None = Field(
        default=None, max_length=1_000, description="Of these devices alone"
    )
    blueprint_id: Identifier | None = Field(default=None, description="Of devices of this blueprint alone")
    event_id: Annotated[str, Field(min_length=1, max_length=300)] | None = Field(
        default=None, description="This one event alone, with what was known right before it"
    )
    events: Literal["ran", "all"] | None = Field(
        default=None,
        description="Those that the script ran on, or all of devices; if left out, ran where it ran at all",
    )
    entry: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")] = Field(
        default="run", description="The entry point of events that the script did not run on"
    )
    params: JsonObject = Field(default_factory=dict, description="The parameters of such events")
