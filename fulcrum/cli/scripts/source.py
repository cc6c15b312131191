"""A script's code as it stands on this machine: one file, or a folder with what belongs to it.

Of a folder, ``main.py`` is the code and ``requirements.txt`` the packages. Its tests and events, what
describes it and what is hidden stay here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fulcrum import json_yaml
from fulcrum.cli.problems import Problem, usage

MAIN, REQUIREMENTS, DESCRIPTION = "main.py", "requirements.txt", "script.yaml"
_LEFT = frozenset({DESCRIPTION, "conftest.py", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"})
_LEFT_FOLDERS = frozenset({"events", "tests", "venv", "__pycache__"})
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-/]*\Z")
_LEFT_SUFFIXES = frozenset({".md", ".rst", ".pyc"})


@dataclass(frozen=True)
class Code:
    """A script's code: the text of its main.py, of further files by path, and its packages."""

    code: str
    files: dict[str, str] = field(default_factory=dict)
    requirements: str = ""

    @property
    def body(self) -> dict[str, object]:
        """As the API takes it."""
        return {"code": self.code, "files": self.files, "requirements": self.requirements}


def read(path: Path) -> Code:
    """The code of a file or folder; Problem for one that holds none, or something that is no text."""
    if path.is_file():
        return Code(_text(path))
    if not path.is_dir():
        raise usage(f"there is no {path}", "name a file of Python, or a folder with a main.py")
    if not (path / MAIN).is_file():
        raise usage(f"{path} holds no script: there is no {MAIN}", "make one by: fulcrum script init NAME")
    requirements = path / REQUIREMENTS
    return Code(
        _text(path / MAIN),
        {name: _text(path / name) for name in sorted(further(path))},
        _text(requirements) if requirements.is_file() else "",
    )


def described(path: Path) -> dict[str, str]:
    """What a folder's script.yaml says of the script: its name and what it is for."""
    file = path / DESCRIPTION
    if not file.is_file():
        return {}
    try:
        found = json_yaml.read(_text(file))
    except ValueError as error:
        raise Problem(f"{file}: {error}", "correct the file") from None
    known = found if isinstance(found, dict) else {}
    return {key: known[key] for key in ("name", "desc") if isinstance(known.get(key), str)}


def write(folder: Path, code: Code) -> None:
    """Write code as a folder that :func:`read` reads; Problem for a file that would stand elsewhere."""
    for name in code.files:
        # Whoever made a saved input or answers in the API's place may call a file as he likes.
        if not _SAFE.match(name) or ".." in name.split("/"):
            raise Problem(f"{name[:200]!r} is no file of a script", "nothing was written")
    for name, text in {MAIN: code.code, REQUIREMENTS: code.requirements, **code.files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def is_part(name: str) -> bool:
    """Whether a file of a folder, by its path in it, is a further file of the script."""
    *folders, last = name.split("/")
    if name in (MAIN, REQUIREMENTS) or any(one.startswith(".") or one in _LEFT_FOLDERS for one in folders):
        return False
    suffix = Path(last).suffix
    return not (last.startswith((".", "test_")) or last in _LEFT or suffix in _LEFT_SUFFIXES)


def further(folder: Path) -> Iterator[str]:
    """The further files of a folder, by their paths in it."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and is_part(path.relative_to(folder).as_posix()):
            yield path.relative_to(folder).as_posix()


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise Problem(
            f"{path} is no text", "a script's files are text: keep other data elsewhere, or as text"
        ) from None
