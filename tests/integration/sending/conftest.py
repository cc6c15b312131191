"""Emulators for all tests of this folder; each test has a project of its own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support import sending_stack
from tests.support.sending_stack import Emulators, Sending

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    with sending_stack.emulators(tmp_path_factory.mktemp("sending")) as made:
        yield made


@pytest.fixture
async def stack(emulators: Emulators, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sending]:
    with sending_stack.sending_on(emulators, f"p{next(_numbers)}", monkeypatch) as made:
        yield made
        await sending_stack.close()
