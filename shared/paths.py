"""Paths into a device's data: ``engine/temperature``.

A path is 1 to 10 segments of ``a-z A-Z 0-9 _`` joined by ``/``, at most 300 characters in all. A segment
that begins and ends with two underscores is Firestore's own and refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

MAX_LENGTH = 300
MAX_SEGMENTS = 10
_PATH = re.compile(rf"[A-Za-z0-9_]+(?:/[A-Za-z0-9_]+){{0,{MAX_SEGMENTS - 1}}}\Z")
_RESERVED = re.compile(r"(?:^|/)__[^/]*__(?:/|$)")


def problem(path: str) -> str:
    """What is wrong with a path, and what to do; empty if nothing is."""
    if not path:
        return "a path is empty: name at least one segment, such as 'temperature'"
    if len(path) > MAX_LENGTH:
        return f"path is {len(path)} characters long: at most {MAX_LENGTH}"
    if not _PATH.match(path):
        if path.count("/") >= MAX_SEGMENTS:
            return f"path {path!r} has more than {MAX_SEGMENTS} segments"
        return f"path {path!r}: use segments of a-z A-Z 0-9 _ joined by single '/'"
    if "__" in path and _RESERVED.search(path):
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
