"""URLs that lead into the platform's own network, from the message that sets a timer to the request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from functions.scheduler import firing, timers
from functions.scheduler.arming import FireTimer
from functions.scheduler.commands import Rules
from shared import clock, names, timer_times, url_rules
from shared.clients import firestore, outside, pubsub
from shared.config import settings
from shared.errors import Transient
from shared.messages import SetTimer
from tests.integration.pubsub.endpoint import Endpoint
from tests.support.push_stack import CLOUD_PROJECT
from tests.support.timer_stack import TimerStack, eventually

ONCE = {"type": "once", "delay": 1_000}
# The scheduler of these tests may call 127.0.0.0/8, where their own server is.
INSIDE = [
    *("[::1]", "169.254.169.254", "10.1.2.3", "[::ffff:10.1.2.3]", "192.168.0.1", "[fd00:ec2::254]"),
    *("2130706433", "0177.0.0.1", "0x7f000001", "2852039166", "0251.0376.0251.0376", "127.1"),
    *("localhost", "metadata.google.internal"),
]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    value = Endpoint()
    yield value
    value.close()


def _errors(stack: TimerStack, count: int) -> list[tuple[str, str]]:
    """Of what is set aside: the URL, and why."""
    found: list[tuple[str, str]] = []

    def all_there() -> bool:
        found.extend((data["action"]["url"], about["errorType"]) for data, about in stack.pull("quarantine"))
        return len(found) >= count

    eventually(all_there)
    return sorted(found)


def test_a_timer_that_would_call_inside_is_not_set(stack: TimerStack, project: str) -> None:
    urls = [f"http://{host}/latest/meta-data" for host in INSIDE]
    actions = [{"type": "queryUrl", "url": url} for url in urls]
    stack.send(*(stack.set(project, action["url"], ONCE, action=action) for action in actions))
    assert _errors(stack, len(INSIDE)) == sorted((url, "timer.action") for url in urls)
    assert stack.timers(project) == {}


def test_a_redirect_that_leads_inside_is_not_followed(stack: TimerStack, project: str) -> None:
    endpoints = [Endpoint(status=302, headers={"Location": f"http://{host}/"}) for host in INSIDE]
    try:
        urls = [endpoint.url for endpoint in endpoints]
        actions = [{"type": "queryUrl", "url": url, "method": "POST"} for url in urls]
        stack.send(*(stack.set(project, action["url"], ONCE, action=action) for action in actions))
        stack.settle()
        stack.advance(2)
        refused = _errors(stack, len(INSIDE))
        assert [url for url, _ in refused] == sorted(urls)
        # Some forms are no URL to the client itself.
        assert {error for _, error in refused} == {"url.private", "url.invalid"}
        stack.settle()
        assert [len(endpoint.received) for endpoint in endpoints] == [1] * len(INSIDE)
        assert {timer["state"] for timer in stack.timers(project).values()} == {"finished"}
    finally:
        for endpoint in endpoints:
            endpoint.close()


@pytest.fixture
async def here(stack: TimerStack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Fire timers in this process, whose resolver a test may change."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", stack.firestore.grpc)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", stack.pubsub.grpc)
    monkeypatch.setenv("FULCRUM_CLOCK_FILE", str(stack.clock_file))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", CLOUD_PROJECT)
    settings.cache_clear()
    yield
    await firestore.close()
    await pubsub.close()


async def test_a_name_that_changes_its_answer_is_refused_at_the_next_try(
    stack: TimerStack, project: str, endpoint: Endpoint, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers.pop(0)

    monkeypatch.setattr(outside, "_resolve", resolve)
    endpoint.status = 503
    url = endpoint.url.replace("127.0.0.1", "rebinding.example.com")
    task = _due(stack, project, url)
    rules = Rules(frozenset(), url_rules.networks("127.0.0.0/8"))
    with pytest.raises(Transient):
        await firing.fire(task, rules, 0, [])
    # One request asks once: what it connects to is what was looked at.
    assert (asked, len(endpoint.received)) == (["rebinding.example.com"], 1)
    assert await firing.fire(task, rules, 1, []) == "refused"
    assert (len(asked), len(endpoint.received)) == (2, 1)
    ((_, attributes),) = eventually(lambda: stack.pull("quarantine"))
    assert attributes["errorType"] == "url.private"


def _due(stack: TimerStack, project: str, url: str) -> FireTimer:
    """A timer that calls a URL and is due, and its task."""
    action = {"type": "queryUrl", "url": url, "method": "POST"}
    message = SetTimer(
        id="t", stamp=(stack.now() - 2_000, "s"), project_id=project, timer=ONCE, action=action
    )
    timer = timers.set_(None, message, timer_times.parse(ONCE), message.stamp[0])
    assert timer is not None
    assert timer.fire_time is not None
    path = names.running_timer(project, "t").partition("/documents/")[2]
    stack.documents.document(path).set(timers.to_fields(timer, clock.now()))
    return FireTimer(project, "t", timer.stamp, timer.fire_time)
