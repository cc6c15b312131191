"""The whole bench, with few repetitions: that it runs, what it prints and the shape of what it writes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bench.__main__ import NAMES
from local.processes import ROOT, python

MORE = {
    "cold_start_message_processor",
    "cold_start_transponder",
    "memory_first_write",
    "warm_noop_push_message_processor",
    "warm_noop_push_transponder",
    "event_at_100_devices",
    "event_at_2k_devices",
    "api_cold_start_signed_in",
    "api_memory_signed_in",
    "script_call_in_batch_reason",
    "script_call_in_batch_function",
    "replay_500k_events",
    "replay_event",
    "replay_memory",
}


@pytest.mark.slow
def test_a_quick_run_writes_every_figure_beside_its_baseline(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    run = subprocess.run(
        python("-m", "bench", "--quick", "--output", str(output)), cwd=ROOT, capture_output=True, text=True
    )

    assert run.returncode == 0, run.stderr
    figures = json.loads(output.read_text())
    assert set(figures) == set(NAMES) | MORE
    for name, figure in figures.items():
        assert set(figure) == {"value", "baseline", "ratio", "unit"}, name
        assert figure["value"] > 0, name
        assert figure["baseline"] > 0, name
        assert figure["ratio"] == pytest.approx(figure["value"] / figure["baseline"], rel=0.05), name
        assert figure["unit"], name
        assert f"\n{name} " in run.stdout
    assert figures["rpcs_per_100_events"]["baseline"] == 300
