"""``fulcrum script replay`` over a saved input: what it writes, and what it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fulcrum.cli.main import app
from tests.support.replaying import Platform, Sent, joined

OLD = "def run(message, context):\n    context.send_sms('m', to=['+47'])\n"
NEW = "def run(message, context):\n    return None\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an input of three events, and a new version."""
    monkeypatch.setenv("FULCRUM_CONFIG", str(tmp_path / "config.json"))
    for name, code in (("old", OLD), ("new", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.py").write_text(code)
    made = Platform(tmp_path / "old").lines([Sent("d1", 1_000 * at, {"v": at}) for at in (1, 2, 3)])
    (tmp_path / "input.ndjson").write_bytes(b"".join(joined(made)))
    return tmp_path


def run(place: Path, *given: str) -> Result:
    line = ["script", "replay", "s1", str(place / "new"), "--input", str(place / "input.ndjson"), *given]
    return CliRunner().invoke(app, line)


def test_the_report_is_written_as_text_json_and_a_page(place: Path) -> None:
    page, kept = place / "report.html", place / "kept.ndjson"
    shown = run(place, "--html", str(page), "--save-input", str(kept))
    assert shown.exit_code == 0, shown.output
    assert "Script: new against version 1" in shown.stdout
    assert "No longer sent: 3 text messages" in shown.stdout
    assert "3 of 3 recorded runs come to exactly what was recorded" in shown.stdout
    assert "<svg" in page.read_text()
    assert kept.read_bytes() == (place / "input.ndjson").read_bytes()
    found = json.loads(run(place, "--json").stdout)
    assert (found["v"], found["lost"], found["before"]["sms"], found["after"]["sms"]) == (1, {"sms": 3}, 3, 0)


def test_a_saved_input_writes_no_file_outside_its_folder(place: Path) -> None:
    first, *rest = (place / "input.ndjson").read_bytes().splitlines(keepends=True)
    header = json.loads(first)
    header["files"] = {str(place / "planted.py"): "x = 1\n"}
    (place / "input.ndjson").write_bytes(b"".join([json.dumps(header).encode() + b"\n", *rest]))
    ended = run(place)
    assert ended.exit_code == 1
    assert not (place / "planted.py").exists()


@pytest.mark.parametrize(
    ("rules", "code"),
    [(["sms+10%", "errors>0"], 0), (["sms-10%"], 4), (["errors", "sms=0"], 4), (["nonsense>1"], 2)],
)
def test_rules_decide_how_it_ends(place: Path, rules: list[str], code: int) -> None:
    ended = run(place, *(word for rule in rules for word in ("--fail-on", rule)))
    assert ended.exit_code == code
    if code == 4:
        assert "BROKEN" in ended.stdout


def test_one_version_alone_has_nothing_to_compare(place: Path) -> None:
    alone = run(place, "--against", "none")
    assert alone.exit_code == 0
    assert "there is no other version to compare it with" in alone.stdout
    assert run(place, "--against", "none", "--fail-on", "sms+10%").exit_code == 4


def test_what_cannot_be_replayed_ends_with_its_reason(place: Path) -> None:
    for given, code, text in (
        (["--against", "latest"], 2, "none of: deployed, none"),
        (["--version", "3"], 2, "two new versions"),
        (["--param", "x"], 2, "NAME=VALUE"),
    ):
        ended = run(place, *given)
        assert (ended.exit_code, text in ended.output) == (code, True), ended.output
    (place / "new" / "main.py").write_text("import nothing_like_that\n")
    ended = run(place)
    assert ended.exit_code == 1
    assert "new cannot be run: main.py:1: there is no module 'nothing_like_that'" in ended.output
    (place / "input.ndjson").write_text("{}\n")
    assert run(place).exit_code == 1
    (place / "input.ndjson").unlink()
    assert run(place).exit_code == 2


def test_an_input_that_broke_off_ends_with_1(place: Path) -> None:
    whole = (place / "input.ndjson").read_bytes()
    (place / "input.ndjson").write_bytes(whole[: whole.rindex(b'{"t":"end"')])
    ended = run(place)
    assert ended.exit_code == 1
    assert "broke off before its end" in ended.stdout
