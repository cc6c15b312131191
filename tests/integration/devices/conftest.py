"""The API with the event path behind it: real message_processor and transponder on real emulators."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.provision_bigquery import provision
from shared.clients import history, pubsub
from shared.config import settings
from tests.support.api import Api, environment
from tests.support.emulators import Address, embedded
from tests.support.push_stack import CLOUD_PROJECT, PushStack, push_stack
from tests.unit.api.devices.support import World

# As they are before any test puts something in their place.
_PUBLISH, _APPEND = pubsub.publish, history.append


@pytest.fixture(scope="module")
def bigquery() -> Iterator[Address]:
    with embedded("bigquery") as address:
        provision(CLOUD_PROJECT, address.http)
        yield address


@pytest.fixture(scope="module")
def stack(bigquery: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushStack]:
    further = {
        "FULCRUM_BIGQUERY_STORAGE_ENDPOINT": bigquery.grpc,
        "BIGQUERY_EMULATOR_HOST": bigquery.http,
    }
    folder = tmp_path_factory.mktemp("devices")
    with push_stack(folder, "message_processor", "transponder", further=further) as made:
        made.subscribe("default-processor", "message_processor")
        made.subscribe("writer", "transponder")
        yield made


@pytest.fixture
def world(stack: PushStack) -> Iterator[World]:
    """A project of its own, with the API pointed at the stack."""
    # Undone before the environment is: else what the environment put in their place would come back.
    with environment(stack.firestore), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pubsub, "publish", _PUBLISH)
        patch.setattr(history, "append", _APPEND)
        for name, value in stack.environment.items():
            patch.setenv(name, value)
        settings.cache_clear()
        yield World(Api(stack.firestore, stack.documents))
