"""``make`` from nothing, and after an installation that was interrupted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.processes import ROOT

READY = ".venv/.run-ready"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The Makefile with an empty list of packages: nothing to download."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (tmp_path / name).touch()
    return tmp_path


def make(folder: Path, target: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Run make without what pytest's own make has put into the environment."""
    env = {
        key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS", "PYTHON"))
    }
    return subprocess.run(
        ["make", "--no-print-directory", f"PYTHON={python}", target],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_an_environment_is_made_once_and_kept_when_the_list_of_packages_changes(clone: Path) -> None:
    first = make(clone, READY)
    assert first.returncode == 0, first.stdout
    assert "Removing" not in first.stdout
    (clone / ".venv" / "mine").touch()
    os.utime(clone / ".venv" / ".run-ready", (0, 0))
    again = make(clone, READY)
    assert again.returncode == 0, again.stdout
    assert (clone / ".venv" / "mine").exists()
    assert "up to date" in make(clone, READY).stdout


@pytest.mark.parametrize("target", [READY, ".venv/.dev-ready"])
def test_an_environment_without_pip_is_made_anew(clone: Path, target: str) -> None:
    # What Debian leaves without python3-venv, and Ctrl-C in the first seconds anywhere.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", clone / ".venv"], check=True)
    if target != READY:
        (clone / READY).touch()
    done = make(clone, target)
    assert done.returncode == 0, done.stdout
    assert subprocess.run([clone / ".venv/bin/python", "-m", "pip", "--version"]).returncode == 0


def test_an_environment_with_half_a_package_is_made_anew(clone: Path) -> None:
    assert make(clone, READY).returncode == 0
    (clone / READY).unlink()
    (packages,) = (clone / ".venv" / "lib").glob("python*/site-packages")
    (packages / "half-1.0.dist-info").mkdir()
    (packages / "half-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: half\nVersion: 1.0\n"
    )
    done = make(clone, READY)
    assert done.returncode == 0, done.stdout
    assert not (packages / "half-1.0.dist-info").exists()


def test_a_python_that_is_too_old_is_refused_by_name(clone: Path) -> None:
    old = clone / "old-python"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 9, 2); $2"\n')
    old.chmod(0o755)
    done = make(clone, READY, python=str(old))
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stdout
    assert "3.9" in done.stdout
    assert not (clone / ".venv").exists()


def test_help_lists_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    (phony,) = (line for line in text.splitlines() if line.startswith(".PHONY:"))
    listed = [line.split()[1] for line in make(ROOT, "help").stdout.splitlines()]
    assert sorted(listed) == sorted(phony.split()[1:])
