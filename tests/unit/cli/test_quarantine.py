"""Quarantine from the command line."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from local.processes import ROOT
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import Answer, FakeApi

PATH = "/v1/project/p/quarantine"


@pytest.mark.parametrize(("encoding", "original"), [("utf-8", "Grün\n".encode()), ("base64", b"\xff\x00")])
def test_the_original_bytes_are_written_as_they_came(
    api: FakeApi, profile: Callable[..., None], config: Path, encoding: str, original: bytes
) -> None:
    data = original.decode() if encoding == "utf-8" else base64.b64encode(original).decode()
    api.on("GET", "/v1/quarantine/e", {"id": "e", "errorType": "x.y", "encoding": encoding, "data": data})
    line = [sys.executable, "-m", "fulcrum", "quarantine", "show", "e"]
    env = {**os.environ, "FULCRUM_CONFIG": str(config)}
    bare = subprocess.run([*line, "--data"], cwd=ROOT, env=env, capture_output=True, timeout=60, check=True)
    assert bare.stdout == original
    whole = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, timeout=60, check=True)
    assert b"errorType  x.y" in whole.stdout


def test_a_scripts_traceback_is_shown_as_it_is_read(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    entry = {"id": "e", "errorType": "script.failed", "scriptId": "s", "scriptVersion": 3, "message": "boom"}
    detail = 'File "main.py", line 2, in run\n    1 / 0\nZeroDivisionError: \x1b[31mred'
    api.on("GET", "/v1/quarantine/e", {**entry, "detail": detail, "encoding": "utf-8", "data": "{}"})
    lines = run("quarantine", "show", "e").out.splitlines()
    assert lines[-6:] == [
        "",
        'File "main.py", line 2, in run',
        "    1 / 0",
        "ZeroDivisionError: \\x1b[31mred",
        "",
        "{}",
    ]
    assert "scriptVersion  3" in lines
    assert run("quarantine", "show", "e", "--json").json["detail"] == detail


def test_what_is_left_is_sent_again_until_there_is_no_more(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    answers = iter([{"done": 500, "more": True}, {"done": 7}])
    api.answers["POST", f"{PATH}/redrive"] = lambda seen: Answer(200, next(answers))
    ended = run("quarantine", "redrive", "--all", "--error-type", "route", "--topic", "reason")
    assert (ended.code, ended.out) == (0, "507 sent again\n")
    assert [seen.json for seen in api.seen] == [{"all": True, "errorType": "route", "topic": "reason"}] * 2


def test_what_cannot_be_sent_is_named_and_tried_once(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    problem = {"id": "e2", "error": "topic.notFound", "message": "there is no topic nowhere"}
    api.on("POST", f"{PATH}/redrive", {"done": 1, "failed": 1, "problems": [problem], "more": True})
    ended = run("quarantine", "redrive", "e1", "e2")
    assert (ended.code, ended.out) == (1, "1 sent again\n")
    assert "e2: there is no topic nowhere" in ended.err
    assert len(api.seen) == 1


@pytest.mark.parametrize(
    "line",
    [["redrive"], ["redrive", "e", "--all"], ["purge", "--all"], ["purge", "e", "--service", "x", "--yes"]],
)
def test_nothing_is_sent_unless_it_is_clear_what(
    run: Run, api: FakeApi, profile: Callable[..., None], line: list[str]
) -> None:
    assert run("quarantine", *line).code == 2
    assert api.seen == []


def test_purge_with_yes(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    api.on("POST", f"{PATH}/purge", {"done": 2})
    assert run("quarantine", "purge", "e1", "e2", "--yes").out == "2 thrown away\n"
    assert api.seen[0].json == {"ids": ["e1", "e2"]}
