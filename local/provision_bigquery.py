"""The history's dataset, table and table functions, through Google's client."""

from __future__ import annotations

from typing import Any

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from shared import device_rows, history, history_sql, script_runs
from shared.config import settings


def provision(project: str, emulator: str) -> None:
    """Make what is missing; ``emulator`` is its URL. The definition is the one that Terraform reads."""
    client = bigquery.Client(
        project=project,
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=emulator),
    )
    dataset = settings().bigquery_dataset
    client.create_dataset(dataset, exists_ok=True)
    for table in tables(f"{project}.{dataset}"):
        client.create_table(table, exists_ok=True)
    for statement in history_sql.create_functions(dataset):
        client.query(statement).result()
    client.close()


def tables(dataset: str) -> list[bigquery.Table]:
    """The tables of the history as they are to be, in a dataset (``project.dataset``)."""
    return [
        _table(f"{dataset}.{history.TABLE}", history.schema(), history.PARTITIONING, history.CLUSTERING),
        _table(
            f"{dataset}.{device_rows.SNAPSHOTS}",
            device_rows.snapshots_schema(),
            device_rows.PARTITIONING,
            device_rows.CLUSTERING,
        ),
        _table(
            f"{dataset}.{script_runs.TABLE}",
            script_runs.schema(),
            script_runs.PARTITIONING,
            script_runs.CLUSTERING,
        ),
    ]


def _table(
    name: str, schema: list[dict[str, str]], partitioning: dict[str, Any], clustering: tuple[str, ...]
) -> bigquery.Table:
    table = bigquery.Table(name, schema=[bigquery.SchemaField.from_api_repr(column) for column in schema])
    table.time_partitioning = bigquery.TimePartitioning(
        type_=partitioning["type"], field=partitioning["field"]
    )
    table.require_partition_filter = partitioning["require_partition_filter"]
    table.clustering_fields = list(clustering)
    return table
