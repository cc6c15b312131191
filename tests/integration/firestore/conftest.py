"""Emulators for the Firestore tests: ours and Google's in turn, ours alone, and ours in strict mode."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from tests.integration.firestore.api import Api
from tests.support.emulators import Address, embedded, google, google_missing


@pytest.fixture(scope="session")
def embedded_address() -> Iterator[Address]:
    with embedded("firestore") as address:
        yield address


@pytest.fixture(scope="session")
def google_address() -> Iterator[Address]:
    if missing := google_missing("firestore"):
        pytest.skip(missing)
    with google("firestore") as address:
        channel = grpc.insecure_channel(address.grpc)
        grpc.channel_ready_future(channel).result(60)
        channel.close()
        yield address


@pytest.fixture(params=["embedded", pytest.param("google", marks=pytest.mark.google)])
def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Ours and Google's in turn."""
    found = Api(request.getfixturevalue(f"{request.param}_address"), monkeypatch)
    yield found
    found.close()


@pytest.fixture
def ours(embedded_address: Address, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Ours alone, with its faults and counts put back afterwards."""
    found = Api(embedded_address, monkeypatch)
    yield found
    found.control("DELETE", "/faults")
    found.control("DELETE", "/calls")
    found.close()
