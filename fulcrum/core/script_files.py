"""What a script may be made of beside its main.py: further files, and packages by exact version. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

MAIN, REQUIREMENTS = "main.py", "requirements.txt"
MAX_FILES = 200
MAX_PATH = 200
MAX_REQUIREMENTS = 100
# A version stands in one document of the store, and so does the draft.
MAX_BYTES = 700_000

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}\Z")
# What is part of every function of a script.
_TAKEN = frozenset({MAIN, REQUIREMENTS, "manifest.json"})
_PLATFORM = "fulcrum"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"(?:\[[A-Za-z0-9._-]+(?:\s*,\s*[A-Za-z0-9._-]+)*\])?"
    r"\s*==\s*[0-9][A-Za-z0-9.!+_-]*(?:\s+#.*)?\Z"
)


def file_problems(files: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a script's further files, path → text."""
    if len(files) > MAX_FILES:
        yield f"{len(files)} files; at most {MAX_FILES}"
        return
    seen: dict[str, str] = {}
    for path, text in files.items():
        if problem := path_problem(path):
            yield f"{path[:MAX_PATH]!r}: {problem}"
        elif _CONTROL.search(text):
            yield f"{path!r}: it is no text: it holds control characters"
        if (other := seen.setdefault(path.lower(), path)) != path:
            yield f"{path!r} and {other!r}: they differ in case alone"
    folders = {
        path.lower().rsplit("/", count)[0] for path in files for count in range(1, path.count("/") + 1)
    }
    for lowered in sorted(folders & seen.keys()):
        yield f"{seen[lowered]!r}: it is a file, and other files are in it"


def path_problem(path: str) -> str | None:
    """Why a file of a script cannot be called so; None if it can."""
    if path.lower() in _TAKEN:
        return "it has a place of its own: the code is main.py, the packages are the requirements"
    if len(path) > MAX_PATH:
        return f"its path is longer than {MAX_PATH}"
    if not all(map(_SEGMENT.match, path.split("/"))):
        return (
            "a path is relative, with / between names of letters, digits, '_', '-' and '.', "
            "none of which begins with '.' or '-'"
        )
    if path.split("/")[0].lower().removesuffix(".py") == _PLATFORM:
        return "the name fulcrum is the platform's own"
    return None


def packages(text: str) -> list[tuple[int, str]]:
    """The lines of requirements that name a package, each with its number from 1."""
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def requirement_problems(text: str) -> Iterator[str]:
    """What is wrong with the requirements, by line. Each package is named with its exact version."""
    found = packages(text)
    seen: set[str] = set()
    for number, said in found:
        match = _REQUIREMENT.match(said)
        if not match:
            yield (
                f"line {number}: {said[:100]!r}: write name==version, as in numpy==2.1.3; "
                "no options, addresses, paths or ranges"
            )
            continue
        name = re.sub(r"[-_.]+", "-", match["name"]).lower()
        if name in seen:
            yield f"line {number}: {match['name']} is there twice"
        seen.add(name)
    if len(found) > MAX_REQUIREMENTS:
        yield f"{len(found)} packages; at most {MAX_REQUIREMENTS}"
