"""The runs of scripts: one table, ``script_runs``, a row a run, and how an outcome becomes one.

``script_runs_schema.json`` beside this file is the table's one definition. Rows are appended at least once:
of rows with one ``run_key`` the latest stored counts.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

TABLE = "script_runs"
PARTITIONING = {"type": "DAY", "field": "started", "require_partition_filter": True}
CLUSTERING = ("project_id", "script_id", "device_id")


@cache
def schema() -> list[dict[str, str]]:
    """The columns of the table, as BigQuery's JSON schema."""
    text = Path(__file__).with_name("script_runs_schema.json").read_bytes()
    return msgspec.json.decode(text, type=list[dict[str, str]])
