"""The official clients, pointed at one emulator for all tests of this folder."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport

from tests.support.emulators import Address, embedded

PROJECT = "test"


def control(address: Address, method: str, path: str, body: Any = None) -> Any:
    """Call a control route."""
    connection = http.client.HTTPConnection(address.http.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def rest_client(address: Address) -> bigquery.Client:
    """The high-level client of an emulator."""
    return bigquery.Client(
        project=PROJECT,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": address.http},
    )


def write_client(address: Address) -> tuple[BigQueryWriteClient, grpc.Channel]:
    """The gapic client of the Storage Write API and its channel, which the caller closes."""
    channel = grpc.insecure_channel(address.grpc)
    return BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=channel)), channel


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[Address]:
    with embedded("bigquery") as address:
        yield address


@pytest.fixture
def emulator(shared_emulator: Address) -> Address:
    control(shared_emulator, "POST", "/reset")
    return shared_emulator


@pytest.fixture
def client(emulator: Address) -> Iterator[bigquery.Client]:
    with rest_client(emulator) as made:
        yield made


@pytest.fixture
def writer(emulator: Address) -> Iterator[BigQueryWriteClient]:
    made, channel = write_client(emulator)
    yield made
    channel.close()


@pytest.fixture
def calls(emulator: Address) -> Callable[[], dict[str, int]]:
    """The counts of calls since the test began."""
    return lambda: dict(control(emulator, "GET", "/calls"))


def events_table(client: bigquery.Client, require_filter: bool = True) -> bigquery.Table:
    """The table that most tests use: like the platform's history, smaller."""
    client.create_dataset("history", exists_ok=True)
    table = bigquery.Table(
        f"{PROJECT}.history.events",
        schema=[
            bigquery.SchemaField("id", "STRING", mode="REQUIRED"),
            bigquery.SchemaField("time", "TIMESTAMP", mode="REQUIRED"),
            bigquery.SchemaField("device", "STRING"),
            bigquery.SchemaField("data", "JSON"),
            bigquery.SchemaField("n", "INTEGER"),
            bigquery.SchemaField("f", "FLOAT"),
            bigquery.SchemaField("tags", "STRING", mode="REPEATED"),
        ],
    )
    table.time_partitioning = bigquery.TimePartitioning(field="time")
    table.require_partition_filter = require_filter
    table.clustering_fields = ["device"]
    return client.create_table(table)
