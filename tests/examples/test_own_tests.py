"""Each example is whole, and passes its own tests by the command that a customer would run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fulcrum import json_yaml
from fulcrum.cli.scripts.init import EXAMPLES
from fulcrum.script.loading import load
from local.processes import ROOT
from tests.examples import courses


@pytest.mark.parametrize("folder", courses.folders(), ids=lambda folder: folder.name)
def test_an_example_passes_its_own_tests(folder: Path) -> None:
    line = [sys.executable, "-m", "fulcrum", "script", "test", str(folder)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", courses.folders(), ids=lambda folder: folder.name)
def test_an_example_is_whole(folder: Path) -> None:
    assert {"main.py", "script.yaml", "README.md", "test_main.py"} <= {path.name for path in folder.iterdir()}
    assert len(list((folder / "events").glob("*.event.yaml"))) >= 3
    assert set(json_yaml.read((folder / "script.yaml").read_text())) == {"name", "alias", "desc"}
    # Each param that the code asks for has its line in the page.
    page = (folder / "README.md").read_text()
    for entry in load(folder).entries.values():
        needed = entry.needs.get("params", [])
        for name in needed if isinstance(needed, list) else []:
            assert f"`{name}`" in page, f"{folder.name}/README.md says nothing of {name}"


def test_every_example_can_be_begun_with() -> None:
    assert sorted(EXAMPLES.values()) == [folder.name for folder in courses.folders()]
    index = (courses.EXAMPLES.parent / "README.md").read_text()
    for name in EXAMPLES.values():
        assert f"scripts/{name}/" in index
