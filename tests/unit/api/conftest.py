"""One API for all tests of a module; each test makes its own projects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api import Api, embedded_api, environment
from tests.support.emulators import Address


@pytest.fixture(scope="module")
def module_api(strict_store: Address) -> Iterator[Api]:
    with embedded_api(strict_store) as made:
        yield made


@pytest.fixture
def api(module_api: Api) -> Iterator[Api]:
    with environment(module_api.address, module_api.topics):
        yield module_api
