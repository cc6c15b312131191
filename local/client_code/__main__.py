"""Writes the client's made files; ``--check`` says whether they are what the API now asks for."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from functions.api.openapi import document
from local.client_code.write import files
from local.processes import ROOT

TARGET = ROOT / "fulcrum" / "client"


def made() -> dict[str, str]:
    """File name below ``fulcrum/client`` → source, formatted as all code is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = files(document())
        for file, text in sources.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        ruff = [sys.executable, "-m", "ruff"]
        config = ["--config", str(ROOT / "pyproject.toml"), "--quiet", str(folder)]
        subprocess.run([*ruff, "check", "--fix", "--exit-zero", "--select", "F401,I", *config], check=True)
        subprocess.run([*ruff, "format", *config], check=True)
        return {file: (folder / file).read_text() for file in sources}


def different(sources: dict[str, str]) -> list[str]:
    """Files that are not as they would be made, those that would not be made included."""
    made_folders = ("api", "operations")
    present = {f"{folder}/{path.name}" for folder in made_folders for path in (TARGET / folder).glob("*.py")}
    present.add("types.py")
    return sorted(
        file
        for file in present | set(sources)
        if file not in sources or not (TARGET / file).exists() or (TARGET / file).read_text() != sources[file]
    )


def main() -> int:
    """Write, or check."""
    sources = made()
    stale = different(sources)
    if "--check" in sys.argv[1:]:
        for file in stale:
            print(f"fulcrum/client/{file} is not what the API asks for: run python -m local.client_code")
        return 1 if stale else 0
    for file in stale:
        path = TARGET / file
        if file in sources:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(sources[file])
        else:
            path.unlink()
    print(f"{len(sources)} files, {len(stale)} of them changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
