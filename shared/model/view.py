"""Views: saved settings of a table."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.model.base import Description, JsonObject, Kind, Model, Name, Resource, Tags


class ViewCreate(Model):
    """A new view, for everybody of the project or for the one who saves it."""

    name: Name
    desc: Description | None = None
    table: str = Field(
        min_length=1, max_length=200, description="Which table: a page or a blueprint", examples=["coldStore"]
    )
    scope: Literal["personal", "shared"] = "personal"
    settings: JsonObject = Field(
        default_factory=dict,
        description="Columns, filters, sorting: whatever the table keeps",
        examples=[{"columns": ["name", "data/temperature"]}],
    )
    tags: Tags = Field(default_factory=list)


class View(ViewCreate, Resource):
    """A view. ``owner`` is the person whose alone it is; nothing for a shared one."""

    owner: str = Field(default="", description="The id of the one who alone sees it; empty for a shared one")


VIEW: Kind[View] = Kind(
    name="view",
    collection="views",
    model=View,
    create=ViewCreate,
    patchable=frozenset({"name", "desc", "table", "settings", "tags"}),
    json_text=frozenset({"settings"}),
)
