"""Publishing with Google's own client: done when Pub/Sub has confirmed, and not before."""

from __future__ import annotations

import asyncio
from typing import Any

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import pubsub_v1

# How long the client tries by itself. A tracker sends again sooner or later, so it need not try for ever.
_SECONDS = 20.0


class Unconfirmed(Exception):
    """Pub/Sub has not said that it has the message. It may have it all the same."""


class Publisher:
    """Publishes to one topic. ``project`` is Google's; ``PUBSUB_EMULATOR_HOST`` leads to an emulator."""

    def __init__(self, project: str, topic: str, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._client: Any = pubsub_v1.PublisherClient(
            # What comes within 20 ms goes together.
            batch_settings=pubsub_v1.types.BatchSettings(
                max_messages=500, max_bytes=1_000_000, max_latency=0.02
            ),
            publisher_options=pubsub_v1.types.PublisherOptions(
                retry=Retry(initial=0.1, multiplier=2.0, maximum=2.0, timeout=seconds), timeout=seconds
            ),
        )
        self._topic = self._client.topic_path(project, topic)

    async def publish(self, data: bytes, attributes: dict[str, str]) -> None:
        """Return when Pub/Sub has it; Unconfirmed where it has not said so in time."""
        confirmed = asyncio.wrap_future(self._client.publish(self._topic, data, **attributes))
        try:
            async with asyncio.timeout(self._seconds + 1):
                await confirmed
        except (GoogleAPICallError, RetryError, GoogleAuthError, TimeoutError) as error:
            raise Unconfirmed(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Send what is left, and end."""
        await asyncio.to_thread(self._client.stop)
        self._client.transport.close()
