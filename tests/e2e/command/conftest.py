"""A running stack, and a shell that has the command ``fulcrum``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.processes import ROOT
from local.stack import Stack
from tests.e2e.command.transcript import Shell


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything, on ports of its own."""
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def shell(stack: Stack, tmp_path: Path) -> Iterator[Shell]:
    """A shell in a folder as a new user has it, beside the stack's."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "fulcrum"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m fulcrum "$@"\n')
    command.chmod(0o755)
    (tmp_path / ".fulcrum").mkdir()
    (tmp_path / ".fulcrum" / "run").symlink_to(stack.directory)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FULCRUM_")}
    env = {
        **kept,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    made = Shell(tmp_path, env)
    yield made
    made.close()
