"""What the command remembers between runs: addresses, the project in use, and sessions. One file, mode 0600.

``FULCRUM_CONFIG`` names it; else ``fulcrum/config.json`` below ``XDG_CONFIG_HOME`` or ``~/.config``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from fulcrum.cli.problems import Problem

DEFAULT = "default"


@dataclass(frozen=True)
class Profile:
    """One place to work at. Tokens are empty when nobody is signed in; times are epoch ms."""

    url: str = ""
    project: str = ""
    username: str = ""
    id_token: str = ""
    refresh_token: str = ""
    expires: int = 0
    refresh_expires: int = 0


def path() -> Path:
    """The file."""
    named = os.environ.get("FULCRUM_CONFIG")
    if named:
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "fulcrum" / "config.json"


def read(name: str) -> Profile:
    """A profile; an empty one if there is none of that name."""
    found = _read()["profiles"].get(name, {})
    known = {field.name: type(field.default) for field in fields(Profile)}
    kept: dict[str, Any] = {
        key: value for key, value in found.items() if key in known and isinstance(value, known[key])
    }
    return Profile(**kept)


def write(name: str, profile: Profile) -> None:
    """Keep a profile. Hold :func:`lock` from before it was read."""
    whole = _read()
    whole["profiles"][name] = {key: value for key, value in asdict(profile).items() if value}
    target = path()
    # Made with mode 0600 and put in place at once: nobody else reads it, and nobody reads half of it.
    handle, draft = tempfile.mkstemp(prefix=".config.", dir=target.parent)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(whole, file, indent=2)
            file.write("\n")
        Path(draft).replace(target)
    except OSError as error:
        Path(draft).unlink(missing_ok=True)
        raise _unwritable(target, error) from error


@contextmanager
def lock() -> Iterator[None]:
    """One command at a time changes the file; the others wait."""
    target = path()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = open(target.with_name(f"{target.name}.lock"), "a+")  # noqa: SIM115 closed below
    except OSError as error:
        raise _unwritable(target, error) from error
    with file:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read() -> dict[str, Any]:
    target = path()
    try:
        found = json.loads(target.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"profiles": {}}
    except (OSError, ValueError) as error:
        raise Problem(
            f"{target} cannot be read: {error}", "mend it, or remove it and sign in again"
        ) from error
    if not isinstance(found, dict) or not isinstance(found.get("profiles"), dict):
        raise Problem(f"{target} is no file of this command", "remove it and sign in again")
    return found


def _unwritable(target: Path, error: OSError) -> Problem:
    return Problem(f"{target} cannot be written: {error.strerror}", "name another file by FULCRUM_CONFIG")
