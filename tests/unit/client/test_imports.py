"""The package that is installed alone: what it may import."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest

from local.processes import ROOT

FILES = sorted((ROOT / "fulcrum").rglob("*.py"))
# What Typer, Rich, httpx, msgspec and PyYAML are called by those who import them.
ALLOWED = {"fulcrum", "httpx", "msgspec", "rich", "typer", "yaml"}
# What is there where these run, and nowhere else imported: a script's function, and pytest's own plug-in.
ELSEWHERE = {
    "fulcrum/script/serve.py": {"functions_framework", "starlette"},
    "fulcrum/script/testing/plugin.py": {"pytest"},
}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_package_imports_itself_and_what_it_declares(path: Path) -> None:
    also = ELSEWHERE.get(path.relative_to(ROOT).as_posix(), set())
    assert imported(path) - set(sys.stdlib_module_names) <= ALLOWED | also


def test_it_declares_few_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {text.partition(">")[0].lower() for text in project["dependencies"]}
    assert names == {"httpx", "msgspec", "pyyaml", "rich", "typer"}
