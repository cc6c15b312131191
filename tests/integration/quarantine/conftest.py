"""The message processor and quarantine between real topics, for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.push_stack import KINDS, PushStack, push_stack


@pytest.fixture(scope="module", params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushStack]:
    folder = tmp_path_factory.mktemp("stack")
    with push_stack(folder, "message_processor", "quarantine", kind=request.param) as made:
        made.subscribe("default-processor", "message_processor", attempts=5)
        made.subscribe("quarantine", "quarantine")
        made.subscribe("dead-letter", "quarantine")
        yield made
