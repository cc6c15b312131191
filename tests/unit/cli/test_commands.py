"""The tree of commands: every operation is one, and starting costs little."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fulcrum.cli import generated
from fulcrum.cli.app import WRITTEN
from local.processes import ROOT
from tests.unit.cli.conftest import Run


@pytest.mark.parametrize("resource", sorted(generated.resources()))
def test_every_operation_has_a_command_with_a_description(run: Run, resource: str) -> None:
    listed = run(resource, "--help").out
    for verb, operation in generated.operations(resource).items():
        assert f"  {verb}" in listed
        ended = run(resource, verb, "--help")
        assert ended.code == 0, ended.err
        if f"{resource} {verb}" not in WRITTEN:
            assert operation.summary.split()[0] in ended.out
            for parameter in operation.parameters:
                if parameter.wire in ("projectId", "project_id", "format"):
                    continue
                name = generated.dashed(parameter.wire)
                assert name in ended.out or name.upper() in ended.out


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_every_written_command_describes_itself(run: Run, name: str) -> None:
    ended = run(*name.split(), "--help")
    assert (ended.code, ended.err) == (0, "")


def test_help_names_exit_codes_and_version_is_told(run: Run) -> None:
    text = run("--help").out
    assert "5 conflict" in text
    assert all(name in text for name in ("login", "search", "device", "unknown-device"))


def test_help_imports_no_http_client_and_nothing_else_of_ours() -> None:
    code = (
        "import sys; sys.argv = ['fulcrum', 'device', '--help']\n"
        "from fulcrum.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "found = {name.split('.')[0] for name in sys.modules}\n"
        "ours = {'shared', 'functions', 'local', 'emulators'} & found\n"
        "assert not ours, ours\n"
        "assert 'httpx' not in sys.modules and 'fulcrum.client.types' not in sys.modules\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("words", "at", "found"),
    [
        ("fulcrum dev", 1, "device"),
        ("fulcrum device set", 2, "set-value"),
        ("fulcrum device update --if", 3, "--if-match"),
    ],
)
def test_completion_knows_made_commands(words: str, at: int, found: str) -> None:
    env = {**os.environ, "_FULCRUM_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    line = [sys.executable, "-m", "fulcrum"]
    ended = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert found in ended.stdout.split(), ended


def test_a_project_is_a_word_and_not_an_id_in_its_own_commands(run: Run) -> None:
    assert "{PROJECT-ID}" in run("project", "get", "--help").out
    assert "PROJECT-ID" not in run("blueprint", "list", "--help").out
