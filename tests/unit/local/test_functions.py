"""A function's process is started by this interpreter, and a start that cannot be is told."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from local import functions
from local.functions import FunctionRunner, Unavailable
from local.logs import Log
from local.topology import load


def runner() -> FunctionRunner:
    return FunctionRunner(load().functions["ingest"], {}, Log(io.StringIO()), 0)


async def test_a_command_that_is_not_there_makes_the_function_unavailable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(functions, "_functions_framework", lambda: [str(tmp_path / "gone")])
    one = runner()
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"ingest cannot be started: .*gone"):
            await one.instance()
    assert (one.state, one.starts) == ("cold", 0)


async def test_it_runs_on_this_interpreter_wherever_the_environment_was_moved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The first line of the script names the interpreter of where it was installed.
    (tmp_path / "python").symlink_to(sys.executable)
    (tmp_path / "functions-framework").write_text("#!/gone/bin/python\nprint('runs')\nraise SystemExit(3)\n")
    (tmp_path / "functions-framework").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    out = io.StringIO()
    one = FunctionRunner(load().functions["ingest"], {}, Log(out), 0)
    with pytest.raises(Unavailable, match=r"did not start \(status 3\)"):
        await one.instance()
    assert "runs" in out.getvalue()
