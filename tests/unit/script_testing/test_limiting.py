"""An event that does not stop is told as one; another's alarm and a debugger are let be."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from fulcrum.script import limits
from fulcrum.script.loading import load
from fulcrum.script.running import TimeLimit
from fulcrum.script.testing import fixture, running
from fulcrum.script.testing.limiting import Limit
from local.processes import ROOT

SHORT = 0.05


def _forever() -> None:
    while True:
        pass


def test_what_does_not_stop_is_ended() -> None:
    limit = Limit(None)
    for _ in range(2):
        with pytest.raises(TimeLimit, match=r"more than 0\.05 s"), limit.within(SHORT):
            _forever()
    with limit.within(60):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_events_after_it_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Short(limits.Limits, frozen=True):
        seconds_per_event: float = SHORT

    monkeypatch.setattr("fulcrum.script.running.Limits", Short)
    (tmp_path / "main.py").write_text(
        "def run(message, context):\n    while message['id'] == 'loops':\n        pass\n"
    )
    cases = [fixture.parse(f"message: {{id: {name}}}") for name in ("before", "loops", "after")]
    outcomes = running.run_all(load(tmp_path), cases, Limit(None))
    assert [outcome.status for outcome in outcomes] == ["done", "failed", "done"]
    failure = outcomes[1].failure
    assert failure is not None
    assert failure.kind == "timeout"
    assert "main.py" in failure.traceback


def test_anothers_alarm_goes_on_afterwards() -> None:
    struck: list[Any] = []
    before = signal.signal(signal.SIGALRM, lambda *_: struck.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 60)
        with Limit(None).within(30):
            assert signal.getsignal(signal.SIGALRM) is not before
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
        signal.raise_signal(signal.SIGALRM)
        assert struck == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_it_is_lifted_for_a_debugger() -> None:
    limit = Limit(None)
    with limit.within(60):
        limit.lift()
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    with limit.within(0.001):
        threading.Event().wait(SHORT)


def test_what_catches_everything_ends_with_its_process() -> None:
    program = """
import fulcrum.script.testing.limiting as limiting
limiting._GRACE = 0.1
with limiting.Limit(2).within(0.05):
    while True:
        try:
            sum([1])
        except BaseException:
            pass
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert 'File "<string>"' in done.stderr
