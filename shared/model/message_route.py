"""Message routes: where messages go, kept once and referred to by blueprints and devices."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.model.base import Description, JsonObject, Kind, Model, Name, Resource, Tags

Route = Annotated[
    JsonObject,
    Field(description="Message type → route", examples=[{"deviceDataEventMsg": ["writer"]}]),
]


class MessageRouteCreate(Model):
    """A new message route."""

    name: Name
    desc: Description | None = None
    route: Route
    tags: Tags = Field(default_factory=list)


class MessageRoute(MessageRouteCreate, Resource):
    """A message route. What it says holds for all that refer to it, from ten seconds after the change on."""


MESSAGE_ROUTE: Kind[MessageRoute] = Kind(
    name="messageRoute",
    collection="messageRoutes",
    model=MessageRoute,
    create=MessageRouteCreate,
    patchable=frozenset({"name", "desc", "route", "tags"}),
    json_text=frozenset({"route"}),
    affects_events=True,
)
