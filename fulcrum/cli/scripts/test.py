"""``fulcrum script test``: the tests of a script, or of several, by pytest and without the platform."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from fulcrum.cli import output
from fulcrum.cli.problems import FAILED, Problem, usage

_PLUGIN = "fulcrum.script.testing.plugin"
_MARKS = ("main.py", "script.yaml")
# A folder that says how its tests are run is heard; nothing above it is.
_OWN = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_USAGE, _NO_TESTS = 4, 5
_SUFFIX = ".event.yaml"


def run_tests(
    folder: Annotated[
        Path,
        typer.Argument(
            help="The script's folder, or one that holds several",
            exists=True,
            file_okay=False,
            resolve_path=True,
        ),
    ] = Path(),
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the results there too, as JUnit's XML")
    ] = None,
    update: Annotated[
        bool,
        typer.Option("--update", help="Write what events came to into files that expect nothing or else"),
    ] = False,
    keyword: Annotated[
        str | None, typer.Option("-k", "--keyword", help="Only tests whose names have this, as pytest's -k")
    ] = None,
    verbose: Annotated[bool, typer.Option("--all", help="Name every test")] = False,
) -> None:
    """Run a script's tests: each events/*.event.yaml, and those in test_*.py. Needs no platform."""
    if find_spec("pytest") is None:
        raise Problem("pytest is not installed", "install it by: pip install pytest")
    scripts = list(_scripts(folder))
    if not scripts:
        raise usage(f"{folder} holds no script: there is no main.py", "make one by: fulcrum script init NAME")
    for path in _not_run(scripts):
        output.note(f"{path.relative_to(folder)} is not run: call it {path.name.split('.')[0]}{_SUFFIX}")
    line = [sys.executable, "-m", "pytest", *_options(folder), str(folder)]
    line += ["--fulcrum-update"] if update else []
    line += ["-k", keyword] if keyword else []
    line += ["-v"] if verbose else ["-q"]
    # The folder is uploaded as it is: nothing that Python keeps for itself is left in it.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("PYTEST_ADDOPTS", None)
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as scratch:
        results = junit.resolve() if junit else Path(scratch) / "results.xml"
        results.unlink(missing_ok=True)
        line += [f"--junit-xml={results}"]
        code = subprocess.run(line, env=env, check=False).returncode
        # They are written when all tests are done, whatever came of them.
        is_whole = results.exists()
    if not is_whole and code != _USAGE:
        raise Problem(
            "the tests ended in the middle of one, and with them the process that runs them",
            "the script ends its process (os._exit), crashes it or does not stop: --all shows in which test",
        )
    if code == _NO_TESTS:
        raise Problem(f"{folder} has no tests" + (f" with {keyword!r}" if keyword else ""), _ADVICE)
    if code:
        raise typer.Exit(FAILED)


def _scripts(folder: Path) -> Iterator[Path]:
    """The folder if it is a script's, else those in it that are."""
    for one in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        if any((one / mark).is_file() for mark in _MARKS):
            yield one
            if one == folder:
                return


def _not_run(scripts: list[Path]) -> Iterator[Path]:
    """What looks like an event and is named as none."""
    for script in scripts:
        for path in sorted((script / "events").glob("*.y*ml")):
            if not path.name.endswith(_SUFFIX):
                yield path


_ADVICE = "write an events/NAME.event.yaml, or save a recorded one by: fulcrum script save"


def _options(folder: Path) -> list[str]:
    options = ["-p", _PLUGIN, "-p", "no:cacheprovider", "--import-mode=importlib"]
    options += [f"--rootdir={folder}", f"--confcutdir={folder}"]
    if not any((folder / name).is_file() for name in _OWN):
        # An empty file in the place of what pytest would find further up.
        options += ["-c", str(Path(__file__).with_name("pytest.ini"))]
    return options
