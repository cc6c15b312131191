"""The API with a history and a log to read: embedded BigQuery, and the stand-in of Cloud Logging."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared import script_runs
from shared.clients import history as history_client
from shared.config import settings
from tests.support.api import CLOUD_PROJECT, Api
from tests.support.emulators import Address, embedded
from tests.support.history import History, embedded_history, history_environment

_append_runs = history_client.append_runs


@dataclass
class Log:
    """The log that is read, and the stand-in that serves it."""

    path: Path
    address: Address

    def write(self, at: int, service: str, message: str, severity: str = "INFO", **fields: Any) -> None:
        """A line at an instant, epoch ms."""
        time = datetime.fromtimestamp(at / 1000, UTC).isoformat()
        head = {"severity": severity, "time": time, "message": message, "service": service}
        with self.path.open("a") as file:
            file.write(json.dumps(head | fields) + "\n")

    def faults(self, *rules: dict[str, Any]) -> None:
        """Let it fail; no rules: let it work again."""
        httpx.post(f"{self.address.http}/faults", json={"rules": rules}).raise_for_status()

    def calls(self) -> int:
        """How often it was asked since the last time."""
        counts = httpx.get(f"{self.address.http}/calls").json()
        httpx.delete(f"{self.address.http}/calls").raise_for_status()
        return int(counts.get("ListLogEntries", 0))


@pytest.fixture(scope="module")
def module_history() -> Iterator[History]:
    with embedded_history() as made:
        yield made


@pytest.fixture
def history(api: Api, module_history: History) -> Iterator[History]:
    with history_environment(module_history.address):
        yield module_history
        module_history.faults()


@pytest.fixture(scope="module")
def module_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    with embedded("logging", "--log", str(path), env={"GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT}) as address:
        yield Log(path, address)


@pytest.fixture
def log(history: History, module_log: Log, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setenv("FULCRUM_LOGGING_ENDPOINT", module_log.address.http)
    settings.cache_clear()
    yield module_log
    module_log.faults()
    module_log.calls()


def append_runs(*rows: dict[str, Any]) -> None:
    """Rows of runs, as reason appends them."""

    async def append() -> dict[int, str]:
        try:
            return await _append_runs(script_runs.encode(rows))
        finally:
            await history_client.close()

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(lambda: asyncio.run(append())).result() == {}
