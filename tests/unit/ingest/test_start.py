"""What the function loads before it listens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAVY = (
    "grpc",
    "google.api_core",
    "google.protobuf",
    "google.auth",
    "proto",
    "cryptography",
    "requests",
    "aiohttp",
)


@pytest.mark.parametrize("name", HEAVY)
def test_nothing_heavy_is_loaded_before_the_first_event(name: str) -> None:
    script = f"import sys, functions.ingest.main; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("name", ["functions.ingest.acks", "functions.ingest.fetching", "shared.outbound"])
def test_a_start_for_events_does_not_pay_for_messages_to_devices(name: str) -> None:
    script = f"import sys, functions.ingest.main; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0
