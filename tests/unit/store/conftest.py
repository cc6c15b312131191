"""An embedded Firestore with faults on request, for the store alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.processes import ROOT
from tests.support.api import environment
from tests.support.emulators import Address, embedded


class Faults:
    """The faults of one emulator; all are gone after each test."""

    def __init__(self, address: Address) -> None:
        self._url = f"{address.http}/faults"

    def set(self, *rules: dict[str, Any], seed: int = 0) -> None:
        """Replace the rules; see emulators.kit.faults."""
        httpx.post(self._url, json={"rules": rules, "seed": seed}).raise_for_status()


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    with embedded("firestore", "--strict", "--indexes", str(ROOT / "firestore.indexes.json")) as found:
        yield found


@pytest.fixture
def faults(address: Address) -> Iterator[Faults]:
    with environment(address):
        made = Faults(address)
        yield made
        made.set()
