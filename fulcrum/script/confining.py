"""Confining this process, once and for good, before it loads a customer's code.

Each measure is tried by itself, and what the system does not have is named: ``missing`` says plainly what
then does not hold.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fulcrum.script import landlock, seccomp

_MB = 1024 * 1024
# While code is loaded, its packages may take this much more; afterwards the limit is set anew.
LOADING_MB = 2048
# Room above the limit in which a failed allocation is reported.
RELIEF_MB = 32
_OPEN_FILES = 64
_FILE_BYTES = 16 * _MB
# In all its life. Another takes its place then; and one whose host was ended ends, whatever it does.
_CPU_SECONDS = 600
_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS = 1, 4, 38
_CAPABILITIES_V3 = 0x20080522

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_TIMES = ("/usr/share/zoneinfo", "/etc/localtime")
_NETWORK = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/run/systemd/resolve",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")

# Where `/proc/self/statm` is read when it cannot be opened any more.
_statm = -1


class Isolation(NamedTuple):
    """What holds, by name, and what does not, with the reason."""

    names: list[str]
    missing: list[str]


def confine(folder: Path, temporary: Path, memory_mb: int, *, network: bool) -> Isolation:
    """Confine this process: ``folder``, the code's, may be read, ``temporary`` be written."""
    names: list[str] = []
    missing: list[str] = []

    def attempt(name: str, measure: Callable[[], object]) -> None:
        try:
            measure()
        except (OSError, ValueError, AttributeError) as error:
            missing.append(f"{name}: {error}")
        else:
            names.append(name)

    attempt("limits", lambda: _limits(memory_mb))
    attempt("ends-with-host", _end_with_parent)
    attempt("no-new-privileges", lambda: _prctl(_NO_NEW_PRIVS, 1))
    attempt("no-capabilities", _drop_capabilities)
    attempt("landlock", lambda: _landlock(folder, temporary, network=network))
    attempt("seccomp", lambda: _seccomp(network=network))
    if "landlock" in names:
        missing.extend(_beyond(landlock.version(), network=network))
    return Isolation(names, missing)


def limit_memory(memory_mb: int) -> None:
    """Let the process have ``memory_mb`` more than it has now."""
    if _statm < 0:
        return
    most = _address_space() + memory_mb * _MB
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard - RELIEF_MB * _MB)
    resource.setrlimit(resource.RLIMIT_AS, (most, most + RELIEF_MB * _MB))


def relieve_memory() -> None:
    """Lift the limit by what was kept back, so that it can be said that memory ran out."""
    if _statm < 0:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _limits(memory_mb: int) -> None:
    global _statm
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(what, (most, most))
    if sys.platform == "linux":
        _statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        most = _address_space() + (LOADING_MB + memory_mb + RELIEF_MB) * _MB
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _address_space() -> int:
    return int(os.pread(_statm, 100, 0).split()[0]) * resource.getpagesize()


def _end_with_parent() -> None:
    parent = os.getppid()
    _prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    # Nobody of the same user reads this process's memory.
    _prctl(_DUMPABLE, 0)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _drop_capabilities() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.capset(ctypes.byref(header), ctypes.byref(nothing)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _seccomp(*, network: bool) -> None:
    problem = seccomp.problem()
    if problem:
        raise OSError(problem)
    seccomp.restrict(network=network)


def _landlock(folder: Path, temporary: Path, *, network: bool) -> None:
    read = [folder, *_python(), *map(Path, _LIBRARIES), *map(Path, _TIMES)]
    if network:
        read.extend(map(Path, _NETWORK))
    landlock.restrict(read, [temporary], map(Path, _DEVICES), network=network)


def _python() -> set[Path]:
    """Where the interpreter, its library, installed packages and what scripts import of ours are."""
    own = Path(__file__).resolve().parents[1]
    found = {own, Path(sys.executable).resolve()}
    found.update(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    prefixes = {Path(sys.base_prefix), Path(sys.base_exec_prefix)}
    for entry in sys.path:
        path = Path(entry)
        # Not what else is on the path: the folder of the function, and whatever it was started in.
        if path.name in ("site-packages", "dist-packages") or any(
            path.is_relative_to(prefix / "lib") for prefix in prefixes
        ):
            found.add(path)
    return found


def _beyond(version: int, *, network: bool) -> list[str]:
    """What older versions of Landlock do not guard."""
    missing = []
    if version < 3:
        missing.append(f"landlock {version} does not guard against truncating files outside")
    if version < 4 and not network:
        missing.append(f"landlock {version} does not guard TCP (seccomp refuses sockets where it is there)")
    return missing
