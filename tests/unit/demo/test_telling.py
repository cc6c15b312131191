"""What the demo prints: whole on one line, whatever happens, with the exit status to match."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo import __main__ as demo
from demo import report
from local.processes import StartError


def told(error: BaseException, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[int, list[str]]:
    """Exit status and lines of a demo in which this happens, in a narrow window."""
    out = io.StringIO()

    def run(_: Console, folder: Path) -> list[str]:
        (folder / "stack.log").write_text("ingest | SyntaxError\n")
        raise error

    monkeypatch.setattr(demo, "_run", run)
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    monkeypatch.setattr(demo, "Console", lambda **_: Console(file=out, width=40, highlight=False))
    return demo.main(), out.getvalue().splitlines()


@pytest.mark.parametrize(
    "error",
    [
        StartError("the stack did not start [/red]: {'writer-transponder': {'undelivered': 417}}\nand more"),
        TimeoutError(),
        KeyError("a fault that nobody has foreseen, with a text that is longer than the window is wide"),
    ],
)
def test_the_last_line_says_why_it_failed(
    error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    status, lines = told(error, monkeypatch, tmp_path)
    assert status == 1
    assert lines[-1].startswith("demo FAILED: ")
    assert str(error).partition("\n")[0] in lines[-1]
    assert all(line in lines for line in str(error).splitlines()[1:])
    assert lines[-1] != "demo FAILED: "
    assert f"what all processes said: {tmp_path / '.fulcrum' / 'demo.log'}" in lines
    assert (tmp_path / ".fulcrum" / "demo.log").read_text() == "ingest | SyntaxError\n"


def test_an_interrupted_demo_has_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert told(KeyboardInterrupt(), monkeypatch, tmp_path) == (1, ["demo FAILED: interrupted"])


@pytest.mark.parametrize("rows", [[], [{"hour": "23:00", "readings": 7}, {"hour": "22:00", "readings": 8}]])
def test_the_example_is_shown_with_the_names_of_its_columns(rows: list[dict[str, Any]]) -> None:
    out = io.StringIO()
    report.example(Console(file=out, width=80), {"start": 1}, rows)
    _, _, header, *body = (line.split() for line in out.getvalue().splitlines())
    assert header == (["hour", "readings"] if rows else ["no", "rows"])
    assert body == [list(map(str, row.values())) for row in rows]
