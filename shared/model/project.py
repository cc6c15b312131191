"""The project: the tenant, above everything else."""

from __future__ import annotations

from pydantic import Field

from shared.model.base import Description, Metadata, Model, Name, Resource


class ProjectCreate(Model):
    """A new project."""

    id: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9\-]{1,62}$",
        description="Chosen by you, or made if left out; kebab-case, never changes",
        examples=["greenhouses"],
    )
    name: Name
    desc: Description | None = None
    jwt_token_expiration: int | None = Field(
        default=None, ge=60, le=31_536_000, description="Lifetime of its tokens, seconds", examples=[86_400]
    )
    metadata: Metadata | None = None


class Project(Resource):
    """A project. Its ``revision`` grows with every change that the way of an event must learn of."""

    name: Name
    desc: Description | None = None
    revision: int = Field(default=0, description="Grows with what the event path must learn of")
    jwt_token_expiration: int | None = Field(default=None, description="Lifetime of its tokens, seconds")
    metadata: Metadata | None = None
