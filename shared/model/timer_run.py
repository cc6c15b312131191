"""A timer as it runs: whether it does, and when it fires."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.model.base import EpochMs, Identifier, Model

RunState = Literal["stopped", "running", "finished"]


class TimerAccepted(Model):
    """What was asked for is safe, and done a moment later."""

    status: Literal["accepted"] = "accepted"
    id: Identifier
    time: EpochMs


class TimerRun(Model):
    """Whether a timer runs, and when it fires.

    ``stopped``: it was never started, or was stopped. ``finished``: it has fired for the last time.
    """

    id: Identifier
    state: RunState
    started: EpochMs | None = None
    next: list[EpochMs] = Field(default_factory=list, description="The next times at which it fires")
    last_fired: EpochMs | None = None
    occurrences: int = Field(default=0, description="How often it has fired since it was started")
