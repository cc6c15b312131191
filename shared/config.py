"""The only reader of the process environment.

Nothing is read at import: the first call of :func:`settings` reads the environment once, so that a
test may set variables first (and call ``settings.cache_clear()`` after changing them).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """Where this process runs and whom it talks to. An empty endpoint means Google's own."""

    cloud_project: str
    service: str
    pubsub_emulator: str
    firestore_emulator: str
    bigquery_emulator: str
    bigquery_storage_endpoint: str
    bigquery_dataset: str
    logging_endpoint: str
    tasks_endpoint: str
    scheduler_endpoint: str
    twilio_endpoint: str
    location: str
    # Of Cloud Functions, and of Cloud Run for who may call them.
    functions_endpoint: str
    clock_file: str
    log_format: str
    values: Mapping[str, str]

    def text(self, name: str, default: str) -> str:
        """A service's own setting ``FULCRUM_<NAME>``, as declared in ``functions/services.yaml``."""
        return self.values.get(name, default)

    def number(self, name: str, default: float) -> float:
        """A numeric setting of a service; a value that is no number stops the service with its name."""
        text = self.values.get(name)
        if text is None:
            return default
        try:
            return float(text)
        except ValueError:
            raise ValueError(
                f"FULCRUM_{name} is {text!r}: set it to a number in functions/services.yaml"
            ) from None


@cache
def settings() -> Settings:
    """The settings of this process, read from the environment at the first call."""
    return from_environment(os.environ)


def from_environment(env: Mapping[str, str]) -> Settings:
    """Build :class:`Settings` from variables; the standard names of Google's clients where they exist."""
    prefix = "FULCRUM_"
    return Settings(
        cloud_project=env.get("GOOGLE_CLOUD_PROJECT", "fulcrum-local"),
        service=env.get("K_SERVICE", "local"),
        pubsub_emulator=env.get("PUBSUB_EMULATOR_HOST", ""),
        firestore_emulator=env.get("FIRESTORE_EMULATOR_HOST", ""),
        bigquery_emulator=env.get("BIGQUERY_EMULATOR_HOST", ""),
        bigquery_storage_endpoint=env.get("FULCRUM_BIGQUERY_STORAGE_ENDPOINT", ""),
        bigquery_dataset=env.get("FULCRUM_BIGQUERY_DATASET", "history"),
        logging_endpoint=env.get("FULCRUM_LOGGING_ENDPOINT", ""),
        tasks_endpoint=env.get("FULCRUM_TASKS_ENDPOINT", ""),
        scheduler_endpoint=env.get("FULCRUM_SCHEDULER_ENDPOINT", ""),
        twilio_endpoint=env.get("FULCRUM_TWILIO_ENDPOINT", ""),
        location=env.get("FULCRUM_LOCATION", "europe-west1"),
        functions_endpoint=env.get("FULCRUM_FUNCTIONS_ENDPOINT", ""),
        clock_file=env.get("FULCRUM_CLOCK_FILE", ""),
        log_format=env.get("FULCRUM_LOG_FORMAT", "json"),
        # A secret that was put into a file by echo ends in a line break that is no part of it.
        values={k[len(prefix) :]: v.strip() for k, v in env.items() if k.startswith(prefix)},
    )
