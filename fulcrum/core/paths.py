"""Paths into a device's data: ``engine/temperature``.

A path is segments of ``a-z A-Z 0-9 _`` joined by ``/``, at most 300 characters in all. A segment that begins
and ends with two underscores is Firestore's own and refused. Whoever names a path may give it 1 to 10
segments; a leaf has at most 15, as the keys of the objects written at a path continue it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

MAX_LENGTH = 300
MAX_SEGMENTS = 10
MAX_DEPTH = 15
# What one device may have, and hence what one event may write.
MAX_PATHS = 1_000
# Compiled at their first use.
_PATH = r"[A-Za-z0-9_]+(?:/[A-Za-z0-9_]+)*\Z"
_RESERVED = r"(?:^|/)__[^/]*__(?:/|$)"


def leaf_problem(path: str) -> str:
    """What is wrong with the path of a leaf, or of what was cleared; empty if nothing is."""
    return problem(path, MAX_DEPTH)


def problem(path: str, most: int = MAX_SEGMENTS) -> str:
    """What is wrong with a path that somebody names, and what to do; empty if nothing is."""
    if not path:
        return "a path is empty: name at least one segment, such as 'temperature'"
    if len(path) > MAX_LENGTH:
        return f"path is {len(path)} characters long: at most {MAX_LENGTH}"
    if path.count("/") >= most:
        return f"path {path!r} has more than {most} segments"
    if not re.match(_PATH, path):
        return f"path {path!r}: use segments of a-z A-Z 0-9 _ joined by single '/'"
    if "__" in path and re.search(_RESERVED, path):
        return f"path {path!r}: a segment must not begin and end with '__'"
    return ""


def flatten(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The leaves of a value: objects are walked, everything else (arrays and ``{}`` too) is a leaf."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from flatten(f"{path}/{key}", inner)
    else:
        yield path, value


def is_below(path: str, ancestor: str) -> bool:
    """Whether ``path`` lies strictly below ``ancestor``."""
    return len(path) > len(ancestor) and path.startswith(ancestor) and path[len(ancestor)] == "/"
