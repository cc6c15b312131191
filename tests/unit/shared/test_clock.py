from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import clock
from shared.config import settings


@pytest.fixture
def movable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "clock"
    clock.create(path)
    monkeypatch.setenv("FULCRUM_CLOCK_FILE", str(path))
    settings.cache_clear()
    yield path
    settings.cache_clear()


def test_without_a_file_it_is_the_systems_clock() -> None:
    before = time.time_ns()
    assert before <= clock.now_ns() <= time.time_ns()


def test_a_moved_clock_is_seen_at_once(movable: Path) -> None:
    before = clock.now_ms()
    clock.advance(movable, 600)
    assert clock.now_ms() - before >= 600_000
    clock.advance(movable, 60)
    assert clock.now_ms() - before >= 660_000


async def test_a_sleeper_wakes_when_the_clock_is_moved(movable: Path) -> None:
    sleeper = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(movable, 3601)
    await asyncio.wait_for(sleeper, 10)


def test_milliseconds_and_datetimes_are_inverse() -> None:
    assert clock.to_ms(clock.from_ms(1_764_000_000_123)) == 1_764_000_000_123
