"""AppendRows on the default stream, by the official clients."""

from __future__ import annotations

import time

from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

from tests.integration.bigquery.conftest import events_table
from tests.integration.bigquery.proto import EVENT, EVENT_FIELDS, request


def now_us() -> int:
    return time.time_ns() // 1000


def test_rows_of_several_appends_on_one_stream_are_read_at_once(
    client: bigquery.Client, writer: BigQueryWriteClient
) -> None:
    events_table(client)
    start = now_us()
    rows = [EVENT(id=f"e{i}", time=start + i, device="d", data=f'{{"t": {i}}}', n=i) for i in range(10)]
    answers = list(writer.append_rows(iter([request(rows[:5], EVENT_FIELDS), request(rows[5:])])))
    assert [bool(answer.row_errors) or answer.error.code for answer in answers] == [0, 0]
    found = client.query_and_wait(
        "SELECT id, LAX_INT64(data.t) AS t FROM history.events WHERE time >= @since ORDER BY time",
        job_config=bigquery.QueryJobConfig(
            query_parameters=[bigquery.ScalarQueryParameter("since", "TIMESTAMP", "2020-01-01T00:00:00Z")]
        ),
    )
    assert [tuple(row) for row in found] == [(f"e{i}", i) for i in range(10)]
