"""One stand-in of Cloud Functions for all tests of it that need no folder of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.functions_api import FunctionsApi, functions_api


@pytest.fixture(scope="package")
def running() -> Iterator[FunctionsApi]:
    """A stand-in of its own."""
    with functions_api() as made:
        yield made


@pytest.fixture
def api(running: FunctionsApi) -> Iterator[FunctionsApi]:
    """The same without faults before and after."""
    running.faults()
    yield running
    running.faults()
