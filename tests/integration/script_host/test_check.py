"""Checking a folder before it is deployed: what is told, and that nothing of it escapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulcrum.script.check import Sample, check
from fulcrum.script.limits import Limits
from tests.unit.script.support import written

SOUND = """
    from fulcrum.script import needs
    from inner import limit
    @needs("deviceData", "cache", "device", "system", "blueprint", "project", params=["factor"])
    def run(message, context):
        context.send_sms(f"{context.device['name']} {context.system['name']}", to="+4712345678")
        if context.device_data["a"]["b"] > limit * context.params["factor"]:
            return False
    def walk(message, context):
        return {"data": {"seen": message["data"][0]["value"]}}
"""


def test_a_sound_script_is_called_with_what_is_given(tmp_path: Path) -> None:
    folder = written(tmp_path, SOUND, inner="limit = 1")
    report = check(folder, Sample(params={"factor": 2}, device_data={"a": {"b": 3}}))
    assert report.ok
    assert report.problems == report.warnings == []
    assert [entry.name for entry in report.entries] == ["run", "walk"]
    assert report.outcome is not None
    assert report.outcome.result is False
    assert len(report.outcome.effects) == 1
    assert report.isolation or report.missing
    walked = check(folder, Sample(entry="walk", message={"data": [{"path": "x", "value": 5}]}))
    assert walked.outcome is not None
    assert walked.outcome.result == {"data": [{"path": "seen", "value": 5}]}


def test_needs_that_the_sample_does_not_meet_are_told(tmp_path: Path) -> None:
    report = check(written(tmp_path, SOUND, inner="limit = 1"))
    assert report.ok
    assert report.outcome is not None
    assert (report.outcome.status, report.outcome.missing) == ("unmet", ["params.factor"])


def test_a_failure_with_a_made_message_warns_and_with_a_given_one_fails(tmp_path: Path) -> None:
    folder = written(tmp_path, "def run(message, context):\n    return message['data'][0]['value'] + 1")
    report = check(folder)
    assert report.ok
    assert report.outcome is None
    assert 'File "main.py", line 2, in run' in report.warnings[0].message
    report = check(folder, Sample(message={"data": [{"path": "x", "value": 5}]}))
    assert not report.ok
    assert report.outcome is not None
    assert report.outcome.failure is not None
    assert report.outcome.failure.kind == "result"


@pytest.mark.parametrize(
    ("main", "line", "says"),
    [
        ("def run(a, b)\n    pass", 1, "expected ':'"),
        ("import nothing_like_it\ndef run(a, b): pass", 1, "there is no module 'nothing_like_it'"),
        ("x = 1\ny = x / 0\ndef run(a, b): pass", 2, "ZeroDivisionError when the file is loaded"),
        ("import os\nos._exit(0)\ndef run(a, b): pass", None, "ended its process"),
    ],
)
def test_what_cannot_be_loaded_is_told_with_its_line(
    tmp_path: Path, main: str, line: int | None, says: str
) -> None:
    report = check(written(tmp_path, main))
    assert not report.ok
    (problem,) = report.problems
    assert (problem.file, problem.line) == ("main.py", line)
    assert says in problem.message


def test_an_endless_call_ends(tmp_path: Path) -> None:
    folder = written(tmp_path, "def run(message, context):\n    while True: pass")
    report = check(folder, limits=Limits(seconds_per_event=0.3))
    assert "TimeLimit" in report.warnings[0].message
