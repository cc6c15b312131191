"""One store for all tests of a module, and the function that clears what was deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.api import Api, embedded_api, environment
from tests.support.emulators import Address
from tests.support.jobs import Jobs, jobs_function


@pytest.fixture(scope="module")
def module_api(strict_store: Address) -> Iterator[Api]:
    with embedded_api(strict_store) as made:
        yield made


@pytest.fixture
def api(module_api: Api) -> Iterator[Api]:
    with environment(module_api.address, module_api.topics):
        yield module_api


@pytest.fixture
async def jobs(api: Api) -> AsyncIterator[Jobs]:
    api.topics.messages.clear()
    async with jobs_function(api.topics) as made:
        yield made
