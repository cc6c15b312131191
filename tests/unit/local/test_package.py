"""A function's zip holds what it needs and nothing else, and is the same wherever it is made."""

from __future__ import annotations

import dataclasses
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from local import package
from local.processes import ROOT
from local.topology import load

FUNCTIONS = sorted(load().functions)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what is packed."""
    for folder in ("functions", "shared", "fulcrum"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def packed(root: Path, name: str, out: str) -> package.Package:
    """The package of one function of a copy."""
    return package.write(load(root / "functions" / "services.yaml").functions[name], root / out, root)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_zip_holds_what_the_function_needs(tmp_path: Path, name: str) -> None:
    function = load().functions[name]
    brought = [f"{folder}/" for folder in function.brings]
    made = package.write(function, tmp_path)
    with zipfile.ZipFile(made.path) as archive:
        files = archive.namelist()
        entry = archive.read("main.py").decode()
        requirements = archive.read("requirements.txt")
    assert f"from functions.{name}.main import {name}\n" in entry
    compile(entry, "main.py", "exec")
    assert requirements == (ROOT / "functions" / name / "requirements.txt").read_bytes()
    assert {f"functions/{name}/main.py", "functions/__init__.py", "shared/config.py"} <= set(files)
    assert "shared/history_schema.json" in files
    strange = [
        file
        for file in files
        if not file.startswith((f"functions/{name}/", "shared/", "fulcrum/core/", *brought))
        and file not in ("main.py", "requirements.txt", "functions/__init__.py", "fulcrum/__init__.py")
    ]
    assert not strange
    assert not [file for file in files if "test" in file or "__pycache__" in file or file.endswith(".md")]
    assert files == sorted(files)


def test_folders_that_a_function_names_are_packed_without_those_below_them(copy: Path) -> None:
    (copy / "fulcrum" / "script" / "below").mkdir()
    (copy / "fulcrum" / "script" / "below" / "other.py").write_text("x = 1\n")
    function = load().functions["jobs"]
    files = package.contents(dataclasses.replace(function, brings=("fulcrum/script",)), copy)
    assert "fulcrum/script/wire.py" in files
    assert "fulcrum/script/below/other.py" not in files
    assert "fulcrum/script/wire.py" not in package.contents(dataclasses.replace(function, brings=()), copy)
    with pytest.raises(package.PackageError, match="there is no folder fulcrum/nothing"):
        package.contents(dataclasses.replace(function, brings=("fulcrum/nothing",)), copy)


def test_same_input_gives_the_same_bytes(copy: Path) -> None:
    first = packed(copy, "ingest", "first")
    for path in copy.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o777)
    (copy / "shared" / "__pycache__").mkdir(exist_ok=True)
    (copy / "shared" / "__pycache__" / "new.cpython-311.pyc").write_bytes(b"x")
    (copy / "functions" / "ingest" / "tests").mkdir()
    (copy / "functions" / "ingest" / "tests" / "test_it.py").write_text("x = 1\n")
    (copy / "functions" / "ingest" / "README.md").write_text("changed\n")
    second = packed(copy, "ingest", "second")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256


def test_other_input_gives_other_bytes(copy: Path) -> None:
    first = packed(copy, "ingest", "first")
    with (copy / "fulcrum" / "core" / "ids.py").open("a") as file:
        file.write("# changed\n")
    assert packed(copy, "ingest", "second").sha256 != first.sha256


@pytest.mark.parametrize("missing", ["requirements.txt", "main.py"])
def test_function_without_its_files_is_refused(
    copy: Path, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "functions" / "ingest" / missing).unlink()
    services = copy / "functions" / "services.yaml"
    assert package.main(["--out", str(copy / "out"), "--services", str(services)]) == 1
    assert f"ingest: {copy}/functions/ingest/{missing} is missing" in capsys.readouterr().err


def test_command_writes_one_zip_a_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert package.main(["--out", str(tmp_path / "out")]) == 0
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == FUNCTIONS
    assert len(capsys.readouterr().out.splitlines()) == len(FUNCTIONS)
