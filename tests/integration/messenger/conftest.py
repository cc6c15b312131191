"""One messenger for all tests of this folder; each test has a project of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import httpx
import pytest

from tests.support.messaging import Messaging, messaging

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Messaging]:
    with messaging(tmp_path_factory.mktemp("messaging")) as made:
        yield made


@pytest.fixture
def stack(running: Messaging) -> Iterator[Messaging]:
    yield running
    for kind in running.addresses:
        running.faults(kind)
    httpx.post(f"{running.addresses['twilio'].http}/reset").raise_for_status()


@pytest.fixture
def project() -> str:
    return f"p{next(_numbers)}"
