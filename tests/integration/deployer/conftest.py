"""A Firestore and a Cloud Functions for all tests of the deployer, and the function itself for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore as official

from shared.config import settings
from tests.support.deploying import Deployer, deployer_function
from tests.support.emulators import Address, embedded
from tests.support.functions_api import FunctionsApi, functions_api


@pytest.fixture(scope="package")
def store() -> Iterator[Address]:
    """A Firestore of its own."""
    with embedded("firestore") as address:
        yield address


@pytest.fixture(scope="package")
def cloud_functions() -> Iterator[FunctionsApi]:
    """A Cloud Functions of its own."""
    with functions_api() as made:
        yield made


@pytest.fixture
def documents(store: Address, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Google's client of the Firestore."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", store.grpc)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "fulcrum-local")
    settings.cache_clear()
    client = official.Client(project="fulcrum-local", credentials=AnonymousCredentials())
    yield client
    client.close()


@pytest_asyncio.fixture
async def deployer(
    documents: Any, cloud_functions: FunctionsApi, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Deployer]:
    """The function, with nothing failing."""
    cloud_functions.faults()
    async with deployer_function(cloud_functions, monkeypatch) as made:
        settings.cache_clear()
        yield made
    cloud_functions.faults()
