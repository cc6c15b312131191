"""Small questions to BigQuery."""

from __future__ import annotations

from typing import Any

from fulcrum.core import ids
from shared.clients import bigquery

SECONDS = 300.0


async def asked(sql: str, parameters: Any, max_bytes: int) -> list[list[str | None]]:
    """All rows of a small answer. Rejected or Transient as of :mod:`shared.clients.bigquery`."""
    job = await bigquery.start(sql, parameters, f"fulcrum_{ids.new_id()}", max_bytes, SECONDS)
    return (await bigquery.page(job, 10_000, SECONDS)).rows
