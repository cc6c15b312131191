"""Which files the process that runs a script may reach, by Landlock.

A ruleset takes away all access to files, TCP, other processes' signals and abstract sockets, as far as the
kernel's version of Landlock goes, and gives back single folders. It holds for the process and what it
starts, and cannot be undone.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Final

# Equal on all architectures.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
# Rights of files by the version that brought them.
_BY_VERSION: Final = {1: (1 << 13) - 1, 2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEV}
_TCP = 0b11
_SCOPES = 0b11

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_WRITE = _READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV


class _Ruleset(ctypes.Structure):
    _fields_ = [
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    ]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("access", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def version() -> int:
    """The kernel's version of Landlock; 0 where it has none, or does not use it."""
    if platform.system() != "Linux":
        return 0
    found = ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(int(found), 0)


def restrict(read: Iterable[Path], write: Iterable[Path], devices: Iterable[Path], *, network: bool) -> int:
    """Confine this process to folders; returns the version used; OSError where the kernel does not.

    ``read``: may be read and loaded; those that are not there are left out. ``write``: may be changed too.
    ``devices``: single files that may be read and written. ``network``: whether TCP is left alone. The
    process must have given up gaining privileges (``PR_SET_NO_NEW_PRIVS``).
    """
    found = version()
    if not found:
        raise OSError("landlock: the kernel has none, or does not use it")
    handled = 0
    for since, rights in _BY_VERSION.items():
        if since <= found:
            handled |= rights
    attributes = _Ruleset(handled, 0 if network or found < 4 else _TCP, _SCOPES if found >= 6 else 0)
    size = ctypes.sizeof(_Ruleset) if found >= 6 else 16 if found >= 4 else 8
    libc = ctypes.CDLL(None, use_errno=True)
    ruleset = _checked(libc.syscall(_CREATE, ctypes.byref(attributes), ctypes.c_size_t(size), 0), "ruleset")
    try:
        for paths, access in ((read, _READ), (write, _WRITE), (devices, _READ_FILE | _WRITE_FILE)):
            for path in paths:
                _give(libc, ruleset, path, access & handled)
        _checked(libc.syscall(_RESTRICT, ruleset, 0), "restriction")
    finally:
        os.close(ruleset)
    return found


def _give(libc: ctypes.CDLL, ruleset: int, path: Path, access: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return
    try:
        if not path.is_dir():
            access &= _ON_FILES
        rule = _Beneath(access, opened)
        _checked(libc.syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0), str(path))
    finally:
        os.close(opened)


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"landlock: {what}: {os.strerror(code)}")
    return result
