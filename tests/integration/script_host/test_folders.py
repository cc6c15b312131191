"""The folder of a script: how full it is, and that it goes whatever was made in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fulcrum.script import folders, process


def nested(folder: Path, depth: int) -> None:
    """Folders in folders, deeper than any path goes."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("inner", dir_fd=here)
        inner = os.open("inner", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "own"
    made.mkdir()
    return made


def test_a_folder_of_anything_is_removed(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    nested(folder, 5000)
    (folder / "link").symlink_to(outside)
    (folder / "file").write_text("x")
    closed = folder / "closed"
    (closed / "below").mkdir(parents=True)
    (closed / "below" / "file").write_text("x")
    (closed / "below").chmod(0)
    closed.chmod(0)
    folders.remove(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert [path.name for path in outside.iterdir()] == ["kept"]


def test_what_another_host_left_behind_is_removed_however_deep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    # No process has so high a number.
    left = tmp_path / "fulcrum-script-99999999-x"
    left.mkdir()
    nested(left, 3000)
    process.sweep()
    assert list(tmp_path.iterdir()) == []


def test_what_is_too_much_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "file").write_bytes(b"x" * 1000)
    assert not folders.is_too_full(folder)
    monkeypatch.setattr(folders, "MAX_BYTES", 999)
    assert folders.is_too_full(folder)
    monkeypatch.setattr(folders, "MAX_BYTES", 1000)
    monkeypatch.setattr(folders, "MAX_ENTRIES", 1)
    assert folders.is_too_full(folder)


def test_what_is_too_deep_to_be_looked_at_is_too_much(folder: Path) -> None:
    nested(folder, 3000)
    assert folders.is_too_full(folder)
    folders.remove(folder)


def test_what_is_closed_is_too_much(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is closed to this account")
    (folder / "closed").mkdir(mode=0o300)
    assert folders.is_too_full(folder)
