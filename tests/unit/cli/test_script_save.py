"""``fulcrum script save``, against a server that answers as it is told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fulcrum.script.replay import lines
from fulcrum.script.testing import fixture
from fulcrum.script.testing.fixture import Fixture
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import Answer, FakeApi, Seen, problem

PATH = "/v1/script/s1/replayInput"
SCRIPTS = "/v1/project/p/scripts"
MESSAGE = {
    "type": "deviceDataEventMsg",
    "id": "e/1",
    "hash": "h",
    "time": 1000,
    "receivedTime": 1005,
    "projectId": "p",
    "deviceId": "d",
    "data": [{"path": "n", "value": 7}],
}
ENDED = lines.Run(key="k", version=2, started=0, result="stopped")


def input_of(run: lines.Run | None = ENDED) -> bytes:
    """The answer of the operation."""
    made = [
        lines.Header(project_id="p", script_id="s1", name="Too warm", since=0, until=1),
        lines.CacheLine(device_id="d", value={"n": 1}),
        lines.Event(message=MESSAGE, now=1005, seed="abc", device_id="d", params={"limit": 5}, run=run),
        lines.End(count=1),
    ]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in made)


@pytest.fixture
def folder(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script's folder, where the command is run; the script's alias is ``tooWarm``."""
    api.answers["GET", SCRIPTS] = lambda seen: Answer(
        200, {"items": [{"id": "s1"}] if seen.query["alias"] == "tooWarm" else []}
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(folder: Path) -> Fixture:
    return fixture.read(folder / "events" / "e-1.event.yaml")


def test_a_recorded_event_is_written_with_what_came_of_it(
    run: Run, api: FakeApi, profile: Callable[..., None], folder: Path
) -> None:
    api.on("POST", PATH, input_of())
    ended = run("script", "save", "tooWarm", "e/1", "--device", "d", "--since", "1000")
    assert (ended.code, ended.out) == (0, "events/e-1.event.yaml\n")
    assert api.seen[-1].json == {"eventId": "e/1", "devices": ["d"], "since": "1000"}
    case = saved(folder)
    assert (case.message, case.given) == (MESSAGE, {"params": {"limit": 5}, "cache": {"n": 1}})
    assert case.expected == {"result": False, "effects": []}
    # Nothing is overwritten.
    again = run("script", "save", "s1", "e/1")
    assert (again.code, "is there already" in again.err) == (2, True)
    assert run("script", "save", "s1", "e/1", "--force").code == 0
    assert run("script", "save", "s1", "e/1", "--out", "other.yaml").code == 2
    assert run("script", "save", "s1", "e/1", "--out", "deep/other.event.yaml").code == 0
    shown = run("script", "save", "s1", "e/1", "--out", "-")
    assert fixture.parse(shown.out) == case


def test_an_event_that_did_not_run_says_what_to_do(
    run: Run, api: FakeApi, profile: Callable[..., None], folder: Path
) -> None:
    api.on("POST", PATH, input_of(None))
    assert run("script", "save", "s1", "e/1").code == 0
    assert saved(folder).expected is None
    assert "# It did not run: say here" in (folder / "events" / "e-1.event.yaml").read_text()


def test_what_cannot_be_saved_is_said(
    run: Run, api: FakeApi, profile: Callable[..., None], folder: Path
) -> None:
    api.refuse("POST", PATH, 404, "event.notFound")
    assert run("script", "save", "s1", "e/1").code == 4
    api.on("POST", PATH, input_of()[:-20])
    broken = run("script", "save", "s1", "e/1")
    assert (broken.code, "is no input of a replay" in broken.err) == (1, True)
    api.on("POST", PATH, input_of())
    other = run("script", "save", "s1", "e/2")
    assert (other.code, "there is no event 'e/2'" in other.err) == (1, True)
    for words in ([], ["e", "--live"], ["--live", "--quarantine", "q"]):
        assert run("script", "save", "s1", *words).code == 2
    assert not (folder / "events").exists()


@pytest.mark.parametrize("is_recorded", [True, False])
def test_what_was_set_aside_is_written_with_its_bytes(
    run: Run, api: FakeApi, profile: Callable[..., None], folder: Path, is_recorded: bool
) -> None:
    entry = {
        "id": "q",
        "errorType": "script.failed",
        "message": "script s1 version 2, run: exception: KeyError: 'a'\nline 5",
        "attributes": {"options": json.dumps({"reasoner": {"id": "s1", "limit": 9}})},
        "encoding": "base64",
        "data": base64.b64encode(json.dumps(MESSAGE).encode()).decode(),
    }
    api.on("GET", "/v1/quarantine/q", entry)
    if is_recorded:
        api.on("POST", PATH, input_of())
    else:
        api.refuse("POST", PATH, 404, "event.notFound")
    ended = run("script", "save", "s1", "--quarantine", "q")
    assert (ended.code, "nothing is recorded of its run" in ended.err) == (0, not is_recorded)
    case = saved(folder)
    assert case.message == MESSAGE
    # What the route said when it was set aside, and the cache as it was then.
    assert case.given == {"params": {"limit": 9}} | ({"cache": {"n": 1}} if is_recorded else {})
    assert case.description.startswith("Set aside (script.failed): script s1 version 2")
    assert case.expected is None
    assert "# Say here what is expected once" in (folder / "events" / "e-1.event.yaml").read_text()


def test_the_next_event_is_waited_for(
    run: Run, api: FakeApi, profile: Callable[..., None], folder: Path
) -> None:
    # The first is data that the script itself has written.
    ids = ("x", "e/1")
    heard = [json.dumps({"deviceId": "d", "eventId": id_, "data": {"n": 7}}) for id_ in ids]
    feed = "event: ready\ndata: {}\n\n" + "".join(f"event: data\ndata: {one}\n\n" for one in heard)
    stream = {"Content-Type": "text/event-stream"}
    api.answers["GET", "/v1/live"] = lambda seen: Answer(200, feed.encode(), stream)
    # Heard on its way to history, which has it a moment later.
    missing = Answer(404, problem(404, "event.notFound"))
    late: Iterator[Answer] = iter([Answer(200, input_of()), missing, missing, Answer(200, input_of())])
    api.answers["POST", PATH] = lambda seen: next(late)
    ended = run("script", "save", "s1", "--live", "--device", "d")
    assert (ended.code, ended.out) == (0, "events/e-1.event.yaml\n")
    asked: list[Seen] = [seen for seen in api.seen if seen.path == "/v1/live"]
    assert asked[0].query == {"name": "event", "deviceId": "d"}
    bodies: list[Any] = [seen.json for seen in api.seen if seen.path == PATH]
    assert [body["eventId"] for body in bodies] == ["x", "e/1", "e/1", "e/1"]
    assert bodies[0]["devices"] == ["d"]
    assert saved(folder).expected == {"result": False, "effects": []}
