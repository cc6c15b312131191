"""What goes wrong: what is said, on which stream, and with which exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from local.processes import ROOT
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import FakeApi

PAGE = {"count": 1, "perPage": 50, "items": [{"id": "x", "name": "X"}]}


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (400, "project.invalid", 1),
        (401, "auth.missing", 3),
        (403, "permission.missing", 1),
        (404, "project.notFound", 4),
        (410, "project.deleted", 4),
        (409, "project.exists", 5),
        (412, "project.changed", 5),
        (422, "idempotency.reused", 1),
        (500, "service.error", 1),
    ],
)
def test_each_answer_has_its_exit_code(
    run: Run, api: FakeApi, profile: Callable[..., None], status: int, error: str, code: int
) -> None:
    api.refuse("PATCH", "/v1/project/x", status, error)
    api.refuse("POST", "/v1/login/refresh", 503, "service.unavailable")
    api.on("POST", "/v1/login/refresh", {}, 401)
    api.refuse("POST", "/v1/login/refresh", 401, "auth.invalid")
    ended = run("project", "update", "x", "name=Y", "--if-match", "3")
    assert ended.code == code, ended.err
    assert ended.out == ""
    if status != 401:
        assert f"fulcrum: it was refused ({error})\nfulcrum: do it otherwise\n" in ended.err
        assert "request r-17" in ended.err
    assert api.seen[0].headers["if-match"] == '"3"'


def test_a_lost_update_is_a_conflict(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    api.refuse("DELETE", "/v1/system/s", 412, "system.changed")
    ended = run("system", "delete", "s", "--if-match", "3", "--yes")
    assert ended.code == 5
    assert "(system.changed)" in ended.err


def test_what_cannot_be_reached(run: Run, profile: Callable[..., None]) -> None:
    profile(url="http://127.0.0.1:1")
    ended = run("project", "list")
    assert ended.code == 6
    assert "http://127.0.0.1:1 cannot be reached" in ended.err
    assert "Traceback" not in ended.err


def test_what_is_no_api(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    api.on("GET", "/v1/project", b"<html>", 200, **{"Content-Type": "application/json"})
    ended = run("project", "list")
    assert ended.code == 6
    assert "is it the address of the API?" in ended.err


@pytest.mark.parametrize(
    "line",
    [
        ["nonsense"],
        ["device", "nonsense"],
        ["device", "get"],
        ["device", "get", "x", "--nonsense"],
        ["device", "update", "x", "nonsense"],
        ["device", "update", "x"],
        ["blueprint", "create", "--name", "only"],
        ["blueprint", "create", "--body", "{"],
        ["blueprint", "create", "--body", "@/no/such/file"],
        ["blueprint", "create", "--check-mode", "sometimes"],
        ["blueprint", "create", "metadata=3", "metadata/a=4", "name=n", "alias=a"],
        ["device", "get", ""],
        ["device", "get-by-network-alias", "--network-id", "n", "--alias-key", "k"],
        ["timer", "create", "--name", "n", "--timer", "{", "--action", "{}"],
        ["device", "set-value", "x", "--body", "{}", "a=1"],
        ["device", "delete", "x"],
        ["device", "show"],
        ["device", "show", "x", "--alias", "n/k=v"],
        ["device", "show", "--alias", "nonsense"],
        ["history"],
        ["history", "x", "--whole"],
        ["search", "nonsense"],
        ["send", "n", "d", "t=1"],
        ["send", "n", "d", "--key", "k"],
        ["send", "n", "--key", "k"],
        ["send", "n", "d", "--file", "f", "--key", "k"],
        ["send", "n", "--file", "/no/such/file", "--key", "k"],
    ],
)
def test_a_wrong_command_line_sends_nothing(
    run: Run, api: FakeApi, profile: Callable[..., None], line: list[str]
) -> None:
    ended = run(*line)
    assert ended.code == 2, ended
    assert ended.out == ""
    assert ended.err
    assert api.seen == []


def test_without_an_address_or_a_project_it_says_what_to_type(run: Run, config: Path) -> None:
    ended = run("project", "list")
    assert (ended.code, "fulcrum login --url" in ended.err) == (2, True)
    ended = run("blueprint", "list")
    assert (ended.code, "fulcrum use PROJECT" in ended.err) == (2, True)


def test_verbose_tells_requests_and_no_secret(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    api.on("POST", "/v1/network/n/keys", {"id": "k", "text": "fk_secret", "created": 1, "valid": True}, 201)
    ended = run("--verbose", "network-key", "create", "n", "name=first")
    assert ended.code == 0
    assert "POST /v1/network/n/keys 201" in ended.err
    assert "kept nowhere" in ended.err
    assert "fk_secret" in ended.out
    assert not [secret for secret in ("fk_secret", "id-first", "refresh-first") if secret in ended.err]


def test_a_reader_that_goes_away_is_no_error(
    api: FakeApi, profile: Callable[..., None], config: Path
) -> None:
    many = [{"id": str(number), "name": "x" * 500} for number in range(2000)]
    api.on("GET", "/v1/project", {"count": 2000, "perPage": 50, "items": many})
    line = f"{sys.executable} -m fulcrum project list --jsonl | head -1; echo ${{PIPESTATUS[0]}}"
    env = {**os.environ, "FULCRUM_CONFIG": str(config)}
    ended = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines()[-1] == "0"


def test_ctrl_c_ends_without_a_word(api: FakeApi, profile: Callable[..., None], config: Path) -> None:
    ready = b'event: ready\ndata: {"gap": false}\n\n'
    api.on("GET", "/v1/live", ready, 200, **{"Content-Type": "text/event-stream"})
    env = {**os.environ, "FULCRUM_CONFIG": str(config)}
    # A shell starts what it runs in the background deaf to Ctrl-C, and that is handed on: the tests may be.
    heeding = (
        "import runpy, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "runpy.run_module('fulcrum', run_name='__main__', alter_sys=True)"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", heeding, "tail"], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    try:
        assert running.stderr.readline() == "listening\n"
        running.send_signal(signal.SIGINT)
        _, rest = running.communicate(timeout=30)
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 130
    assert "Traceback" not in rest


def test_a_deletion_is_asked_about_and_done_with_yes(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    api.on("DELETE", "/v1/device/x", {"status": "deleted", "id": "x"})
    assert run("device", "delete", "x", stdin="y\n").code == 2
    assert api.seen == []
    assert run("device", "delete", "x", "--yes").code == 0
    assert [seen.method for seen in api.seen] == ["DELETE"]
