"""Builds: a zip becomes a folder with its code, and an interpreter that has what it requires.

A zip is unpacked where nothing of it can land elsewhere and no size runs away. Where the platform's own
environment has exactly what its requirements say, that interpreter serves; else a virtual environment is
made for them by pip, once for each list.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import shutil
import stat
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement

from emulators.functions import children
from emulators.functions.errors import NO_MAIN, BuildError
from emulators.functions.leash import Leash

MAX_FILES = 10_000
# What Cloud Functions takes: 100 MB packed, 500 MB unpacked.
MAX_UNPACKED = 500_000_000
_PIP_SECONDS = 300.0
_TAIL = 3_000
_DONE = ".complete"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Build:
    """Code that can be started: the folder with its ``main.py``, and the interpreter."""

    folder: Path
    python: str


class Builder:
    """Builds below ``environments``; two builds of one list of requirements wait for the same environment."""

    def __init__(self, environments: Path, leash: Leash) -> None:
        self._environments = environments
        self._leash = leash
        self._locks: dict[str, asyncio.Lock] = {}

    async def build(self, archive: Path, folder: Path) -> Build:
        """Unpack an uploaded zip into ``folder``; BuildError with the end of the log."""
        await asyncio.to_thread(unpack, archive, folder)
        if not (folder / "main.py").is_file():
            raise BuildError(NO_MAIN)
        listed = folder / "requirements.txt"
        lines = listed.read_text(errors="replace").splitlines() if listed.is_file() else []
        wanted = [text for line in lines if (text := line.partition(" #")[0].strip()) and text[0] != "#"]
        if await asyncio.to_thread(satisfied, wanted):
            return Build(folder, sys.executable)
        return Build(folder, await self._environment(listed, wanted))

    async def _environment(self, listed: Path, wanted: list[str]) -> str:
        digest = hashlib.sha256("\n".join([sys.version, *sorted(wanted)]).encode()).hexdigest()[:24]
        folder = self._environments / digest
        python = folder / "bin" / "python"
        async with self._locks.setdefault(digest, asyncio.Lock()):
            if (folder / _DONE).exists():
                return str(python)
            shutil.rmtree(folder, ignore_errors=True)
            await self._run(sys.executable, "-m", "venv", "--without-pip", str(folder))
            # Wheels alone: the code of a package is not run to install it.
            install = ("install", "--quiet", "--no-input", "--only-binary", ":all:", "-r", str(listed))
            pip = ("-m", "pip", "--python", str(python), "--disable-pip-version-check")
            await self._run(sys.executable, *pip, *install)
            (folder / _DONE).touch()
        return str(python)

    async def _run(self, *command: str) -> None:
        child = await children.spawn(self._leash, command)
        try:
            async with asyncio.timeout(_PIP_SECONDS):
                output = await child.output.read()
                status = await asyncio.shield(child.ended)
        except TimeoutError:
            raise BuildError(f"the build took longer than {_PIP_SECONDS:g} s") from None
        finally:
            if child.alive:
                child.kill()
        if status:
            raise BuildError(output.decode(errors="replace").strip()[-_TAIL:])


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip; BuildError for one that is none, leaves its folder, links, or is too large."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > MAX_FILES:
                raise BuildError(f"the zip has {len(members)} files: {MAX_FILES} are allowed")
            left = MAX_UNPACKED
            for member in members:
                target = folder / _inside(member)
                if member.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                left = _extract(opened, member, target, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise BuildError(f"failed to extract the source: {error}") from error


def _inside(member: zipfile.ZipInfo) -> Path:
    path = PurePosixPath(member.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in member.filename or not path.parts:
        raise BuildError(f"the zip has a path that leaves its folder: {member.filename!r}")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise BuildError(f"the zip has a symbolic link: {member.filename!r}")
    return Path(*path.parts)


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    # Counted as it comes: what a zip says of its sizes need not be true.
    with opened.open(member) as source, target.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise BuildError(f"the zip is over {MAX_UNPACKED} bytes when unpacked")
            sink.write(chunk)
    return left


def satisfied(lines: Iterable[str]) -> bool:
    """Whether this interpreter has all that the lines of a requirements file ask for."""
    for line in lines:
        try:
            wanted = Requirement(line)
            installed = importlib.metadata.version(wanted.name)
        except (InvalidRequirement, importlib.metadata.PackageNotFoundError):
            return False
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        if wanted.url or wanted.extras or not wanted.specifier.contains(installed, prereleases=True):
            return False
    return True
