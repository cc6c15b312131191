"""Scripts: a project's own code, kept here and run elsewhere."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.model.base import Description, Kind, Metadata, Model, Name, Resource, Tags, Unique

# A document of the store holds 1 MiB in all.
MAX_CODE_BYTES = 500_000

ScriptAlias = Annotated[
    str, Field(pattern=r"^[a-z][A-Za-z0-9]{0,99}$", description="camelCase", examples=["tooWarm"])
]


class ScriptCreate(Model):
    """A new script: Python text with ``def run(message, context)``."""

    name: Name
    alias: ScriptAlias
    desc: Description | None = None
    code: str = Field(
        max_length=MAX_CODE_BYTES,
        description=f"At most {MAX_CODE_BYTES} bytes of UTF-8",
        examples=["def run(message, context):\n    return None\n"],
    )
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)


class Script(ScriptCreate, Resource):
    """A script."""


SCRIPT: Kind[Script] = Kind(
    name="script",
    collection="scripts",
    model=Script,
    create=ScriptCreate,
    patchable=frozenset({"name", "alias", "desc", "code", "tags", "metadata"}),
    unique=(Unique("alias"),),
)
