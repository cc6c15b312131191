"""A BigQuery emulator with the platform's tables, filled and asked directly, for tests of searches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport

from fulcrum.core import fold, ids
from local.provision_bigquery import provision
from shared import device_rows, history
from shared.clients import bigquery
from shared.config import settings
from shared.history import Row
from shared.messages import Write
from shared.search.queries import Sql
from tests.support.emulators import Address, embedded

CLOUD_PROJECT = "fulcrum-local"
DATASET = "history"
_CHUNK = 5_000


class Warehouse:
    """Writes rows through the Storage Write API and runs queries through the platform's client."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._channel = grpc.insecure_channel(address.grpc)
        self._writer = BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=self._channel))

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def add_events(self, rows: Iterable[Row]) -> None:
        """Rows of ``device_events``."""
        self._append(history.TABLE, history.writer_schema(), history.encode_all(list(rows)))

    def add_snapshot(self, rows: Iterable[Row]) -> None:
        """Rows of ``device_snapshots``."""
        encoded = device_rows.encode(list(rows))
        self._append(device_rows.SNAPSHOTS, device_rows.writer_schema(), encoded)

    def _append(self, table: str, schema: bytes, rows: Sequence[bytes]) -> None:
        for start in range(0, len(rows), _CHUNK):
            request = types.AppendRowsRequest(
                write_stream=f"projects/{CLOUD_PROJECT}/datasets/{DATASET}/tables/{table}/streams/_default",
                proto_rows=types.AppendRowsRequest.ProtoData(
                    writer_schema=types.ProtoSchema.deserialize(schema),
                    rows=types.ProtoRows(serialized_rows=rows[start : start + _CHUNK]),
                ),
            )
            for answer in self._writer.append_rows(iter([request])):
                assert not answer.error.code, answer

    def run(self, sql: Sql) -> list[list[str | None]]:
        """The rows of a query."""

        async def ask() -> list[list[str | None]]:
            job = await bigquery.start(sql.text, sql.parameters, f"t_{ids.new_id()}", 10**12, 30)
            return [row async for page in bigquery.pages(job, 50_000, 30) for row in page.rows]

        return asyncio.run(ask())


@contextmanager
def warehouse(use: Callable[[Address], Any] | None = None) -> Iterator[Warehouse]:
    """A provisioned emulator, with the environment that leads to it."""
    with embedded("bigquery") as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", address.http)
        patch.setenv("FULCRUM_BIGQUERY_STORAGE_ENDPOINT", address.grpc)
        patch.setenv("GOOGLE_CLOUD_PROJECT", CLOUD_PROJECT)
        settings.cache_clear()
        provision(CLOUD_PROJECT, address.http)
        made = Warehouse(address)
        yield made
        made.close()
    settings.cache_clear()


def data_row(project_id: str, device_id: str, stamp: fold.Stamp, writes: Sequence[Write], **more: Any) -> Row:
    """The row that an event's writes leave in the history."""
    leaves, cleared = fold.settle(writes)
    row: Row = {
        "project_id": project_id,
        "device_id": device_id,
        "time": stamp[0] * 1000,
        "received_time": stamp[0] * 1000,
        "stored_time": stamp[0] * 1000,
        "event_id": stamp[1],
        "content_hash": "h",
        "kind": "data",
        "historical": False,
    }
    if leaves:
        row["data"] = history._json(fold.nest(leaves)).decode()
    if cleared:
        row["cleared"] = list(cleared)
    return row | more


def hours_ago(hours: float) -> int:
    """Epoch ms."""
    return int((time.time() - hours * 3600) * 1000)
