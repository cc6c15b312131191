"""Timers started, stopped and looked at through the API; what the scheduler does is done by hand."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from fulcrum.core import ids
from functions.jobs import hanging
from functions.scheduler import timers
from shared import clock, names, timer_times
from shared.cascade import job
from shared.messages import CancelTimer, SetTimer
from tests.support.api import Api

DAY = 86_400_000
TIMER = {
    "name": "Every morning",
    "timer": {"type": "scheduled", "cron": "0 6 * * *", "timezone": "Europe/Oslo"},
    "action": {"type": "publishTopic", "topic": "writer", "message": {"data": {"mode": "day"}}},
}


async def _made(http: httpx.AsyncClient, project: str, **changes: Any) -> str:
    answer = await http.post(f"/v1/project/{project}/timers", json=TIMER | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _take(api: Api) -> list[SetTimer | CancelTimer]:
    decode = msgspec.json.Decoder(SetTimer | CancelTimer).decode
    return [decode(data) for data in api.topics.take("scheduler")]


def _keep(api: Api, timer: timers.Timer) -> None:
    path = names.running_timer(timer.project_id, timer.timer_id).partition("/documents/")[2]
    api.documents.document(path).set(timers.to_fields(timer, clock.now()))


async def test_started_it_runs_as_it_is_defined_and_shows_its_next_times(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        timer_id = await _made(http, project)
        shown = (await http.get(f"/v1/timer/{timer_id}/state", params=query)).json()
        assert (shown["state"], shown["next"], shown["occurrences"]) == ("stopped", [], 0)
        answer = await http.post(f"/v1/timer/{timer_id}/start", params=query)
        assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
        (message,) = _take(api)
        assert isinstance(message, SetTimer)
        assert (message.id, message.project_id, message.timer) == (timer_id, project, TIMER["timer"])
        assert message.action == TIMER["action"]
        assert message.managed
        assert message.stamp[0] == answer.json()["time"]
        running = timers.set_(None, message, timer_times.parse(message.timer), message.stamp[0])
        assert running is not None
        _keep(api, running)
        shown = (await http.get(f"/v1/timer/{timer_id}/state", params=query | {"count": 3})).json()
        assert (shown["state"], shown["started"]) == ("running", message.stamp[0])
        first, second, third = shown["next"]
        assert first == running.fire_time
        assert all(abs(gap - DAY) <= 3_600_000 for gap in (second - first, third - second))
        _keep(api, timers.fired(running, first))
        shown = (await http.get(f"/v1/timer/{timer_id}/state", params=query)).json()
        assert (shown["next"][:2], shown["occurrences"], shown["lastFired"]) == ([second, third], 1, first)


async def test_stopped_it_runs_no_more(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        timer_id = await _made(http, project, timer={"type": "once", "delay": 60_000})
        await http.post(f"/v1/timer/{timer_id}/start", params=query)
        assert (await http.post(f"/v1/timer/{timer_id}/stop", params=query)).status_code == 202
        started, stopped = _take(api)
        assert isinstance(started, SetTimer)
        assert isinstance(stopped, CancelTimer)
        assert stopped.stamp[0] >= started.stamp[0]
        running = timers.set_(None, started, timer_times.parse(started.timer), started.stamp[0])
        later = (started.stamp[0] + 1, "x")
        gone = timers.cancel(running, project, timer_id, later)
        assert gone is not None
        _keep(api, gone)
        shown = (await http.get(f"/v1/timer/{timer_id}/state", params=query)).json()
        assert (shown["state"], shown["next"]) == ("stopped", [])


async def test_who_may_not_starts_nothing_and_what_is_not_there_neither(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        timer_id = await _made(http, project)
        for verb in ("start", "stop"):
            assert (await http.post(f"/v1/timer/none/{verb}", params=query)).status_code == 404
        assert (await http.get("/v1/timer/none/state", params=query)).status_code == 404
        api.topics.down = True
        assert (await http.post(f"/v1/timer/{timer_id}/start", params=query)).status_code >= 500
        api.topics.down = False
    async with api.client(api.user(project, "timer.read", "timer.update")) as http:
        assert (await http.post(f"/v1/timer/{timer_id}/start", params=query)).status_code == 403
        assert (await http.get(f"/v1/timer/{timer_id}/state", params=query)).status_code == 200
    async with api.client(api.user(project, "timer.start")) as http:
        assert (await http.post(f"/v1/timer/{timer_id}/stop", params=query)).status_code == 202
        assert (await http.get(f"/v1/timer/{timer_id}/state", params=query)).status_code == 403
    assert len(_take(api)) == 1


def test_what_a_timer_hangs_on_takes_the_timer_that_runs_with_it() -> None:
    fields = {kind: rule.field for kind in job.KINDS for rule in hanging.rules(kind)
              if rule.collection == "runningTimers"}  # fmt: skip
    assert fields == {"system": "systemId", "device": "deviceId", "script": "scriptId", "timer": "timerId"}


async def test_a_timer_that_would_call_a_private_address_is_refused(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        for url, status in (
            ("https://example.com/hook", 201),
            ("http://127.0.0.1/", 400),
            ("http://169.254.169.254/computeMetadata", 400),
            ("http://2130706433/", 400),
            ("http://metadata.google.internal/", 400),
        ):
            body = TIMER | {"action": {"type": "queryUrl", "url": url}}
            answer = await http.post(f"/v1/project/{project}/timers", json=body)
            assert answer.status_code == status, answer.text
            assert status == 201 or answer.json()["error"] == "timer.url"
