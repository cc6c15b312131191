"""Jobs: what the platform still has to do after an answer, and how far it is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.model.base import Kind, Model, Resource


class Job(Resource):
    """A job. ``kind`` and ``resourceId`` say what was deleted and is being cleared."""

    type: Literal["delete"] = "delete"
    kind: str = Field(examples=["system"])
    resource_id: str = Field(examples=["3Vc8Qn0kZ5tWb1yLr7sXe2"])
    name: str | None = Field(default=None, description="What the deleted resource was called")
    state: Literal["waiting", "running", "done", "failed"]
    done: int = Field(default=0, description="How many documents were removed or changed so far")
    step: str | None = Field(default=None, description="The kind that is being cleared", examples=["device"])
    reason: str | None = Field(default=None, description="Why the last try of a step was refused")


class JobCreate(Model):
    """Jobs come from deletions alone: there is no body that makes one."""


JOB: Kind[Job] = Kind(
    name="job",
    collection="jobs",
    model=Job,
    create=JobCreate,
    patchable=frozenset(),
)
