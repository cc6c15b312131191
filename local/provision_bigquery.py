"""The history's dataset, table and table functions, through Google's client."""

from __future__ import annotations

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from shared import history, history_sql
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
    client.create_table(_history_table(f"{project}.{dataset}.{history.TABLE}"), exists_ok=True)
    for statement in history_sql.create_functions(dataset):
        client.query(statement).result()
    client.close()


def _history_table(name: str) -> bigquery.Table:
    columns = [bigquery.SchemaField.from_api_repr(column) for column in history.schema()]
    table = bigquery.Table(name, schema=columns)
    table.time_partitioning = bigquery.TimePartitioning(
        type_=history.PARTITIONING["type"], field=history.PARTITIONING["field"]
    )
    table.require_partition_filter = history.PARTITIONING["require_partition_filter"]
    table.clustering_fields = list(history.CLUSTERING)
    return table
