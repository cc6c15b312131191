"""The life of a script: its code checked and set, its versions, deployments and occasions to run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from shared.model.base import EpochMs, Identifier, JsonObject, Kind, Model, Resource
from shared.model.script import CODE, Files, Requirements, ScriptCode, ScriptEntry

Number = Annotated[int, Field(ge=1, le=1_000_000_000, examples=[3])]
Note = Annotated[str, Field(max_length=1000, examples=["Warn at 8 degrees"])]
EntryName = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", examples=["run"])]
_ACTOR = {"kind": "user", "id": "7dNv2QmXc5LpA9sKf0RtYw", "name": "ada"}


class ScriptProblem(Model):
    """Something that is wrong with a script."""

    file: str = Field(examples=["main.py"])
    line: int | None = Field(default=None, examples=[4])
    message: str = Field(examples=["invalid syntax"])


class ScriptChecked(Model):
    """What a check of a script found, without running it."""

    ok: bool = Field(description="Whether it can be deployed")
    entries: list[ScriptEntry] = Field(description="The functions that can be run, as far as the text says")
    problems: list[ScriptProblem]
    warnings: list[ScriptProblem] = Field(description="What is worth a look", examples=[[]])


class ScriptCheck(Model):
    """The code to check; the draft if it is left out."""

    code: str | None = Field(default=None, max_length=500_000, examples=[CODE])
    files: Files = Field(default_factory=dict)
    requirements: Requirements = ""


class SetCode(ScriptCode):
    """The new draft, in place of all of the old one."""


class DeployAsked(Model):
    """Which version to deploy. The draft, as a new version, if none is named."""

    version: Number | None = Field(
        default=None, description="The draft if left out; unchanged, it is the version that it was"
    )
    note: Note | None = Field(default=None, description="Why, for whoever reads the versions")


class ScriptRollback(Model):
    """The version to go back to."""

    version: Number | None = Field(
        default=None, description="The one that ran before the present one, if left out"
    )
    note: Note | None = None


class ScriptDeployment(Resource):
    """One deployment, or undeployment, of a script, and how far it is."""

    script_id: Identifier
    version: int = Field(default=0, description="The version of the script that it deploys", examples=[3])
    action: Literal["deploy", "undeploy"]
    state: Literal["queued", "building", "serving", "failed", "done"] = Field(
        description="serving: its version runs, or ran until a later one did; done: the script runs no more; "
        "failed: what ran before still does"
    )
    progress: int = Field(default=0, description="Percent", examples=[40])
    message: str | None = Field(default=None, description="What it is doing, or why it failed")
    log: str | None = Field(default=None, description="The end of the build's log")
    note: str | None = None
    created_by: dict[str, str] | None = Field(default=None, examples=[_ACTOR])


class ScriptVersion(Resource):
    """A version of a script. It never changes."""

    # It has no version of its own: this is the number by which it is deployed.
    version: int = Field(default=0, description="Counts up from 1", examples=[3])
    last_modified: EpochMs = Field(default=0, exclude=True)
    script_id: Identifier
    digest: str | None = Field(default=None, description="The same for the same code, files and requirements")
    entries: list[ScriptEntry] = Field(default_factory=list)
    note: str | None = None
    created_by: dict[str, str] | None = Field(default=None, examples=[_ACTOR])


class ScriptVersionCode(ScriptVersion):
    """A version of a script with its code."""

    code: str = Field(examples=[CODE])
    files: dict[str, str] = Field(default_factory=dict, examples=[{"limits.py": "WARM = 8\n"}])
    requirements: str = ""


class VersionDifference(Model):
    """How two versions of a script differ."""

    before: int = Field(description="The version that is compared with; 0: the draft", examples=[2])
    after: int = Field(examples=[3])
    same: bool
    text: str = Field(
        description="As a unified diff",
        examples=["--- 2/main.py\n+++ 3/main.py\n@@ -1 +1 @@\n-WARM = 7\n+WARM = 8\n"],
    )


class RunAsked(Model):
    """An occasion to run a script."""

    device_id: Identifier | None = Field(default=None, description="The device that it is about, if any")
    target_function: EntryName = "run"
    params: JsonObject = Field(default_factory=dict, max_length=100, examples=[{"limit": 8}])
    id: Identifier | None = Field(
        default=None, description="Names the occasion: the script runs once for each; made if left out"
    )


class RunAccepted(Model):
    """The occasion is on its way; what came of it stands in the script's logs."""

    status: str = Field(examples=["accepted"])
    id: str = Field(description="In the logs: ?event=<id>", examples=["3Vc8Qn0kZ5tWb1yLr7sXe2"])
    script_id: Identifier
    device_id: Identifier | None = None
    time: EpochMs


_SUMMARY = ("scriptId", "version", "digest", "entries", "note", "createdBy", "created")

VERSION: Kind[ScriptVersion] = Kind(
    name="scriptVersion",
    collection="scriptVersions",
    model=ScriptVersion,
    create=Model,
    patchable=frozenset(),
    json_text=frozenset({"entries"}),
    # The code may be large, and lists do without.
    mask=_SUMMARY,
)
VERSION_CODE: Kind[ScriptVersionCode] = Kind(
    name="scriptVersion",
    collection="scriptVersions",
    model=ScriptVersionCode,
    create=Model,
    patchable=frozenset(),
    json_text=frozenset({"entries", "files"}),
)
DEPLOYMENT: Kind[ScriptDeployment] = Kind(
    name="scriptDeployment",
    collection="scriptDeployments",
    model=ScriptDeployment,
    create=Model,
    patchable=frozenset(),
)


def version_fields(draft: ScriptCode) -> dict[str, Any]:
    """What of a draft becomes part of a version."""
    return {"code": draft.code, "files": draft.files, "requirements": draft.requirements}
