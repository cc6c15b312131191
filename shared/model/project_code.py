"""A project as code: its document, what a change to it would do, and its revisions."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.model.base import EpochMs, Model

Document = dict[str, Any]
EXAMPLE: Document = {
    "format": 1,
    "project": {"name": "Greenhouses"},
    "messageRoutes": [],
    "blueprints": [
        {
            "alias": "coldStore",
            "name": "Cold store",
            "checkMode": "warn",
            "attributes": [
                {"path": "air/temperature", "name": "Temperature", "type": "temperature", "unit": "degC"}
            ],
        }
    ],
    "networks": [{"id": "greenhouse-lora", "name": "Greenhouse LoRa", "aliasKeys": ["devEui"]}],
    "systems": [],
    "templates": [],
    "scripts": [],
    "roles": [],
}


class Exported(Model):
    """The document of a project, and what to send along when it is changed."""

    revision: int = Field(description="The latest revision; 0 before the first", examples=[4])
    base: str = Field(
        description="Names this state of the project: a plan or change made from it sends it along",
        examples=["9f86d081884c7d659a2feaa0c55ad015"],
    )
    document: Document = Field(examples=[EXAMPLE])


class ChangeAsked(Model):
    """What the project is to be."""

    document: Document = Field(examples=[EXAMPLE])
    base: str | None = Field(
        default=None,
        max_length=64,
        description="The base that the document was made from: 409 if the project has changed since",
        examples=["9f86d081884c7d659a2feaa0c55ad015"],
    )


class ApplyAsked(ChangeAsked):
    """What the project is to be, and why."""

    message: str = Field(default="", max_length=1000, examples=["Measure humidity, too"])
    force: bool = Field(default=False, description="Change it even if that breaks what devices hold")


class RollbackAsked(Model):
    """The revision to go back to."""

    revision: int = Field(ge=1, examples=[3])
    force: bool = Field(default=False, description="Go back even if that breaks what devices hold")


class FieldChange(Model):
    """One field of a resource that changes."""

    field: str = Field(examples=["unit"])
    before: Any = Field(default=None, examples=["degC"])
    after: Any = Field(default=None, examples=["kelvin"])


class ResourceChange(Model):
    """One resource that changes."""

    action: Literal["create", "update", "replace", "delete"]
    section: str = Field(examples=["attributes"])
    name: list[str] = Field(description="From the outermost in", examples=[["coldStore", "air/temperature"]])
    fields: list[FieldChange]


class MisfitDevice(Model):
    """A device whose value would not fit."""

    blueprint: str = Field(examples=["coldStore"])
    path: str = Field(examples=["air/temperature"])
    device_id: str = Field(examples=["3Vc8Qn0kZ5tWb1yLr7sXe2"])
    device_name: str = Field(examples=["Cold store 4"])
    value: Any = Field(examples=["warm"])
    problem: str


class NamedElsewhere(Model):
    """Something that still names an attribute which would go."""

    what: str = Field(examples=["coldStore air/temperature"])
    where: str = Field(examples=["messageRoutes Alarms: route"])


class Plan(Model):
    """What a change would do, to the project and to its fleet. Nothing is changed yet."""

    base: str
    revision: int
    changes: list[ResourceChange]
    breaking: bool = Field(description="It is refused without force: see misfits and references")
    blocked: list[str] = Field(description="It is refused in any case: why", examples=[[]])
    misfits: list[MisfitDevice] = Field(description="The devices whose values would not fit, the first 200")
    misfit_count: int = Field(examples=[0])
    devices_read: int = Field(description="How many devices were looked at", examples=[50])
    references: list[NamedElsewhere]


class RevisionSummary(Model):
    """A revision without its document."""

    number: int = Field(examples=[4])
    time: EpochMs
    actor: dict[str, Any] = Field(examples=[{"kind": "user", "id": "7dNv2QmXc5LpA9sKf0RtYw", "name": "ada"}])
    message: str
    base: str = Field(description="Names the state that it left behind")


class RevisionDetail(RevisionSummary):
    """A revision with its document."""

    document: Document = Field(examples=[EXAMPLE])


class RevisionList(Model):
    """Revisions, the newest first."""

    count: int = Field(examples=[1])
    per_page: int = Field(examples=[50])
    next: int | None = Field(default=None, description="Send it as 'before' for the next page")
    items: list[RevisionSummary]


class Applied(Model):
    """A change that was carried out, or had nothing to do."""

    revision: int = Field(description="The number of the revision that it made, or of the latest one")
    base: str
    changed: int = Field(description="How many resources were changed", examples=[2])
    deleted: int = Field(default=0, description="How many of these were deleted", examples=[1])
    job_id: str | None = Field(default=None, description="The job that clears what hung on what was deleted")
