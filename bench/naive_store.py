"""The table that the naive pipeline inserts into."""

from __future__ import annotations

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from bench.names import CLOUD_PROJECT, NAIVE_TABLE

_COLUMNS = (
    bigquery.SchemaField("device_id", "STRING", "REQUIRED"),
    bigquery.SchemaField("event_id", "STRING", "REQUIRED"),
    bigquery.SchemaField("time", "TIMESTAMP", "REQUIRED"),
    bigquery.SchemaField("data", "JSON"),
)


def create_table(bigquery_url: str) -> None:
    """Make the data set and the table in the emulator at ``bigquery_url``, through Google's client."""
    client = bigquery.Client(
        project=CLOUD_PROJECT,
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=bigquery_url),
    )
    dataset, _, _ = NAIVE_TABLE.rpartition(".")
    client.create_dataset(dataset)
    client.create_table(bigquery.Table(NAIVE_TABLE, schema=_COLUMNS))
    client.close()
