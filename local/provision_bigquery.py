"""The history's dataset, table and table functions, through Google's client."""

from __future__ import annotations

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from shared import history_sql
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
    for statement in (history_sql.create_table(dataset), *history_sql.create_functions(dataset)):
        client.query(statement).result()
    client.close()
