"""How old or new a streamed row of a time-partitioned table may be.

BigQuery takes streamed rows (``insertAll`` and the Storage Write API alike) into partitions between
five years in the past and one year in the future; the message names 1825 and 366 days:
https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery (streaming into partitioned tables)
and, for the words of the message, https://github.com/mozilla/gcp-ingestion/pull/2721.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulators.bigquery.tables import Table

PAST_DAYS = 1825
FUTURE_DAYS = 366
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Bounds:
    """The first and last carried value of the partition column that is taken; ``index`` is its place."""

    index: int
    low: int
    high: int
    unit: int
    table: Table

    def refusal(self, value: int | None) -> str | None:
        """Why a value is refused, None if it is taken."""
        if value is None or self.low <= value <= self.high:
            return None
        column = self.table.columns[self.index].name
        return (
            f"Value {value * self.unit} for partition column {column} of the destination table "
            f"{self.table.spoken} is outside the allowed bounds. You can only stream to partitions of date "
            f"range within {PAST_DAYS} days in the past and {FUTURE_DAYS} days in the future relative to "
            "the current date."
        )


def bounds(table: Table, now_us: int) -> Bounds | None:
    """The bounds for a table at an instant, None if it is not partitioned."""
    if table.partitioning is None:
        return None
    index = [column.name for column in table.columns].index(table.partitioning.column)
    today = now_us // _DAY_US
    low, high = today - PAST_DAYS, today + FUTURE_DAYS
    if table.columns[index].type == "DATE":
        return Bounds(index, low, high, _DAY_US, table)
    return Bounds(index, low * _DAY_US, (high + 1) * _DAY_US - 1, 1, table)
