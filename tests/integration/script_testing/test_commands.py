"""``fulcrum script init`` and ``fulcrum script test`` as people run them, and pytest with the plug-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fulcrum import json_yaml
from fulcrum.cli.scripts.init import EXAMPLES
from local.processes import ROOT

MAIN = '''
from fulcrum.script import needs

@needs("cache", params=["limit"])
def run(message, context):
    """One event."""
    value = message["data"][0]["value"]
    print("saw", value)
    if value > context.params["limit"]:
        context.set_cache({"seen": value})
        return False

async def slow(message, context):
    """Another entry point."""
    return {"data": [{"path": "n", "value": context.random.random()}]}
'''
EVENT = """\
# kept for its comment
params: {limit: 5}
message: {data: {n: 7}}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def fulcrum(tmp_path: Path) -> Callable[..., Ended]:
    """Runs ``fulcrum`` in the test's own folder."""

    def ran(*words: str) -> Ended:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "FULCRUM_CONFIG": str(tmp_path / "none.json")}
        line = [sys.executable, "-m", "fulcrum", *words]
        done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
        return Ended(done.returncode, done.stdout, done.stderr)

    return ran


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A script with one event that does not say what is expected."""
    made = tmp_path / "script"
    (made / "events").mkdir(parents=True)
    (made / "main.py").write_text(MAIN)
    (made / "events" / "high.event.yaml").write_text(EVENT)
    return made


def test_a_new_script_passes_its_own_tests(fulcrum: Callable[..., Ended], tmp_path: Path) -> None:
    made = fulcrum("script", "init", "too-warm")
    assert made.code == 0
    assert "too-warm/main.py" in made.out
    assert "fulcrum script test too-warm" in made.err
    # Nothing reaches it without a route, which is told as it can be copied.
    (line,) = [text for text in made.err.splitlines() if "fulcrum message-route create" in text]
    first, last = json.loads(line.split("'")[1])["deviceDataEventMsg"]
    assert (first["topic"], first["options"]["reasoner"]["id"], last) == ("reason", "tooWarm", "writer")
    assert json_yaml.read((tmp_path / "too-warm" / "script.yaml").read_text()) == {
        "name": "Too warm",
        "alias": "tooWarm",
        "desc": "",
    }
    tested = fulcrum("script", "test", "too-warm", "--junit", "results.xml")
    assert (tested.code, "3 passed" in tested.out) == (0, True)
    suite = ElementTree.parse(tmp_path / "results.xml").getroot().find("testsuite")  # noqa: S314 our own file
    assert suite is not None
    assert suite.get("tests") == "3"
    # It is uploaded as it is.
    left = {path.name for path in (tmp_path / "too-warm").rglob("*")}
    assert left == {
        "main.py",
        "script.yaml",
        "requirements.txt",
        "test_main.py",
        "events",
        "first.event.yaml",
    }


def test_a_new_script_is_typed(fulcrum: Callable[..., Ended], tmp_path: Path) -> None:
    assert fulcrum("script", "init", "warm").code == 0
    line = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path / 'cache'}", "warm"]
    env = {**os.environ, "MYPYPATH": str(ROOT)}
    typed = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert typed.returncode == 0, typed.stdout


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_a_start(fulcrum: Callable[..., Ended], tmp_path: Path, example: str) -> None:
    assert fulcrum("script", "init", "my-own", "--example", example).code == 0
    assert json_yaml.read((tmp_path / "my-own" / "script.yaml").read_text())["alias"] == "myOwn"
    assert fulcrum("script", "test", "my-own").code == 0


def test_nothing_is_overwritten(fulcrum: Callable[..., Ended], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "main.py").write_text("mine")
    refused = fulcrum("script", "init", "mine")
    assert (refused.code, "is there already" in refused.err) == (2, True)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["main.py"]
    assert (tmp_path / "mine" / "main.py").read_text() == "mine"
    assert fulcrum("script", "init", "???").code == 2
    strange = fulcrum("script", "init", "other", "--example", "nonsense")
    assert (strange.code, "there are: hysteresis" in strange.err) == (2, True)
    assert not (tmp_path / "other").exists()


def test_an_event_without_expectation_shows_what_it_came_to(
    fulcrum: Callable[..., Ended], folder: Path
) -> None:
    ended = fulcrum("script", "test", "script")
    assert ended.code == 1
    assert "the file does not say what is expected" in ended.out
    assert "  result: false" in ended.out
    assert "info: saw 7" in ended.out
    updated = fulcrum("script", "test", "script", "--update")
    assert updated.code == 0
    assert "written: script/events/high.event.yaml" in updated.out
    text = (folder / "events" / "high.event.yaml").read_text()
    assert text == EVENT + "expected:\n  result: false\n  effects: []\n  cache:\n    seen: 7\n"
    assert fulcrum("script", "test", "script").code == 0


def test_a_difference_is_shown_and_can_be_written(fulcrum: Callable[..., Ended], folder: Path) -> None:
    event = folder / "events" / "high.event.yaml"
    event.write_text(EVENT + "expected: {result: null, cache: {seen: 8}}  # for now\n")
    ended = fulcrum("script", "test", "script")
    assert ended.code == 1
    assert "result\n  expected: null\n  got:      false" in ended.out
    assert "cache/seen\n  expected: 8\n  got:      7" in ended.out
    # No stack of ours.
    assert "plugin.py" not in ended.out
    assert fulcrum("script", "test", "script", "--update").code == 0
    assert event.read_text().startswith(EVENT)
    assert fulcrum("script", "test", "script").code == 0


def test_a_failing_script_shows_its_traceback(fulcrum: Callable[..., Ended], folder: Path) -> None:
    (folder / "events" / "high.event.yaml").write_text(
        "params: {limit: 5}\nmessage: {data: {n: text}}\nexpected: {result: null}\n"
    )
    ended = fulcrum("script", "test", "script")
    assert ended.code == 1
    assert '"type": "TypeError"' in ended.out
    assert "main.py" in ended.out
    assert 'if value > context.params["limit"]:' in ended.out


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("main.py", "def run(message, context)\n", "main.py:1"),
        ("main.py", "import nonsense_x\ndef run(message, context): ...\n", "nonsense_x"),
        ("events/high.event.yaml", "mesage: {}", "high.event.yaml: mesage: did you mean message?"),
        ("events/high.event.yaml", "message: {\n", "high.event.yaml: while parsing"),
    ],
)
def test_what_cannot_be_used_is_named(
    fulcrum: Callable[..., Ended], folder: Path, name: str, text: str, said: str
) -> None:
    (folder / name).write_text(text)
    ended = fulcrum("script", "test", "script")
    assert ended.code == 1
    assert said in ended.out
    assert "Traceback" not in ended.out
    assert "another exception" not in ended.out


def test_an_endless_loop_is_told_with_its_line(fulcrum: Callable[..., Ended], folder: Path) -> None:
    (folder / "main.py").write_text("def run(message, context):\n    while True:\n        pass\n")
    ended = fulcrum("script", "test", "script")
    assert ended.code == 1
    assert "kind: timeout" in ended.out
    assert 'File "main.py"' in ended.out
    assert "1 failed" in ended.out


def test_a_script_that_ends_its_process_passes_no_test(
    fulcrum: Callable[..., Ended], folder: Path, tmp_path: Path
) -> None:
    (folder / "main.py").write_text("import os\ndef run(message, context):\n    os._exit(0)\n")
    (tmp_path / "results.xml").write_text("of the run before")
    ended = fulcrum("script", "test", "script", "--junit", "results.xml")
    assert ended.code == 1
    assert "the tests ended in the middle of one" in ended.err
    assert not (tmp_path / "results.xml").exists()


def test_a_test_in_python_shows_where_the_script_failed(fulcrum: Callable[..., Ended], folder: Path) -> None:
    (folder / "test_main.py").write_text(
        "def test_it(run_event, make_message):\n"
        "    assert run_event(make_message({'n': 'x'}), params={'limit': 1}).status == 'done'\n"
    )
    ended = fulcrum("script", "test", "script", "-k", "test_it")
    assert ended.code == 1
    assert 'if value > context.params["limit"]:' in ended.out


def test_what_is_named_as_no_event_is_pointed_out(fulcrum: Callable[..., Ended], folder: Path) -> None:
    (folder / "events" / "low.yaml").write_text(EVENT)
    ended = fulcrum("script", "test", "script", "--update")
    assert (ended.code, "1 passed" in ended.out) == (0, True)
    assert "events/low.yaml is not run: call it low.event.yaml" in ended.err


def test_several_scripts_are_tested_by_one_command(fulcrum: Callable[..., Ended], tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert fulcrum("script", "init", f"scripts/{name}").code == 0
    ended = fulcrum("script", "test", "scripts")
    assert (ended.code, "6 passed" in ended.out) == (0, True)


def test_what_is_around_a_script_changes_nothing(
    fulcrum: Callable[..., Ended], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "--no-such-option"\n')
    (tmp_path / "conftest.py").write_text("raise RuntimeError('not of the script')\n")
    assert fulcrum("script", "test", "script", "--update").code == 0
    # What the script itself says is heard.
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    assert fulcrum("script", "test", "script").code == 1


def test_some_tests_and_none(fulcrum: Callable[..., Ended], folder: Path, tmp_path: Path) -> None:
    (folder / "events" / "other.event.yaml").write_text(EVENT + "entry: slow\n")
    one = fulcrum("script", "test", "script", "-k", "other", "--update")
    assert (one.code, "1 passed" in one.out) == (0, True)
    assert "expected" not in (folder / "events" / "high.event.yaml").read_text()
    # Random numbers are the event's own.
    assert fulcrum("script", "test", "script", "-k", "other").code == 0
    none = fulcrum("script", "test", "script", "-k", "nothing")
    assert (none.code, "has no tests with 'nothing'" in none.err) == (1, True)
    (tmp_path / "empty").mkdir()
    empty = fulcrum("script", "test", "empty")
    assert (empty.code, "there is no main.py" in empty.err) == (2, True)


def test_scripts_side_by_side_do_not_meet(folder: Path, tmp_path: Path) -> None:
    """pytest itself, over two scripts whose modules share names; and what is no script's is let be."""
    other = tmp_path / "other"
    (other / "events").mkdir(parents=True)
    (other / "main.py").write_text(
        "import part\ndef run(message, context):\n    return {'data': part.DATA}\n"
    )
    (other / "part.py").write_text("DATA = []\n")
    (folder / "part.py").write_text("DATA = ['not this']\n")
    (other / "events" / "one.event.yaml").write_text("message: {}\nexpected: {result: {data: []}}\n")
    (folder / "events" / "high.event.yaml").write_text(
        EVENT + "expected: {result: false, cache: {seen: 7}}\n"
    )
    (tmp_path / "stray.event.yaml").write_text("no event")
    line = [sys.executable, "-m", "pytest", "-q", "-p", "fulcrum.script.testing.plugin", "."]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
