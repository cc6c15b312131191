"""The circuit breaker: when it opens, what waits meanwhile, how it closes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.reason import breaker, flight
from shared import clock, script_documents
from shared.clients import script_calls
from shared.config import settings
from shared.errors import Transient
from tests.support.reason import PROJECT, Reason, T, event, lost, routed

FAILS = "def run(message, context):\n    raise ValueError('broken')\n"
WORKS = "def run(message, context):\n    return None\n"
SERIES = ["writer"]


@pytest.fixture
def watch(reason: Reason, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clock that the test moves."""
    path = tmp_path / "clock"
    clock.create(path)
    monkeypatch.setenv("FULCRUM_CLOCK_FILE", str(path))
    settings.cache_clear()
    return path


def batch(first: int, count: int) -> dict[str, Any]:
    return routed([event(str(n), time=T + n) for n in range(first, first + count)], route=SERIES)


def stands(reason: Reason) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reason.state()["breaker"])
    return found


def kinds(reason: Reason) -> list[str]:
    return [attributes["errorType"] for _, attributes in reason.quarantined()]


async def test_it_opens_after_twenty_failures_and_nothing_is_skipped(reason: Reason, watch: Path) -> None:
    reason.deploy(FAILS)
    assert await reason.push(batch(0, 19)) == 204
    assert "breaker" not in reason.state()
    assert await reason.push(batch(19, 1)) == 204
    now = stands(reason)
    assert (now["state"], now["failures"], now["version"]) == ("open", 20, 1)
    assert "ValueError: broken" in now["reason"]
    assert now["until"] - now["openedAt"] == 30_000
    calls = len(reason.functions.calls)
    assert await reason.push(batch(20, 3)) == 204
    assert len(reason.functions.calls) == calls
    assert kinds(reason)[20:] == ["script.breakerOpen"] * 3
    data, attributes = reason.quarantined()[-1]
    assert (data["id"], attributes["topic"], json.loads(attributes["route"])) == ("22", "reason", SERIES)
    assert "ValueError: broken" in attributes["message"]
    # What is re-driven once it works goes its way.
    reason.deploy(WORKS, 2)
    clock.advance(watch, 6)
    assert await reason.push(batch(20, 3)) == 204
    assert [each["id"] for each in reason.topics.events("writer")] == ["20", "21", "22"]


async def test_a_success_in_between_keeps_it_closed(reason: Reason, watch: Path) -> None:
    reason.deploy("def run(message, context):\n    if int(message['id']) % 15:\n        1 / 0\n")
    assert await reason.push(batch(0, 60)) == 204
    assert "breaker" not in reason.state()


async def test_one_batch_may_try_and_closes_it(reason: Reason, watch: Path) -> None:
    reason.deploy(FAILS)
    await reason.push(batch(0, 20))
    clock.advance(watch, 31)
    reason.functions.codes["http://alarm"].answer = fixed(reason)  # type: ignore[method-assign]  # works by now
    assert await reason.push(batch(20, 2)) == 204
    assert stands(reason)["state"] == "closed"
    assert await reason.push(batch(22, 2)) == 204
    assert len(reason.topics.events("writer")) == 4


async def test_whoever_tries_may_try_until_it_has_an_answer(reason: Reason, watch: Path) -> None:
    reason.deploy(FAILS)
    await reason.push(batch(0, 20))
    clock.advance(watch, 31)
    reason.deploy("def run(message, context):\n    return False\n", 1, script="mended")
    reason.functions.codes["http://alarm"] = reason.functions.codes["http://mended"]
    # The commit that says who tries holds; that of the runs is not answered at first.
    reason.documents.before_commit += [lambda: None, lost]
    assert await reason.push(batch(20, 2)) == 204
    assert stands(reason)["state"] == "closed"
    assert len(reason.topics.events("writer")) == 2


def fixed(reason: Reason) -> Any:
    """The same version, for which what it depends on works again."""
    reason.deploy(WORKS, 1, script="mended")
    return reason.functions.codes["http://mended"].answer


async def test_a_try_that_fails_opens_it_for_twice_as_long(reason: Reason, watch: Path) -> None:
    reason.deploy(FAILS)
    await reason.push(batch(0, 20))
    waits = []
    for n in range(6):
        clock.advance(watch, 601)
        calls = len(reason.functions.calls)
        assert await reason.push(batch(100 * n + 100, 3)) == 204
        assert len(reason.functions.calls) == calls + 1
        now = stands(reason)
        waits.append((now["until"] - now["openedAt"]) / 1000)
        # Until then nobody else is called.
        assert await reason.push(batch(100 * n + 150, 3)) == 204
        assert len(reason.functions.calls) == calls + 1
    assert waits == [60, 120, 240, 480, 600, 600]


async def test_while_somebody_tries_nobody_else_does(reason: Reason, watch: Path) -> None:
    reason.deploy(FAILS)
    await reason.push(batch(0, 20))
    clock.advance(watch, 31)
    # Another instance has taken the try.
    half = breaker.probing(breaker.decode(reason.state()["breaker"]), clock.now_ms())
    reason.documents.put(script_documents.state(PROJECT, "alarm"), breaker=breaker.encode(half))
    calls = len(reason.functions.calls)
    assert await reason.push(batch(20, 1)) == 204
    assert (len(reason.functions.calls), kinds(reason)[-1]) == (calls, "script.breakerOpen")
    # It was killed meanwhile.
    clock.advance(watch, breaker.PROBE_MS / 1000 + 1)
    assert await reason.push(batch(21, 1)) == 204
    assert len(reason.functions.calls) == calls + 1


async def test_one_that_somebody_else_has_closed_opens_after_twenty_more(reason: Reason, watch: Path) -> None:
    reason.deploy(FAILS)
    await reason.push(batch(0, 20))
    opened = breaker.decode(reason.state()["breaker"])
    assert (opened.state, opened.failures) == ("open", 20)
    # Another instance has tried, with success.
    closed = breaker.encode(breaker.Breaker(version=1))
    reason.documents.put(script_documents.state(PROJECT, "alarm"), breaker=closed)
    clock.advance(watch, 31)
    assert await reason.push(batch(20, 19)) == 204
    assert stands(reason)["state"] == "closed"
    assert await reason.push(batch(39, 1)) == 204
    assert stands(reason)["state"] == "open"


async def test_a_clock_that_is_turned_back_keeps_nobody_waiting_for_long(reason: Reason, watch: Path) -> None:
    clock.advance(watch, 86_400)
    reason.deploy(FAILS)
    await reason.push(batch(0, 20))
    clock.advance(watch, -86_400)
    calls = len(reason.functions.calls)
    assert await reason.push(batch(20, 1)) == 204
    assert len(reason.functions.calls) == calls + 1
    assert stands(reason)["failures"] == 21


async def test_calls_that_come_to_nothing_open_it_too(reason: Reason, watch: Path) -> None:
    reason.deploy(WORKS)
    for _ in range(20):
        reason.functions.errors.append(Transient("connection refused"))
        assert await reason.push(batch(0, 2)) == 503
    assert (stands(reason)["state"], reason.quarantined()) == ("open", [])
    assert await reason.push(batch(0, 2)) == 204
    assert kinds(reason) == ["script.breakerOpen"] * 2


async def test_a_function_that_is_never_what_it_says_opens_it_too(
    reason: Reason, watch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight, "TRIES", 2)
    reason.deploy(WORKS)
    call = reason.functions.call

    async def other(url: str, body: bytes, within: float) -> bytes:
        answer = json.loads(await call(url, body, within))
        return json.dumps({**answer, "scriptVersion": 9 if "outcomes" in answer else 1}).encode()

    monkeypatch.setattr(script_calls, "call", other)
    for _ in range(20):
        assert await reason.push(batch(0, 2)) == 503
    assert stands(reason)["state"] == "open"
    assert "version 9" in stands(reason)["reason"]
    assert await reason.push(batch(0, 2)) == 204
    assert kinds(reason) == ["script.breakerOpen"] * 2


async def test_runs_with_a_record_go_on_whatever_the_breaker_says(reason: Reason, watch: Path) -> None:
    reason.deploy(
        "def run(message, context):\n    if message['id'] != '1':\n        1 / 0\n    return False\n"
    )
    reason.topics.errors["writer"] = [Transient("UNAVAILABLE")]
    assert await reason.push(batch(1, 1)) == 503
    await reason.push(batch(2, 20))
    assert stands(reason)["state"] == "open"
    assert await reason.push(batch(1, 2)) == 204
    assert [each["kind"] for each in reason.topics.events("writer")] == ["input"]
    assert kinds(reason)[-1] == "script.breakerOpen"


@pytest.mark.parametrize("text", [None, "", "{", '{"state":"ajar"}'])
def test_a_breaker_that_cannot_be_read_is_closed(text: str | None) -> None:
    assert breaker.decode(text) == breaker.CLOSED


def test_a_breaker_is_read_as_it_was_written() -> None:
    opened = breaker.opened(breaker.CLOSED, 3, 20, "x" * 1000, 5)
    assert breaker.decode(breaker.encode(opened)) == opened
    assert json.loads(breaker.encode(breaker.CLOSED)) == {"state": "closed"}
