"""Attributes: what a blueprint's devices have at which path, and which devices they may have below them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from fulcrum.core import paths
from shared.model.base import (
    Description,
    Identifier,
    Kind,
    Metadata,
    Model,
    Name,
    Resource,
    Tags,
    Unique,
    sound,
)

RelationshipType = Literal["oneToOne", "oneToMany", "manyToOne", "manyToMany"]


def _path(text: str) -> str:
    if problem := paths.problem(text):
        raise ValueError(problem)
    return text


Path = Annotated[
    str,
    Field(
        max_length=paths.MAX_LENGTH,
        description="Where in the data, '/' between segments",
        examples=["engine/temperature"],
    ),
    AfterValidator(_path),
]


class AttributeCreate(Model):
    """A new attribute of a blueprint.

    A relationship is an attribute of type ``relationship``, on the blueprint of the parents; its mirror, of
    type ``parentRelationship``, is made on the blueprint of the children at the same time.
    """

    name: Name
    path: Path
    parent_path: Path | None = Field(
        default=None, description="What of the path lies above it", examples=["engine"]
    )
    type: str = Field(max_length=50, description="See the types of attributes", examples=["temperature"])
    unit: str | None = Field(default=None, max_length=50, examples=["degC"])
    values: Annotated[list[str | int | float] | None, AfterValidator(sound)] = Field(
        default=None, max_length=1000, examples=[["open", "shut"]]
    )
    min: float | None = Field(default=None, examples=[-40])
    max: float | None = Field(default=None, examples=[150])
    is_collection: bool = False
    source: Literal["Device", "User"] = Field(
        default="Device", description="User: people fill it in, in forms and tables"
    )
    desc: Description | None = None
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)
    target_blueprint_id: Identifier | None = Field(
        default=None, description="Of a relationship: of the children"
    )
    relationship_type: RelationshipType | None = None
    owned: bool | None = Field(
        default=None, description="Of a relationship: children are deleted with their parent"
    )
    forward_data: bool | None = Field(
        default=None, description="Of a relationship: what a child reports is kept for its parent too"
    )
    mirror_path: Path | None = Field(
        default=None, description="Of a relationship: the path of its mirror; made from the alias if left out"
    )


class Attribute(AttributeCreate, Resource):
    """An attribute. Its path, type and unit, and what a relationship does with its devices, stay as they are:
    delete it and create another to change them."""

    blueprint_id: Identifier
    source_blueprint_id: Identifier | None = Field(
        default=None, description="Of a mirror: the parents' blueprint"
    )
    mirror_id: Identifier | None = Field(default=None, description="The other side of a relationship")


ATTRIBUTE: Kind[Attribute] = Kind(
    name="attribute",
    collection="attributes",
    model=Attribute,
    create=AttributeCreate,
    patchable=frozenset({"name", "source", "desc", "tags", "metadata", "values", "min", "max"}),
    unique=(Unique("path", scope="blueprintId"),),
    affects_events=True,
)
