"""One scheduler for all tests of this folder; each test has a project of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.support.timer_stack import TimerStack, timer_stack

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimerStack]:
    with timer_stack(tmp_path_factory.mktemp("timers"), networks="127.0.0.0/8") as made:
        yield made


@pytest.fixture
def project(stack: TimerStack) -> Iterator[str]:
    yield f"p{next(_numbers)}"
    for address in (stack.pubsub, stack.firestore, stack.tasks):
        stack.faults(address)
    stack.settle()
    for topic in ("reason", "writer", "quarantine", "alarms"):
        stack.pull(topic)
