"""A history to ask: the embedded BigQuery with the platform's tables, rows as the platform writes them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from fulcrum.core import fold, ids
from local.provision_bigquery import provision
from shared import clock, history
from shared.clients import bigquery
from shared.clients import history as history_client
from shared.config import settings
from shared.history_query import Model, Scope, checked, compiled, item
from shared.messages import DeviceDataEvent, DeviceEventAck, EventRecord, Write
from tests.support.emulators import Address, embedded

# The real one, also where a test of the API keeps what the API appends.
_append = history_client.append
# The day before: BigQuery takes rows of the last five years alone.
DAY = clock.now_ms() // 86_400_000 * 86_400_000 - 86_400_000


def at(clock_time: str) -> int:
    """An instant of that day, epoch ms: ``16:14:01.483``."""
    time = datetime.strptime(clock_time, "%H:%M:%S.%f").replace(tzinfo=UTC)
    return DAY + round((time - datetime(1900, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def event(project: str, time: int, data: dict[str, Any] | None = None, **changes: Any) -> DeviceDataEvent:
    """An event of device ``d1`` in system ``s1``; ``data`` are paths and values, or give ``writes``."""
    event_id = changes.pop("id", None) or ids.new_id()
    fields: dict[str, Any] = {
        "id": event_id,
        "hash": f"h-{event_id}",
        "time": time,
        "received_time": time,
        "project_id": project,
        "device_id": "d1",
        "system_id": "s1",
        "blueprint_id": "b1",
        "data": changes.pop("writes", None) or [Write(path, value) for path, value in (data or {}).items()],
    }
    return DeviceDataEvent(**{**fields, **changes})


def alarm(project: str, time: int, record_id: str, data: Any = None, **changes: Any) -> DeviceDataEvent:
    """An event with one record of the type ``alarm``."""
    return event(project, time, event=[EventRecord("alarm", time, record_id, data)], **changes)


def rows_of(events: Sequence[DeviceDataEvent | DeviceEventAck], message_id: str = "m") -> list[history.Row]:
    """The rows that events give to the history."""
    made: list[history.Row] = []
    for one in events:
        if isinstance(one, DeviceEventAck):
            made.append(history.ack_row(one, one.time, message_id))
        else:
            made += history.data_rows(one, fold.settle(one.data), one.time, message_id)
    return made


@dataclass
class History:
    """The emulator, and what a test does with it."""

    address: Address

    def write(self, *events: DeviceDataEvent | DeviceEventAck) -> None:
        """Append the rows of events, as the transponder does."""
        self.append(rows_of(events))

    def append(self, rows: Sequence[history.Row]) -> None:
        """Append rows."""

        async def append() -> dict[int, str]:
            try:
                return await _append(history.encode_all(rows))
            finally:
                await history_client.close()

        # A loop of its own, whether or not the test has one.
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(lambda: asyncio.run(append())).result() == {}

    def faults(self, *rules: dict[str, Any]) -> None:
        """Let the emulator fail; no rules: let it work again."""
        httpx.post(f"{self.address.http}/faults", json={"rules": rules}).raise_for_status()

    def calls(self) -> dict[str, int]:
        """How often each method was called since :meth:`forget_calls`."""
        answer: dict[str, int] = httpx.get(f"{self.address.http}/calls").json()
        return answer

    def forget_calls(self) -> None:
        """Count calls from now on."""
        httpx.delete(f"{self.address.http}/calls").raise_for_status()

    async def ask(
        self, project: str, body: dict[str, Any], model: Model = "history", **scope: Any
    ) -> list[dict[str, Any]]:
        """The items of a query of a whole day, by the compiler and the client."""
        query = checked({"start": DAY, "end": DAY + 86_400_000, **body}, DAY)
        made = compiled(query, model, Scope(project, **scope), settings().bigquery_dataset)
        job = await bigquery.start(made.sql, made.parameters, f"test_{ids.new_id()}", 2**40, 30)
        return [
            item(made.outputs, cells)
            for page in [await bigquery.page(job, 10_000, 30)]
            for cells in page.rows
        ]


@contextmanager
def embedded_history() -> Iterator[History]:
    """A BigQuery of its own, with the tables, and this process pointed at it."""
    with embedded("bigquery") as address, history_environment(address):
        provision(settings().cloud_project, address.http)
        yield History(address)


@contextmanager
def history_environment(address: Address) -> Iterator[None]:
    """What a process that asks and writes the history has in its environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", address.http)
        patch.setenv("FULCRUM_BIGQUERY_STORAGE_ENDPOINT", address.grpc)
        patch.setenv("GOOGLE_CLOUD_PROJECT", "fulcrum-local")
        settings.cache_clear()
        yield
    settings.cache_clear()
