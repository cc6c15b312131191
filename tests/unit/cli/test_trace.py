"""An event's way from the command line: as a timeline, as JSON, waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fulcrum.cli import trace
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import Answer, FakeApi

PATH = "/v1/project/p/trace/e"


def step(number: int, service: str, what: str, text: str, **more: Any) -> dict[str, Any]:
    """A step of the answer."""
    fields = {"id": str(number), "service": service, "what": what, "text": text, "certain": True}
    return fields | {"time": 1_700_000_000_000 + number, "sinceMs": number * 10.0} | more


STEPS = [
    step(0, "ingest", "received", "received"),
    step(1, "message_processor", "routed", "found it", messageId="m", attempt=2, ms=1.5, certain=False),
    step(2, "reason", "ran", "ran script s", messageId="r"),
    step(3, "reason", "effect", "a mail", parent="2", eventId="f1"),
    step(4, "reason", "effect", "data for device d9", parent="2", eventId="f2"),
    step(5, "transponder", "stored", "stored", messageId="w"),
    step(6, "emailer", "sent", "mail", parent="3"),
    step(
        7,
        "reason",
        "setAside",
        "set aside",
        error="Traceback\n  \x1bline 1",
        errorType="script.failed",
        entryId="q",
    ),
]


def answer(*steps: dict[str, Any], logs: str = "found", **more: Any) -> dict[str, Any]:
    """The answer about one event."""
    one = {"deviceId": "d", "received": 1_700_000_000_000, "totalMs": 70.0, "steps": list(steps)}
    return {"eventId": "e", "count": 1, "logs": logs, "notes": ["a note"], "traces": [one]} | more


def test_what_came_of_a_step_stands_below_it(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    api.on("GET", PATH, answer(*STEPS))
    ended = run("trace", "e", "--device", "d", "--since", "2023-11-01")
    assert api.seen[0].query == {"deviceId": "d", "since": "2023-11-01"}
    assert ended.out.splitlines() == [
        "event e of device d, received 2023-11-14T22:13:20.000Z",
        " +0.0 ms  ingest             received",
        "+10.0 ms  message_processor  perhaps: found it         attempt 2, took 1.5 ms, message m",
        "+20.0 ms  reason             ran script s              message r",
        "+30.0 ms  reason             └─ a mail                 id f1",
        "+60.0 ms  emailer               └─ mail",
        "+40.0 ms  reason             └─ data for device d9     id f2",
        "+50.0 ms  transponder        stored                    message w",
        "+70.0 ms  reason             set aside: script.failed  entry q",
        "                             | Traceback",
        "                             |   \\x1bline 1",
        "70.0 ms in all",
    ]
    assert "a note" in ended.err


def test_json_is_the_answer(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    api.on("GET", PATH, answer(*STEPS))
    assert run("trace", "e", "--json").json == answer(*STEPS)


def test_it_waits_until_the_event_has_arrived(
    run: Run, api: FakeApi, profile: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_PAUSE", 0.0)
    missing = {"status": 404, "error": "trace.notFound", "message": "nothing", "description": "wait"}
    answers = iter(
        [
            Answer(404, missing),
            Answer(200, answer(STEPS[0])),
            Answer(200, answer(*STEPS, logs="none")),
            Answer(200, answer(*STEPS)),
        ]
    )
    api.answers["GET", PATH] = lambda seen: next(answers)
    assert run("trace", "e", "--wait", "60s").code == 0
    assert len(api.seen) == 4


def test_it_does_not_wait_for_ever(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    missing = {"status": 404, "error": "trace.notFound", "message": "nothing", "description": "wait"}
    api.answers["GET", PATH] = lambda seen: Answer(404, missing)
    ended = run("trace", "e", "--wait", "0.1s")
    assert (ended.code, "trace.notFound" in ended.err) == (4, True)
    assert run("trace", "e").code == 4
    api.on("GET", PATH, answer(STEPS[0], logs="none"))
    assert run("trace", "e", "--wait", "0.1s").code == 0


def test_a_span_is_a_number_with_its_unit(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    ended = run("trace", "e", "--wait", "long")
    assert (ended.code, "30s" in ended.err) == (2, True)
    assert api.seen == []
