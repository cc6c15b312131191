"""What tests share a running stack by: who administers it, its state between two tests, a shell beside it.

The fixtures stand in ``tests/e2e/conftest.py``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from fulcrum import Client
from local.processes import ROOT
from local.stack import Emulator, Stack
from tests.support.transcript import Shell

USERNAME = "ada@example.com"
PASSWORD = "correct horse battery"
_COMMAND = f'#!/bin/sh\nexec {sys.executable} -m fulcrum "$@"\n'


@contextmanager
def administered(folder: Path, *, movable_clock: bool) -> Iterator[Stack]:
    """A stack whose first administrator is ``USERNAME``."""
    with Stack(folder, movable_clock=movable_clock) as stack:
        with Client(stack.url) as client:
            token = stack.env()["FULCRUM_SETUP_TOKEN"]
            client.session.setup_create({"token": token, "username": USERNAME, "password": PASSWORD})
        yield stack


def administrator(stack: Stack) -> str:
    """A token of a new session of a shared stack's administrator."""
    with Client(stack.url) as client:
        return client.session.create({"username": USERNAME, "password": PASSWORD})["idToken"]


@contextmanager
def lent(stack: Stack, *, movable_clock: bool) -> Iterator[Stack]:
    """A shared stack for one test: what fails on request works again afterwards, nothing is under way."""
    try:
        yield stack
    finally:
        for emulator in stack.urls.keys() - {"front", "push"}:
            stack.set_faults(cast(Emulator, emulator), [])
        stack.drain(skip_backoff=movable_clock)


@contextmanager
def shell_beside(stack: Stack, folder: Path) -> Iterator[Shell]:
    """A shell in a folder as a new user has it, beside the stack's; the command is ``fulcrum``."""
    (folder / "bin").mkdir()
    command = folder / "bin" / "fulcrum"
    command.write_text(_COMMAND)
    command.chmod(0o755)
    (folder / ".fulcrum").mkdir()
    (folder / ".fulcrum" / "run").symlink_to(stack.directory)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FULCRUM_")}
    env = {
        **kept,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    made = Shell(folder, env)
    try:
        yield made
    finally:
        made.close()


def sign_in(shell: Shell, stack: Stack) -> None:
    """Have a shell's ``fulcrum`` act for the administrator of a shared stack."""
    said = shell.play(
        f"export FULCRUM_PASSWORD='{PASSWORD}'; fulcrum login --url {stack.url} --username {USERNAME}"
    )
    assert "fulcrum:" not in said, said


def in_environment(stack: Stack, patch: pytest.MonkeyPatch) -> None:
    """Point Google's clients and Fulcrum's commands in this process at a stack."""
    for name, value in stack.env().items():
        patch.setenv(name, value)
