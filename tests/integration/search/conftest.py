"""One BigQuery emulator for all tests of this folder; each test has projects of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.warehouse import Warehouse, warehouse


@pytest.fixture(scope="module")
def bigquery() -> Iterator[Warehouse]:
    with warehouse() as made:
        yield made
