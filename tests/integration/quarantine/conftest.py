"""The message processor and quarantine between real topics, for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.push_stack import PushStack, push_stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushStack]:
    with push_stack(tmp_path_factory.mktemp("stack"), "message_processor", "quarantine") as made:
        made.subscribe("default-processor", "message_processor", attempts=5)
        made.subscribe("quarantine", "quarantine")
        made.subscribe("dead-letter", "quarantine")
        yield made
