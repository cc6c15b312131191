"""The transcript of the README, line by line, against a running stack."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from local.processes import ROOT
from local.stack import Stack
from tests.support.transcript import Shell, Step, masked, steps

# Events take effect a moment after they were accepted: what reads them back is asked again until then.
_READS = (
    "fulcrum device show",
    "fulcrum history",
    "fulcrum events",
    "fulcrum search",
    "fulcrum quarantine list",
)
_SECONDS = 60


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One that nobody has set up."""
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.mark.slow
def test_the_readme_builds_a_project_sends_and_reads_back(shell_alone: Shell) -> None:
    played = list(steps((ROOT / "README.md").read_text()))
    typed = " ".join(step.typed for step in played)
    commands = (
        "setup",
        "project create",
        "device import",
        "send",
        "device show",
        "history",
        "search",
        "tail",
    )
    for command in commands:
        assert f"fulcrum {command}" in typed, f"the transcript has no fulcrum {command}"
    for step in played:
        assert played_until(shell_alone, step) == masked(step.answered), step.typed


def played_until(shell: Shell, step: Step) -> str:
    """What a step answers, without what is new at every run."""
    deadline = time.monotonic() + _SECONDS
    while True:
        answered = masked(shell.play(step.typed))
        is_read = step.typed.startswith(_READS)
        if not is_read or answered == masked(step.answered) or time.monotonic() > deadline:
            return answered
        time.sleep(0.2)
