"""The folder that a script may write in: how full it is, and its removal, whatever was made in it."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

MAX_BYTES = 64 * 1024 * 1024
MAX_ENTRIES = 10_000
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def is_too_full(folder: Path) -> bool:
    """Whether more is in it than may be, or what cannot be looked at: too deep, or closed to its owner."""
    count = size = 0
    waiting = [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        with contextlib.suppress(FileNotFoundError):
                            size += entry.stat(follow_symlinks=False).st_size
                    if size > MAX_BYTES or count > MAX_ENTRIES:
                        return True
        except FileNotFoundError:
            # The script has removed it meanwhile.
            continue
        except OSError:
            return True
    return False


def remove(folder: Path) -> None:
    """Remove a folder in which nobody writes any more; OSError where it cannot be.

    Folders in it are moved to its top before they are emptied: a script may nest them deeper than any path or
    recursion goes.
    """
    top = _opened(os.fspath(folder))
    try:
        mark = secrets.token_hex(8)
        names = (f"{mark}-{number}" for number in itertools.count())
        waiting = _emptied(top, top, names)
        while waiting:
            name = waiting.pop()
            inner = _opened(name, top)
            try:
                waiting += _emptied(inner, top, names)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    os.rmdir(folder)


def _emptied(folder: int, top: int, names: Iterator[str]) -> list[str]:
    """Remove the files of a folder, and move its folders to the top; returns what they are called there."""
    moved = []
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
            continue
        there = next(names)
        try:
            os.rename(name, there, src_dir_fd=folder, dst_dir_fd=top)
        except PermissionError:
            os.chmod(name, 0o700, dir_fd=folder)
            os.rename(name, there, src_dir_fd=folder, dst_dir_fd=top)
        moved.append(there)
    return moved


def _opened(name: str, beside: int | None = None) -> int:
    """A folder, opened to be emptied, even if it was closed to its owner."""
    try:
        opened = os.open(name, _OPEN, dir_fd=beside)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=beside)
        return os.open(name, _OPEN, dir_fd=beside)
    os.fchmod(opened, 0o700)
    return opened
