"""The project: the tenant, above everything else."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.model.base import Description, Kind, Metadata, Model, Name, Resource
from shared.model.retention import ProjectRetention
from shared.names import NO_PROJECT


def _free(project_id: str) -> str:
    # What belongs to the platform is kept under this name: its users, among others.
    if project_id == NO_PROJECT:
        raise ValueError(f"{NO_PROJECT!r} stands for no project")
    return project_id


ProjectId = Annotated[
    str,
    Field(
        min_length=2,
        max_length=63,
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        description="kebab-case, 2 to 63 characters; unique on the whole server, never changes",
        examples=["greenhouses"],
    ),
    AfterValidator(_free),
]
Lifetime = Annotated[
    int, Field(ge=60, le=31_536_000, description="Lifetime of its tokens, seconds", examples=[86_400])
]


class ProjectCreate(Model):
    """A new project. Its id is chosen by you, or made if left out."""

    id: ProjectId | None = None
    name: Name
    desc: Description | None = None
    jwt_token_expiration: Lifetime | None = None
    retention: ProjectRetention | None = None
    metadata: Metadata | None = None


class ProjectFields(Model):
    """What a project is changed to."""

    name: Name
    desc: Description | None = None
    jwt_token_expiration: Lifetime | None = None
    retention: ProjectRetention | None = None
    metadata: Metadata | None = None


class Project(Resource):
    """A project. Its ``revision`` grows with every change that the way of an event must learn of."""

    name: Name
    desc: Description | None = None
    revision: int = Field(default=0, description="Grows with what the event path must learn of")
    jwt_token_expiration: int | None = Field(default=None, description="Lifetime of its tokens, seconds")
    retention: ProjectRetention | None = None
    metadata: Metadata | None = None


PROJECT: Kind[Project] = Kind(
    name="project",
    collection="projects",
    model=Project,
    create=ProjectFields,
    patchable=frozenset({"name", "desc", "jwtTokenExpiration", "retention", "metadata"}),
    is_project=True,
)
