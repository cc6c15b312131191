"""One embedded BigQuery for all tests of this folder; each test writes into a project of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fulcrum.core import ids
from tests.support.history import History, embedded_history, history_environment


# As long as the tests of this folder: what it sets in this process ends with them.
@pytest.fixture(scope="package")
def running() -> Iterator[History]:
    with embedded_history() as made:
        yield made


@pytest.fixture
def history(running: History) -> Iterator[History]:
    with history_environment(running.address):
        yield running
        running.faults()


@pytest.fixture
def project() -> str:
    return ids.new_id()
