"""The function with in-memory stores, topics and scripts' functions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.config import settings
from tests.support.reason import Reason


@pytest.fixture
def reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Reason]:
    made = Reason(monkeypatch, tmp_path)
    yield made
    monkeypatch.undo()
    settings.cache_clear()
