"""One set of services for all tests of this folder; each test has a project and a network of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.integration.pubsub.endpoint import Endpoint
from tests.support.outbound_stack import TOPICS, OutboundStack, outbound_stack

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutboundStack]:
    with outbound_stack(tmp_path_factory.mktemp("outbound"), networks="127.0.0.0/8") as made:
        yield made


@pytest.fixture
def project(stack: OutboundStack) -> Iterator[str]:
    yield f"p{next(_numbers)}"
    for address in (stack.pubsub, stack.firestore, stack.tasks):
        stack.faults(address)
    stack.settle()
    for topic in TOPICS:
        stack.pull(topic)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()
