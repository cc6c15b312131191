"""Running stacks for tests of the whole platform.

``stack`` is what most tests want: one stack that all of them share, one test after the other, as a platform
has many customers. A test makes a project of its own in it, with ids of networks that no other test uses,
and leaves all else as it was. ``moving_stack`` is another one, whose clock tests may move forward. Either
starts once, in the worker that runs all tests which use it. A stack of its own (``with Stack(tmp_path)``) is
for a test that needs an empty one, keeps data, or ends parts of it for good.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from tests.support.running_stack import administered, lent, shell_beside, sign_in
from tests.support.transcript import Shell

_SHARED = ("shared_stack", "shared_moving_stack")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have all tests that share a stack run in one worker; before xdist looks at the groups."""
    for item in items:
        for name in _SHARED:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="package")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack behind ``stack``, for fixtures of a wider scope."""
    with administered(tmp_path_factory.mktemp("shared"), movable_clock=False) as running:
        yield running


@pytest.fixture(scope="package")
def shared_moving_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack behind ``moving_stack``."""
    with administered(tmp_path_factory.mktemp("moving"), movable_clock=True) as running:
        yield running


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    """The stack that is shared, on the real clock: ``advance_clock`` and ``skip_backoff`` raise ValueError.

    Its administrator's token comes from ``tests.support.running_stack.administrator``; ``shell`` has it.
    Functions may be killed and faults set: they work again after the test. A module that needs another stack
    than this one for its ``shell`` has a fixture ``stack`` of its own.
    """
    with lent(shared_stack, movable_clock=False) as mine:
        yield mine


@pytest.fixture
def moving_stack(shared_moving_stack: Stack) -> Iterator[Stack]:
    """The other one that is shared, whose clock may be moved, and was moved by tests before.

    What a test says of time is therefore said of the stack's clock, and its messages wait for no back-off
    (``skip_backoff``). A timer that repeats is stopped by the test that started it.
    """
    with lent(shared_moving_stack, movable_clock=True) as mine:
        yield mine


@pytest.fixture
def shell_alone(stack: Stack, tmp_path: Path) -> Iterator[Shell]:
    """A shell beside ``stack`` that nobody is signed in with; ``.fulcrum/run`` is the stack's folder."""
    with shell_beside(stack, tmp_path) as made:
        yield made


@pytest.fixture
def shell(shell_alone: Shell, stack: Stack) -> Shell:
    """The same, with the administrator of the shared stack signed in."""
    sign_in(shell_alone, stack)
    return shell_alone
