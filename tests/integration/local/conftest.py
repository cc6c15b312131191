"""A stack of small functions, shared by the tests of a module."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack

SERVICES = Path(__file__).parents[2] / "support" / "stack_functions" / "services.yaml"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack"), services=SERVICES) as running:
        yield running


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with its body as JSON."""

    status: int
    headers: dict[str, str]
    body: Any


def ask(url: str, data: bytes | None = None, method: str | None = None, **headers: str) -> Answer:
    """One request; keyword arguments are headers, ``_`` for ``-``."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    request = urllib.request.Request(url, data, named, method=method)  # noqa: S310 loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 loopback
            return Answer(answer.status, dict(answer.headers), json.loads(answer.read() or "null"))
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), json.loads(error.read() or "null"))


def publish(stack: Stack, topic: str, job: dict[str, Any]) -> None:
    """Publish a job through Google's client."""
    import grpc
    from google.pubsub_v1.services.publisher import PublisherClient
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    with grpc.insecure_channel(stack.env()["PUBSUB_EMULATOR_HOST"]) as channel:
        client = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        message = {"data": json.dumps(job).encode()}
        client.publish(topic=f"projects/{stack.project}/topics/{topic}", messages=[message])


def eventually(true: Callable[[], Any], what: str, seconds: float = 30.0) -> None:
    """Poll until ``true()`` holds."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
