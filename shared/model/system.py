"""Systems: buckets of devices, wholly apart from each other, with people of their own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.model.base import Description, Kind, Metadata, Model, Name, Resource, Tags, Unique

SystemAlias = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_\-]{0,99}$",
        description="Stands for the id in paths of the interface; unique in the project",
        examples=["north-wing"],
    ),
]


class Contact(Model):
    """Whom to ask about a system. Only a name is needed."""

    name: Name
    email: str | None = Field(
        default=None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$", examples=["ops@example.com"]
    )
    phone: str | None = Field(default=None, max_length=40, examples=["+47 555 01 234"])
    role: str | None = Field(default=None, max_length=100, examples=["janitor"])


class SystemCreate(Model):
    """A new system."""

    name: Name
    alias: SystemAlias | None = None
    desc: Description | None = None
    contacts: list[Contact] = Field(default_factory=list, max_length=100)
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)


class System(SystemCreate, Resource):
    """A system; its devices are resources of their own."""


SYSTEM: Kind[System] = Kind(
    name="system",
    collection="systems",
    model=System,
    create=SystemCreate,
    patchable=frozenset({"name", "alias", "desc", "contacts", "tags", "metadata"}),
    unique=(Unique("alias"),),
    affects_events=True,
)
