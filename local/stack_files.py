"""What a running stack keeps in its folder: ``stack.json``, ``stack.env``, and a lock against a second."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from local.processes import StartError

DESCRIPTION = "stack.json"
ENVIRONMENT = "stack.env"
_LOCK = "lock"
_DATA_LOCK = "data.lock"


def lock(folder: Path) -> IO[str]:
    """Make a stack's folder this process's own until the file is closed; StartError if another has it."""
    file = _hold(folder, _LOCK, f"a stack runs in {folder} already", "give another --stack")
    remove(folder)
    return file


def lock_data(folder: Path) -> IO[str]:
    """The same for a folder with the emulators' state."""
    return _hold(folder, _DATA_LOCK, f"another stack keeps its state in {folder}", "give another --data")


def _hold(folder: Path, name: str, taken: str, advice: str) -> IO[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / name, "a+")  # noqa: SIM115 held as long as the stack runs
    except OSError as error:
        raise StartError(f"cannot write in {folder}: {error.strerror}; {advice}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        other = file.read().strip()
        file.close()
        raise StartError(f"{taken} (process {other}): stop it, or {advice}") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def write(folder: Path, description: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Describe the stack to commands and tests; ``stack.json`` comes last and whole."""
    lines = "".join(f"{key}={value}\n" for key, value in environment.items())
    _replace(folder / ENVIRONMENT, lines)
    _replace(folder / DESCRIPTION, json.dumps(description, indent=2) + "\n")


def remove(folder: Path) -> None:
    """A stack that does not run is not described."""
    for name in (DESCRIPTION, ENVIRONMENT):
        (folder / name).unlink(missing_ok=True)


def read_description(folder: Path) -> dict[str, Any]:
    """What runs in the folder; StartError if nothing does."""
    try:
        found: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())
    except FileNotFoundError:
        raise StartError(f"no stack runs in {folder}: start one with `make run`, or give --stack") from None
    return found


def read_environment(folder: Path) -> dict[str, str]:
    """The variables that point a command at the stack which runs in the folder; StartError if none does."""
    read_description(folder)
    lines = (folder / ENVIRONMENT).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line)


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    # The token of the push and control routes stands in it.
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
