from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.ingest import receive
from shared.config import settings
from tests.support.ingest import Ingest


@pytest.fixture
def ingest(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingest]:
    """The function behind its true entry, with in-memory stores."""
    yield Ingest(monkeypatch)
    receive.parts.cache_clear()
    settings.cache_clear()
