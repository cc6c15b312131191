"""For how long a project keeps what: its settings, what they would let go, and what they did."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from fulcrum.core import paths
from shared.model.base import EpochMs, Identifier, Model

MAX_PATHS = 50
# Firestore and BigQuery have times until the year 9999; nobody keeps anything for a thousand years.
MAX_DAYS = 36_500
EXAMPLE: dict[str, Any] = {
    "history": {"days": 400, "paths": [{"path": "position", "days": 30}]},
    "quarantine": {"days": 14},
}


def _path(path: str) -> str:
    if problem := paths.leaf_problem(path):
        raise ValueError(problem)
    return path


def _once(rules: list[PathRetention]) -> list[PathRetention]:
    seen = [rule.path for rule in rules]
    if twice := {path for path in seen if seen.count(path) > 1}:
        raise ValueError(f"two rules for the path {sorted(twice)[0]!r}")
    return rules


class PathRetention(Model):
    """For how long what is at or below a path is kept."""

    path: Annotated[str, Field(examples=["position"]), AfterValidator(_path)]
    days: int = Field(ge=0, le=MAX_DAYS, description="0: for ever", examples=[30])


class StoreRetention(Model):
    """For how long a store is kept."""

    enabled: bool = Field(default=True, description="false: nothing of it is let go")
    days: int | None = Field(
        default=None,
        ge=0,
        le=MAX_DAYS,
        description="0: for ever; left out: what the project says, or as long as it is kept anyway",
        examples=[400],
    )


class HistoryRetention(StoreRetention):
    """For how long history is kept; the rule with the longest path that fits decides."""

    paths: Annotated[list[PathRetention], Field(max_length=MAX_PATHS), AfterValidator(_once)] = Field(
        default_factory=list
    )


class BlueprintRetention(Model):
    """For how long history and events of a blueprint's devices are kept, where not as the project says."""

    history: HistoryRetention | None = None
    events: StoreRetention | None = None


class Retention(BlueprintRetention):
    """For how long a project keeps what, by store."""

    runs: StoreRetention | None = Field(default=None, description="Runs of scripts")
    logs: StoreRetention | None = Field(default=None, description="What scripts said in their runs")
    outbound: StoreRetention | None = Field(default=None, description="Messages to devices")
    outbox: StoreRetention | None = Field(default=None, description="Mail and text messages")
    unknown_devices: StoreRetention | None = None
    quarantine: StoreRetention | None = None
    timers: StoreRetention | None = Field(default=None, description="Timers that are over")
    script_versions: StoreRetention | None = Field(default=None, description="Versions that do not run")


ProjectRetention = Annotated[Retention, Field(description="For how long what is kept", examples=[EXAMPLE])]
OfBlueprint = Annotated[
    BlueprintRetention,
    Field(
        description="For how long the history of its devices is kept, where not as the project says",
        examples=[{"history": {"days": 90}}],
    ),
]


class RetentionDay(Model):
    """What of a day of the history would go."""

    day: EpochMs = Field(description="Its first instant, UTC")
    rows: int = Field(description="Rows that go", examples=[12_000])
    bytes: int = Field(description="Their size in BigQuery", examples=[2_400_000])
    shortened: int = Field(description="Rows that lose some of their paths", examples=[0])
    shortened_bytes: int = Field(description="The size that these have before", examples=[0])


class StorePreview(Model):
    """What of a store would go."""

    store: str = Field(examples=["history"])
    exact: bool = Field(description="To the row; else what is there now, which may go otherwise, too")
    rows: int = Field(default=0, description="Rows of BigQuery, or documents, that go", examples=[12_000])
    bytes: int = Field(default=0, description="The size of the rows of the history", examples=[2_400_000])
    shortened: int = Field(default=0, description="Rows that lose a part")
    snapshot_rows: int = Field(default=0, description="Rows of daily snapshots, which go with the history")
    expiring: int = Field(default=0, description="Documents that Firestore removes by itself within a day")
    days: list[RetentionDay] = Field(default_factory=list)


class RetentionPreview(Model):
    """What a curation at an instant would let go, of all that is there now."""

    at: EpochMs = Field(description="The instant of the curation")
    stores: list[StorePreview]


class Curation(Model):
    """How far the curation of a store is, or what it came to."""

    run: str = Field(examples=["2026-11-30"])
    store: str = Field(examples=["history"])
    state: Literal["running", "done", "failed"]
    now: EpochMs = Field(description="The instant by which things go")
    started: EpochMs
    last_modified: EpochMs
    result: dict[str, int] = Field(description="What it did", examples=[{"rows": 12_000, "days": 1}])
    reason: str | None = Field(default=None, description="Why a try was refused")


class RetentionStatus(Model):
    """A project's settings, those of its blueprints, and its last curations, the newest first."""

    retention: Retention
    blueprints: dict[str, BlueprintRetention] = Field(
        description="By the blueprint's id, those that have any"
    )
    curations: list[Curation]


class CurationStarted(Model):
    """A curation that was asked for and begins a moment later."""

    status: Literal["accepted"] = "accepted"
    run: Identifier
    now: EpochMs
