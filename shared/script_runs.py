"""The runs of scripts: one table, ``script_runs``, a row a run, and how an outcome becomes one.

``script_runs_schema.json`` beside this file is the table's one definition. Rows are appended at least once:
of rows with one ``run_key`` the latest stored counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from shared.history import Row

TABLE = "script_runs"
PARTITIONING = {"type": "DAY", "field": "started", "require_partition_filter": True}
CLUSTERING = ("project_id", "script_id", "device_id")


@cache
def schema() -> list[dict[str, str]]:
    """The columns of the table, as BigQuery's JSON schema."""
    text = Path(__file__).with_name("script_runs_schema.json").read_bytes()
    return msgspec.json.decode(text, type=list[dict[str, str]])


@cache
def _row_class() -> Any:
    from shared import history_wire

    return history_wire.row_class(schema())


def encode(rows: Sequence[Row]) -> list[bytes]:
    """Rows as the Storage Write API takes them."""
    message = _row_class()
    return [message(**row).SerializeToString() for row in rows]


def writer_schema() -> bytes:
    """The serialized ``ProtoSchema`` that describes the rows of :func:`encode`."""
    from shared import history_wire

    return history_wire.writer_schema(schema())
