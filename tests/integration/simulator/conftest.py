"""One simulator for all tests of this folder; each test has a project of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.support.simulator_stack import SimulatorStack, simulator_stack

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorStack]:
    with simulator_stack(tmp_path_factory.mktemp("simulator")) as made:
        yield made


@pytest.fixture
def project(stack: SimulatorStack) -> Iterator[str]:
    name = f"p{next(_numbers)}"
    yield name
    for address in (stack.pubsub, stack.firestore, stack.tasks, stack.scheduler):
        stack.faults(address)
    playing = [one.id for one in stack.documents.collection(f"projects/{name}/simulations").stream()]
    if playing:
        stack.send(stack.command(name, "stop", *playing))
        # Nothing of it plays any more, and the tick rests.
        stack.advance(700)
    for topic in ("default-processor", "quarantine"):
        stack.pull(topic)
