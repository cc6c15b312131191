"""``fulcrum script test`` where it cannot begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulcrum.cli.scripts import test as command
from tests.unit.cli.conftest import Run


def test_without_pytest_it_says_how_to_have_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").write_text("def run(message, context): ...\n")
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    ended = run("script", "test", str(tmp_path))
    assert (ended.code, ended.out) == (1, "")
    assert "pip install pytest" in ended.err


def test_a_folder_is_needed(run: Run, tmp_path: Path) -> None:
    assert run("script", "test", str(tmp_path / "none")).code == 2
