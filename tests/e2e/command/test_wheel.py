"""``pip install .``: the command and the client, alone in an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.processes import ROOT

_ALONE = """
import importlib.metadata, json, sys
import fulcrum
from fulcrum import AsyncClient, Client, errors
Client("http://127.0.0.1:1").close()
print(json.dumps({
    "file": fulcrum.__file__,
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    "installed": sorted(d.metadata["Name"].lower() for d in importlib.metadata.distributions()),
}))
"""
_OURS = {"bench", "cli", "demo", "emulators", "functions", "local", "shared", "tests"}
# Typer brings pydantic; the client imports it nowhere.
_SERVERS = {"fastapi", "functions-framework", "grpcio", "starlette", "argon2-cffi", "pint"}


@pytest.mark.slow
def test_the_wheel_gives_command_and_client_and_nothing_of_the_server(tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def ran(*words: str | Path, code: int = 0) -> str:
        ended = subprocess.run(
            [str(word) for word in words],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stderr if code else ended.stdout

    pip = ("-m", "pip", "--disable-pip-version-check", "--quiet")
    ran(sys.executable, *pip, "wheel", "--no-deps", "--wheel-dir", tmp_path / "wheels", ROOT)
    (wheel,) = (tmp_path / "wheels").glob("fulcrum-*.whl")
    ran(sys.executable, "-m", "venv", tmp_path / "venv")
    bin_ = tmp_path / "venv" / "bin"
    ran(bin_ / "python", *pip, "install", "--constraint", ROOT / "constraints.txt", wheel)
    assert "Resources of the API" in ran(bin_ / "fulcrum", "--help")
    assert "set-value" in ran(bin_ / "fulcrum", "device", "--help")
    assert ran(bin_ / "fulcrum", "--version").startswith("fulcrum 0.")
    found = json.loads(ran(bin_ / "python", "-c", _ALONE))
    assert found["file"].startswith(str(tmp_path))
    assert _OURS & set(found["modules"]) == set()
    assert {name for name in found["installed"] if name in _SERVERS or name.startswith("google")} == set()
    # Tests of scripts need pytest, and say so; then they are all that is needed to begin with an example.
    ran(bin_ / "fulcrum", "script", "init", "yard", "--example", "geofence")
    assert "pip install pytest" in ran(bin_ / "fulcrum", "script", "test", "yard", code=1)
    ran(bin_ / "python", *pip, "install", "--constraint", ROOT / "constraints.txt", f"{wheel}[test]")
    assert "passed" in ran(bin_ / "fulcrum", "script", "test", "yard")
    # The plug-in is there for pytest by itself too.
    (tmp_path / "yard" / "pytest.ini").write_text("[pytest]\n")
    assert "passed" in ran(bin_ / "python", "-m", "pytest", "-q", tmp_path / "yard")
