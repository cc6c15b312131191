"""``python -m local.package``: one zip a function, as it is uploaded to the cloud; same input, same bytes.

A zip holds ``main.py`` (made here; the entry point is the function's own name), ``functions/<service>/``,
``shared/``, ``fulcrum/core/``, the files of the folders that services.yaml names below ``brings``, and
``requirements.txt``: no tests, no documents.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.processes import ROOT
from local.topology import SERVICES, Function, TopologyError, load

OUT = ROOT / "build" / "packages"
# What every function brings along.
COMMON = ("shared", "fulcrum/core")
# Zip has no time before this.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
# What a function reads at run time: code and data, not documents.
_SUFFIXES = {".py", ".json", ".yaml", ".txt", ".html", ".js", ".css", ".sql"}


class PackageError(Exception):
    """A function cannot be packed; the message says what is missing."""


@dataclass(frozen=True)
class Package:
    """A zip that was written. ``sha256`` is of its bytes; ``size`` is in bytes."""

    function: str
    path: Path
    files: int
    size: int
    sha256: str


def entry(function: Function) -> str:
    """The generated root ``main.py``."""
    name = function.name
    return (
        f'"""Entry point of {name}."""\n\nfrom functions.{name}.main import {name}\n\n__all__ = ["{name}"]\n'
    )


def contents(function: Function, root: Path = ROOT) -> dict[str, bytes]:
    """Path inside the zip → bytes."""
    requirements = function.folder / "requirements.txt"
    for needed in (requirements, function.folder / "main.py"):
        if not needed.is_file():
            raise PackageError(f"{function.name}: {needed} is missing; every function needs it")
    files = {
        "main.py": entry(function).encode(),
        "requirements.txt": requirements.read_bytes(),
        "functions/__init__.py": (root / "functions" / "__init__.py").read_bytes(),
        "fulcrum/__init__.py": (root / "fulcrum" / "__init__.py").read_bytes(),
    }
    for path in _needed(function.folder):
        if path != requirements:
            files[f"functions/{function.name}/{path.relative_to(function.folder).as_posix()}"] = (
                path.read_bytes()
            )
    for folder in COMMON:
        for path in _needed(root / folder):
            files[path.relative_to(root).as_posix()] = path.read_bytes()
    for folder in function.brings:
        if not (root / folder).is_dir():
            raise PackageError(f"{function.name}: there is no folder {folder}, which it is to bring along")
        for path in _needed(root / folder):
            if path.parent == root / folder:
                files[path.relative_to(root).as_posix()] = path.read_bytes()
    return files


def _needed(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part in ("__pycache__", "tests") for part in parts)
        if path.is_file() and path.suffix in _SUFFIXES and not hidden:
            yield path


def write(function: Function, out: Path, root: Path = ROOT) -> Package:
    """Write ``<out>/<function>.zip``."""
    files = contents(function, root)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{function.name}.zip"
    # Stored, not deflated: the bytes must not depend on the zlib that a machine has.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _TIME)
            info.external_attr = _MODE
            info.create_system = 3  # Unix, wherever it is made
            archive.writestr(info, files[name])
    data = path.read_bytes()
    return Package(function.name, path, len(files), len(data), hashlib.sha256(data).hexdigest())


def main(arguments: list[str]) -> int:
    """Pack all functions of services.yaml; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.package", description="One zip a function.")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the zips (%(default)s)")
    parser.add_argument("--services", type=Path, default=SERVICES, help="another list of functions")
    args = parser.parse_args(arguments)
    try:
        for function in load(args.services.absolute()).functions.values():
            package = write(function, args.out)
            print(f"{package.path}  {package.files} files  {package.size} bytes  sha256 {package.sha256}")
    except (PackageError, TopologyError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
