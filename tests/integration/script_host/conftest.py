"""No script's modules are left in the process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fulcrum.script import loading


@pytest.fixture(autouse=True)
def _no_code() -> Iterator[None]:
    yield
    loading.deactivate()
