"""What every test gets: an environment and settings that do not leak into the next test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from local.environment import loopback_direct
from shared.config import settings

# Tests talk to this machine alone; a proxy is for pip, which a test of the packages starts.
os.environ.update(loopback_direct(os.environ))


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    settings.cache_clear()
    yield
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)
    settings.cache_clear()
