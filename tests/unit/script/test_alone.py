"""What runs a script stands alone: its zip has nothing of the platform but this."""

from __future__ import annotations

import ast
import importlib.metadata
import sys
from pathlib import Path

import pytest

from local.processes import ROOT

FOLDER = ROOT / "fulcrum" / "script"
FILES = sorted(FOLDER.glob("*.py"))
ALLOWED = {"msgspec", "functions_framework", "starlette"}


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_imports_what_the_zip_has(path: Path) -> None:
    for module in imported(path):
        top = module.partition(".")[0]
        own = module.startswith(("fulcrum.core", "fulcrum.script"))
        assert own or top in ALLOWED or top in sys.stdlib_module_names, module
        assert not module.startswith(("fulcrum.script.replay", "fulcrum.script.testing")), module


def test_only_the_function_itself_needs_a_server() -> None:
    served = {
        path.name for path in FILES if {"functions_framework.aio", "starlette.requests"} & imported(path)
    }
    assert served == {"serve.py"}


def test_what_the_function_needs_is_pinned_as_it_was_tested() -> None:
    lines = [line.split("#")[0].strip() for line in (FOLDER / "requirements.txt").read_text().splitlines()]
    pins = dict(line.split("==") for line in lines if line)
    assert {"msgspec", "functions-framework", "starlette", "gunicorn", "uvicorn"} <= pins.keys()
    for package, version in pins.items():
        assert importlib.metadata.version(package) == version, package
