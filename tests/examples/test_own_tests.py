"""Each example is whole, and passes its own tests by the command that a customer would run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fulcrum import json_yaml
from fulcrum.cli.scripts.init import EXAMPLES
from fulcrum.script.loading import load
from functions.api.resources import reasoning
from local.processes import ROOT
from shared.routes import first_steps
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


@pytest.mark.parametrize("folder", courses.folders(), ids=lambda folder: folder.name)
def test_the_route_of_a_page_runs_the_script(folder: Path) -> None:
    page = (folder / "README.md").read_text()
    (text,) = re.findall(r"--route '(.*?)'\)", page, re.DOTALL)
    route = json.loads(text)
    assert list(reasoning.route_problems(route)) == []
    (step,) = first_steps(route["deviceDataEventMsg"])
    # Before what stores the event, so that what it makes of it is what is stored.
    assert (step.topic, step.rest) == ("reason", ["writer"])
    reasoner = step.options["reasoner"]
    assert reasoner.pop("id") == json_yaml.read((folder / "script.yaml").read_text())["alias"]
    data = {"temperature": 20, "engine/temperature": 20, "position": {"lat": 1, "lon": 2}}
    course = courses.Course(folder.name, reasoner, device={"parentDeviceId": "site"})
    outcome = course.run([("d", 1_772_366_400_000, data)]).outcomes[0]
    assert (outcome.status, outcome.logs) == ("done", [])
    # Each parameter of it has its line in the page.
    for name in reasoner:
        assert f"| `{name}` |" in page, f"{folder.name}/README.md says nothing of {name}"


def test_every_example_can_be_begun_with() -> None:
    assert sorted(EXAMPLES.values()) == [folder.name for folder in courses.folders()]
    index = (courses.EXAMPLES.parent / "README.md").read_text()
    for name in EXAMPLES.values():
        assert f"scripts/{name}/" in index
