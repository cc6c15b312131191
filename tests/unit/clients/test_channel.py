"""Opening what clients talk through: once for all, without holding up the loop, Transient where it fails."""

from __future__ import annotations

import asyncio
import threading

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError

from shared.clients.channel import Opened, open_channel
from shared.errors import Transient


async def _open(emulator: str) -> list[str]:
    await asyncio.sleep(0)
    return [emulator]


async def test_all_callers_wait_for_one_attempt_and_get_the_same() -> None:
    opened = Opened(_open)
    first, *others = await asyncio.gather(*(opened.get("a") for _ in range(5)))
    assert all(other is first for other in others)
    assert await opened.get("a") is first
    assert await opened.get("b") == ["b"]


async def test_a_caller_that_gives_up_does_not_end_the_attempt() -> None:
    gate = asyncio.Event()

    async def wait(emulator: str) -> str:
        await gate.wait()
        return emulator

    opened = Opened(wait)
    with pytest.raises(Transient, match="no connection"):
        await opened.get("a", within=0.01)
    waiting = asyncio.ensure_future(opened.get("a"))
    await asyncio.sleep(0)
    gate.set()
    assert await waiting == "a"


async def test_a_failure_is_transient_and_the_next_caller_tries_again() -> None:
    errors = [OSError("no credentials")]

    async def fail_once(emulator: str) -> str:
        if errors:
            raise errors.pop()
        return emulator

    opened = Opened(fail_once)
    with pytest.raises(Transient, match="no credentials"):
        await opened.get("a")
    assert await opened.get("a") == "a"


async def test_what_is_forgotten_or_taken_is_opened_anew() -> None:
    opened = Opened(_open)
    first = await opened.get("a")
    opened.forget(first)
    second = await opened.get("a")
    assert second is not first
    opened.forget(first)
    assert await opened.get("a") is second
    assert await opened.take() is second
    assert await opened.take() is None


def test_every_loop_has_its_own() -> None:
    opened = Opened(_open)
    first = asyncio.run(opened.get("a"))
    assert asyncio.run(opened.get("a")) is not first
    assert asyncio.run(opened.take()) is None


async def test_credentials_are_looked_for_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def default() -> tuple[AnonymousCredentials, str]:
        threads.append(threading.current_thread())
        return AnonymousCredentials(), "project"

    monkeypatch.setattr(google.auth, "default", default)
    channel = await open_channel("", "pubsub.googleapis.com", ("scope",))
    assert threads
    assert threading.main_thread() not in threads
    await channel.close()


async def test_no_credentials_are_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    def default() -> None:
        raise DefaultCredentialsError("none found")

    monkeypatch.setattr(google.auth, "default", default)
    opened = Opened(lambda emulator: open_channel(emulator, "pubsub.googleapis.com", ("scope",)))
    with pytest.raises(Transient, match="none found"):
        await opened.get("")
