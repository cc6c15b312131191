"""Devices from a table: progress, errors by row, and what breaks off."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import FakeApi, problem

PATH = "/v1/project/p/devices/import"
REPORT = {"dryRun": True, "rows": 3, "created": 2, "updated": 1, "unchanged": 0, "failed": 0, "errors": []}


def lines(*items: Any) -> bytes:
    return "".join(json.dumps(item) + "\n" for item in items).encode()


@pytest.fixture
def table(tmp_path: Path) -> str:
    (tmp_path / "devices.csv").write_text("name\nGrün\n", encoding="utf-8")
    return str(tmp_path / "devices.csv")


def test_a_table_is_sent_as_it_is_and_reported(
    run: Run, api: FakeApi, profile: Callable[..., None], table: str
) -> None:
    api.on("POST", PATH, lines({"progress": {"checked": 1, "written": 0, "rows": 3}}, {"report": REPORT}))
    ended = run("device", "import", table, "--dry-run")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "3 rows: 2 would be created, 1 would be updated, 0 would be unchanged, 0 wrong\n"
    assert api.seen[0].content == "name\nGrün\n".encode()
    assert api.seen[0].headers["content-type"] == "text/csv"
    assert api.seen[0].query["dryRun"] == "true"


def test_rows_that_are_wrong_are_named(
    run: Run, api: FakeApi, profile: Callable[..., None], table: str
) -> None:
    row = {"row": 7, "column": "blueprint", "error": "blueprint.notFound", "message": "no blueprint 'x'"}
    wrong = {**REPORT, "dryRun": False, "created": 1, "updated": 0, "failed": 1, "errors": [row]}
    api.on("POST", PATH, lines({"error": {**problem(422, "import.rows"), "report": wrong}}))
    ended = run("device", "import", table)
    assert ended.code == 1
    assert "row 7, blueprint: no blueprint 'x' (blueprint.notFound)" in ended.err
    assert "nothing was written" in ended.err
    assert "1 would be created" in ended.out
    assert run("device", "import", table, "--json").json == wrong
    api.on("POST", PATH, lines({"report": wrong}))
    partial = run("device", "import", table, "--partial")
    assert (partial.code, "1 created" in partial.out) == (1, True)
    assert "nothing was written" not in partial.err


def test_an_import_that_breaks_off_says_what_to_do(
    run: Run, api: FakeApi, profile: Callable[..., None], table: str
) -> None:
    api.on("POST", PATH, lines({"progress": {"checked": 1, "written": 0, "rows": 3}}))
    ended = run("device", "import", table)
    assert (ended.code, "import it again" in ended.err) == (1, True)
    api.on("POST", PATH, lines({"error": problem(503, "service.unavailable")}))
    ended = run("device", "import", table)
    assert (ended.code, "service.unavailable" in ended.err) == (1, True)
    api.refuse("POST", PATH, 403, "permission.missing")
    assert run("device", "import", table).code == 1
    assert run("device", "import", "/no/such/file").code == 2


def test_an_export_is_whole_or_not_there(
    run: Run, api: FakeApi, profile: Callable[..., None], tmp_path: Path
) -> None:
    path, out = "/v1/project/p/devices/export", tmp_path / "out.csv"
    api.on("GET", path, "name\r\nGrün\r\n".encode(), 200, **{"Content-Type": "text/csv"})
    assert run("device", "export").out.encode() == "name\r\nGrün\r\n".encode()
    assert run("device", "export", "--out", str(out), "--system", "s").code == 0
    assert out.read_bytes() == "name\r\nGrün\r\n".encode()
    assert api.seen[-1].query == {"systemId": "s"}
    assert run("device", "export", "--out", str(tmp_path / "none" / "out.csv")).code == 2
    # An answer that breaks off leaves what was there before.
    api.on("GET", path, b"name\r\n", 200, **{"Content-Type": "text/csv", "Content-Length": "600"})
    assert run("device", "export", "--out", str(out)).code == 6
    assert out.read_bytes() == "name\r\nGrün\r\n".encode()
    assert [file.name for file in tmp_path.iterdir() if file.name.endswith(".part")] == []
