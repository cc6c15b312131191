"""What the stand-in keeps on disk, and for how long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from emulators.functions.state import Function, State
from emulators.kit.records import Records


def test_zip_that_nobody_uses_any_more_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = Records(tmp_path / "functions.sqlite")
    state = State(records, tmp_path)
    (tmp_path / "uploads").mkdir()
    names = []
    for _ in range(2):
        upload = state.new_upload("bucket")
        state.archive(upload.object).write_bytes(b"zip")
        state.uploaded(upload.object)
        names.append(upload.object)
    used = Function(name="projects/p/locations/l/functions/f")
    used.build_config.source.storage_source.object_ = names[0]
    state.put_function(used)

    later = time.time() + 3_600
    monkeypatch.setattr("emulators.functions.state.time.time", lambda: later)
    fresh = state.new_upload("bucket").object
    assert {path.name for path in (tmp_path / "uploads").iterdir()} == {names[0]}
    assert set(State(records, tmp_path).uploads) == {names[0], fresh}, "and is forgotten on disk"
    records.close()
