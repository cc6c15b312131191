"""What every test gets: an environment and settings that do not leak into the next test."""

from __future__ import annotations

import os
import ssl
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from local.environment import loopback_direct
from shared.clients import history, pubsub
from shared.config import settings

# Tests talk to this machine alone; a proxy is for pip, which a test of the packages starts.
os.environ.update(loopback_direct(os.environ))

# Folders of tests whose tests share by the folder.
_SHARING = ("integration", "unit")

# Each client of httpx reads the world's certificates, 20 ms of a core, and tests make thousands of clients,
# many of them for one request: they share what was read.
ssl.create_default_context = cache(ssl.create_default_context)  # type: ignore[assignment]  # as it is called

# The same examples in every run, however slow the machine: what failed fails again, and what passed passes.
# `make test ARGS="--hypothesis-profile random"` looks for further ones.
_CHECKS = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
hypothesis.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=_CHECKS)
hypothesis.register_profile("random", deadline=None, suppress_health_check=_CHECKS)
hypothesis.load_profile("steady")


# Before xdist looks at the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse several tests with one id: workers would run one of them, and nobody would notice.

    Tests that share what a fixture has started are run by one worker, else each worker would start it too:
    those of a folder, or of a file where each file has its own. Where a test names a group, that holds.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            file = item.path.relative_to(item.config.rootpath)
            shared = file.parent if file.parts[1] in _SHARING else file
            item.add_marker(pytest.mark.xdist_group(shared.as_posix()))
    counted = Counter(item.nodeid for item in items)
    twice = [name for name, count in counted.items() if count > 1]
    if twice:
        raise pytest.UsageError(f"several tests have one id: {twice[:5]}")


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    settings.cache_clear()
    yield
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)
    settings.cache_clear()


@pytest.fixture(autouse=True)
def _own_clients() -> Iterator[None]:
    """What a test puts in the place of a client is gone after it; else dozens of others would talk to it."""
    before = pubsub.publish, history.append
    yield
    after = pubsub.publish, history.append
    pubsub.publish, history.append = before
    assert after == before, "a client was left replaced: undo patches in the reverse order of their making"
