"""One BigQuery and one Firestore for all tests of this folder; each test has projects of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from google.cloud import firestore as official

from fulcrum.core import ids
from tests.support.curator import Curator, curator_function, curator_stores
from tests.support.history import History


@pytest.fixture(scope="module")
def stores() -> Iterator[tuple[History, official.Client]]:
    with curator_stores() as made:
        yield made


@pytest.fixture
async def curator(stores: tuple[History, official.Client]) -> AsyncIterator[Curator]:
    async with curator_function(*stores) as made:
        yield made
        made.history.faults()


@pytest.fixture
def project() -> str:
    return f"p-{ids.new_id().lower()}"
