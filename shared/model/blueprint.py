"""Blueprints: what devices of one sort have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared.model.attribute import Attribute
from shared.model.base import (
    Description,
    Identifier,
    Kind,
    Metadata,
    Model,
    Name,
    Resource,
    Route,
    Tags,
    Unique,
)
from shared.model.retention import OfBlueprint

Alias = Annotated[
    str, Field(pattern=r"^[a-z][A-Za-z0-9]{0,99}$", description="camelCase", examples=["coldStore"])
]


class BlueprintCreate(Model):
    """A new blueprint."""

    name: Name
    alias: Alias
    desc: Description | None = None
    purpose: Literal["device", "organization"] = "device"
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)
    message_route: Route | None = None
    message_route_id: Identifier | None = None
    check_mode: Literal["off", "warn", "strict"] = Field(
        default="off", description="What the event path does with values of the wrong type"
    )
    retention: OfBlueprint | None = None


class Blueprint(BlueprintCreate, Resource):
    """A blueprint; its attributes are resources of their own."""

    attributes: list[Attribute] | None = Field(
        default=None, description="Its attributes, if asked by children=attribute"
    )


BLUEPRINT: Kind[Blueprint] = Kind(
    name="blueprint",
    collection="blueprints",
    model=Blueprint,
    create=BlueprintCreate,
    patchable=frozenset(
        {
            *("name", "alias", "desc", "tags", "metadata", "messageRoute", "messageRouteId", "checkMode"),
            "retention",
        }
    ),
    unique=(Unique("alias"),),
    json_text=frozenset({"messageRoute"}),
    affects_events=True,
)
