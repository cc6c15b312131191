"""What many folders of unit tests want started, once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api import strict_firestore
from tests.support.emulators import Address


@pytest.fixture(scope="session")
def strict_store() -> Iterator[Address]:
    """A strict Firestore. A module has it for itself while it runs: ``embedded_api`` empties it first."""
    with strict_firestore() as address:
        yield address
