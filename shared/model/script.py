"""Scripts: a project's own code, kept here and run elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, Field, model_validator

from fulcrum.core.script_files import MAX_BYTES, file_problems, requirement_problems
from shared.model.base import (
    Description,
    EpochMs,
    Json,
    Kind,
    Metadata,
    Model,
    Name,
    Resource,
    Tags,
    Unique,
    sound,
)

# A document of the store holds 1 MiB in all.
MAX_CODE_BYTES = 500_000

ScriptAlias = Annotated[
    str, Field(pattern=r"^[a-z][A-Za-z0-9]{0,99}$", description="camelCase", examples=["tooWarm"])
]


CODE = "def run(message, context):\n    return None\n"


def _files(files: dict[str, str]) -> dict[str, str]:
    if found := list(file_problems(sound(files))):
        raise ValueError("; ".join(found[:20]))
    return files


def _requirements(text: str) -> str:
    if found := list(requirement_problems(sound(text))):
        raise ValueError("; ".join(found[:20]))
    return text


Files = Annotated[
    dict[str, str],
    Field(
        description="Further files by path: modules that main.py imports, and data; text alone",
        examples=[{"limits.py": "WARM = 8\n"}],
    ),
    AfterValidator(_files),
]
Requirements = Annotated[
    str,
    Field(
        max_length=20_000,
        description="Packages, a line each, with their exact versions",
        examples=["geographiclib==2.1\n"],
    ),
    AfterValidator(_requirements),
]


class ScriptCode(Model):
    """All that a script consists of: the text of its main.py, further files, packages."""

    code: str = Field(
        max_length=MAX_CODE_BYTES,
        description=f"The text of main.py: at most {MAX_CODE_BYTES} bytes of UTF-8",
        examples=[CODE],
    )
    files: Files = Field(default_factory=dict)
    requirements: Requirements = ""

    @model_validator(mode="after")
    def _fits(self) -> ScriptCode:
        size = code_size(self.code, self.files, self.requirements)
        if size > MAX_BYTES:
            raise ValueError(f"code, files and requirements are {size} bytes of JSON; at most {MAX_BYTES}")
        return self


def code_size(code: str, files: Mapping[str, str], requirements: str) -> int:
    """How large a script is: what is stored of it, and kept of it when it is deleted."""
    return len(msgspec.json.encode([sound(code), files, requirements]))


class _Named(Model):
    name: Name
    alias: ScriptAlias
    desc: Description | None = None


class ScriptCreate(ScriptCode, _Named):
    """A new script: Python text with ``def run(message, context)``. It does nothing until it is deployed."""

    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)


class ScriptEntry(Model):
    """A function of a script that can be run, and what it needs."""

    name: str = Field(examples=["run"])
    needs: dict[str, Json] = Field(
        default_factory=dict,
        description="Name of context data → true, or the paths or names that must be there",
        examples=[{"deviceData": ["air/temperature"], "cache": True}],
    )


class ScriptBreaker(Model):
    """Whether the script is run at all: after repeated failures it is not, and what it was to run is set
    aside, until one event tries it again."""

    state: Literal["closed", "open", "halfOpen"] = "closed"
    reason: str | None = Field(default=None, description="Why it is open", examples=["ZeroDivisionError"])
    failures: int = Field(default=0, description="In a row", examples=[0])
    opened_at: EpochMs | None = None
    until: EpochMs | None = Field(default=None, description="When it is tried again, epoch ms")


class ScriptState(Model):
    """What of a script is running."""

    state: Literal["undeployed", "deployed"] = "undeployed"
    version: int | None = Field(default=None, description="The version that runs", examples=[3])
    entries: list[ScriptEntry] = Field(default_factory=list, description="What of it can be run")
    deployment: str | None = Field(
        default=None, description="The deployment that is under way, or the last one"
    )
    breaker: ScriptBreaker = Field(default_factory=ScriptBreaker)


class Script(ScriptCreate, Resource):
    """A script."""

    state: ScriptState | None = Field(default=None, description="What of it is running")


class StoredState(Resource):
    """The state of a script as it is stored; see ``shared/script_documents.py``."""

    script_id: str = ""
    state: str = "undeployed"
    url: str | None = None
    function: str | None = None
    entries: Any = None
    deployment: str | None = None
    breaker: Any = None


SCRIPT: Kind[Script] = Kind(
    name="script",
    collection="scripts",
    model=Script,
    create=ScriptCreate,
    patchable=frozenset({"name", "alias", "desc", "code", "files", "requirements", "tags", "metadata"}),
    unique=(Unique("alias"),),
    # A path is no name of a field.
    json_text=frozenset({"files"}),
)

STATE: Kind[StoredState] = Kind(
    name="scriptState",
    collection="scriptStates",
    model=StoredState,
    create=Model,
    patchable=frozenset(),
    json_text=frozenset({"entries", "breaker"}),
)


def shown_state(fields: Mapping[str, Any]) -> ScriptState:
    """What people read of a state; ``fields``: as stored, none for a script that was never deployed."""
    wanted = {info.alias or name for name, info in ScriptState.model_fields.items()}
    kept = {key: value for key, value in fields.items() if key in wanted and value is not None}
    known = {info.alias or name for name, info in ScriptBreaker.model_fields.items()}
    if "breaker" in kept:
        kept["breaker"] = {key: value for key, value in kept["breaker"].items() if key in known}
    if kept.get("state", "undeployed") == "undeployed":
        # What ran last, if anything did, runs no more.
        kept = {key: value for key, value in kept.items() if key in ("state", "deployment")}
    return ScriptState.model_validate(kept)
