"""SQL of the history: the table and the table functions that people read through. ONE place for each name."""

from __future__ import annotations

from shared.history import CLUSTERING, PARTITIONING, TABLE, schema


def create_table(dataset: str) -> str:
    """DDL of the table, for a store that has none yet."""
    columns = []
    for column in schema():
        kind = column["type"]
        if column["mode"] == "REPEATED":
            kind = f"ARRAY<{kind}>"
        elif column["mode"] == "REQUIRED":
            kind += " NOT NULL"
        columns.append(f"  {column['name']} {kind}")
    return (
        f"CREATE TABLE IF NOT EXISTS `{dataset}.{TABLE}` (\n"
        + ",\n".join(columns)
        + f"\n)\nPARTITION BY TIMESTAMP_TRUNC({PARTITIONING['field']}, {PARTITIONING['type']})\n"
        + f"CLUSTER BY {', '.join(CLUSTERING)}\n"
        + "OPTIONS (require_partition_filter = TRUE)"
    )


# What makes two rows the same: the event's identity, and which of its rows it is. Each script of a series
# that replaces an event leaves an ``input`` row of its own.
IDENTITY = ("device_id", "event_id", "content_hash", "kind", "record_id", "script_id")

_FIRST = f"ROW_NUMBER() OVER (PARTITION BY {', '.join(IDENTITY)} ORDER BY stored_time, message_id) = 1"


def distinct_rows(dataset: str, condition: str, columns: str = "*") -> str:
    """Rows that meet a condition of ours, without repeats.

    The condition filters project and time, and repeats are dropped in the same subquery, so that partitions
    are pruned.
    """
    table = f"`{dataset}.{TABLE}`"
    return f"SELECT {columns} FROM {table} WHERE {condition} QUALIFY {_FIRST}"  # noqa: S608 all our own text


def acknowledged(dataset: str, records: str, condition: str) -> str:
    """Event records, by their query, each with its first acknowledgement that meets a condition of ours.

    ``ack_time``, ``ack_user_id`` and ``ack_data`` are NULL where there is none.
    """
    acks = (
        f"SELECT device_id, record_id, time, user_id, data FROM `{dataset}.{TABLE}` "  # noqa: S608 our own text
        f"WHERE {condition} AND kind = 'ack' "
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY device_id, record_id ORDER BY time, content_hash) = 1"
    )
    columns = "r.*, a.time AS ack_time, a.user_id AS ack_user_id, a.data AS ack_data"
    joined = f"FROM ({records}) AS r LEFT JOIN ({acks}) AS a"
    return f"SELECT {columns} {joined} ON a.device_id = r.device_id AND a.record_id = r.record_id"


_WITHIN = "project_id = project AND time >= since AND time < until"


def events_query(dataset: str) -> str:
    """Body of ``events(project, since, until)``: data rows of one project without repeats."""
    return distinct_rows(dataset, f"{_WITHIN} AND kind = 'data'")


def records_query(dataset: str) -> str:
    """Body of ``event_records(project, since, until)``: event records, each with its first acknowledgement.

    An acknowledgement never comes before its event, but it may come after ``until``.
    """
    records = distinct_rows(dataset, f"{_WITHIN} AND kind = 'event'")
    return acknowledged(dataset, records, "project_id = project AND time >= since")


_PARAMETERS = "project STRING, since TIMESTAMP, until TIMESTAMP"


def create_functions(dataset: str) -> list[str]:
    """DDL of the table functions that people read through."""
    return [
        f"CREATE OR REPLACE TABLE FUNCTION `{dataset}.{name}`({_PARAMETERS}) AS\n{body}"
        for name, body in (
            ("events", events_query(dataset)),
            ("event_records", records_query(dataset)),
        )
    ]
