"""The files of ``fulcrum`` that run a script, which every script's zip has; they stand beside this code."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import fulcrum.core as core

# Of each, its own files: what is below is for other uses.
_FOLDERS = ("core", "script")
_SUFFIXES = {".py", ".json"}
_REQUIREMENTS = Path("script") / "requirements.txt"


@cache
def files() -> dict[str, bytes]:
    """Path in the zip → bytes."""
    root = _root()
    found = {"fulcrum/__init__.py": (root / "__init__.py").read_bytes()}
    for folder in _FOLDERS:
        for path in sorted((root / folder).iterdir()):
            if path.is_file() and path.suffix in _SUFFIXES:
                found[f"fulcrum/{folder}/{path.name}"] = path.read_bytes()
    return found


@cache
def requirements() -> str:
    """What the host needs, as lines of a requirements file."""
    return (_root() / _REQUIREMENTS).read_text()


def _root() -> Path:
    return Path(str(core.__file__)).parents[1]
