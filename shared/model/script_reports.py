"""What people read of a script's runs: logs and metrics."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.model.base import EpochMs, Model


class RunLine(Model):
    """One line that a script logged."""

    level: Literal["info", "error"] = "info"
    text: str = Field(examples=["8.4 degrees: too warm"])


class RunFailure(Model):
    """Why a run came to nothing."""

    kind: str = Field(
        description="exception, timeout, memory, exit, output, result, effects or load",
        examples=["exception"],
    )
    type: str | None = Field(default=None, description="The exception", examples=["ZeroDivisionError"])
    message: str | None = Field(default=None, examples=["division by zero"])
    traceback: str | None = None


class ScriptRun(Model):
    """One run of a script for one event."""

    run_key: str = Field(examples=["3Vc8Qn0kZ5tWb1yLr7sXe2"])
    time: EpochMs = Field(description="When it began, epoch ms")
    version: int = Field(examples=[3])
    entry: str = Field(examples=["run"])
    device_id: str | None = None
    event_id: str | None = None
    event_time: EpochMs | None = None
    message_id: str | None = Field(default=None, description="The message of Pub/Sub that it came in")
    call_id: str | None = Field(default=None, description="The same for all that were run in one call")
    status: str = Field(description="done, unmet or failed", examples=["done"])
    repeated: bool = Field(default=False, description="Carried out again, from the record of the first time")
    result: str | None = Field(default=None, description="unchanged, stopped or replaced")
    effects: int = Field(default=0, description="How many effects it had")
    lines: list[RunLine] = Field(default_factory=list)
    failure: RunFailure | None = None
    cpu_us: int = Field(default=0, description="Processor time, in µs", examples=[180])
    wall_us: int = Field(default=0, description="Time that passed, in µs", examples=[210])


class ScriptRuns(Model):
    """A page of runs, the latest first."""

    count: int = Field(examples=[1])
    per_page: int = Field(examples=[50])
    next: str | None = Field(default=None, description="Cursor of the next page; absent on the last one")
    items: list[ScriptRun]


class Times(Model):
    """How long runs took, in µs; approximate where there are many."""

    p50: int = Field(examples=[180])
    p95: int = Field(examples=[450])


class ScriptFigures(Model):
    """The figures of some runs."""

    version: int | None = Field(default=None, description="Of by=version", examples=[3])
    device_id: str | None = Field(default=None, description="Of by=device; absent for no device")
    start: EpochMs | None = Field(default=None, description="Of a bucket: its beginning")
    runs: int = Field(examples=[1200])
    done: int = Field(examples=[1190])
    unmet: int = Field(description="Not run: what it needs was not there", examples=[8])
    failed: int = Field(examples=[2])
    failures: dict[str, int] = Field(description="How many failed, by kind", examples=[{"exception": 2}])
    wall_us: Times | None = None
    cpu_us: Times | None = None
    cpu_us_sum: int = Field(default=0, description="Of all runs", examples=[216_000])
    effects: dict[str, int] = Field(
        description="How many effects, by kind", examples=[{"sendSms": 3, "setDeviceData": 40}]
    )


class ScriptMetrics(Model):
    """The figures of a script's runs from ``since`` until before ``until``."""

    since: EpochMs
    until: EpochMs
    interval: int | None = Field(default=None, description="Of the buckets, in ms", examples=[3_600_000])
    total: ScriptFigures
    groups: list[ScriptFigures] = Field(
        default_factory=list, description="By version or device, if asked for; the most runs first"
    )
    buckets: list[ScriptFigures] = Field(
        default_factory=list, description="By time (and version or device), if an interval is asked for"
    )
