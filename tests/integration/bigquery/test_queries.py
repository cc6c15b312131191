"""Jobs: partition filters, bytes, DML, the streaming buffer, errors and retries."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

from tests.integration.bigquery.conftest import control, events_table
from tests.integration.bigquery.proto import EVENT, EVENT_FIELDS, request
from tests.support.emulators import Address

DAY_US = 86_400_000_000


def write(writer: BigQueryWriteClient, *rows: dict[str, Any]) -> None:
    now = time.time_ns() // 1000
    made = [EVENT(**{"time": now, **item}) for item in rows]
    (answer,) = writer.append_rows(iter([request(made, EVENT_FIELDS)]))
    assert not answer.error.code, answer


def days_ago(days: int) -> int:
    return time.time_ns() // 1000 - days * DAY_US


@pytest.mark.parametrize(
    "where",
    [
        "",
        "WHERE n > 1",
        "WHERE time > '2024-01-01' OR n > 1",
        "WHERE time > (SELECT TIMESTAMP '2024-01-01')",
        "WHERE time = time",
        "WHERE time IS NOT NULL",
        "WHERE TIMESTAMP_MILLIS(n) > '2024-01-01'",
        "WHERE NOT (time > '2024-01-01')",
    ],
)
def test_a_scan_without_a_filter_on_the_partitions_is_refused(client: bigquery.Client, where: str) -> None:
    events_table(client)
    message = (
        r"Cannot query over table 'test.history.events' without a filter over column\(s\) 'time' that can"
    )
    with pytest.raises(BadRequest, match=message):
        client.query_and_wait(f"SELECT COUNT(*) FROM history.events {where}")


def test_the_filter_must_be_where_the_table_is_read(client: bigquery.Client) -> None:
    events_table(client)
    for sql in (
        "SELECT * FROM (SELECT * FROM history.events) WHERE time > '2024-01-01'",
        "SELECT a.id FROM history.events AS a JOIN history.events AS b ON a.id = b.id "
        "WHERE a.time > '2024-01-01'",
        "SELECT x FROM UNNEST([1]) AS x WHERE EXISTS(SELECT 1 FROM history.events)",
        "DELETE FROM history.events WHERE id = 'a'",
        "UPDATE history.events SET n = 1 WHERE id = 'a'",
    ):
        with pytest.raises(BadRequest, match="without a filter over column"):
            client.query_and_wait(sql)


@pytest.mark.parametrize(
    "where",
    [
        "time >= '2024-01-01'",
        "'2024-01-01' <= time",
        "time BETWEEN '2024-01-01' AND CURRENT_TIMESTAMP()",
        "time > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 7 DAY)",
        "DATE(time) = CURRENT_DATE()",
        "TIMESTAMP_TRUNC(time, DAY) = TIMESTAMP_TRUNC(CURRENT_TIMESTAMP(), DAY)",
        "(time > '2024-01-01' AND id = 'a') OR (time > '2025-01-01' AND id = 'b')",
        "events.time > '2024-01-01' AND n IS NULL",
    ],
)
def test_a_filter_that_prunes_is_enough(
    client: bigquery.Client, writer: BigQueryWriteClient, where: str
) -> None:
    events_table(client)
    write(writer, {"id": "a"}, {"id": "old", "time": days_ago(1500)})
    found = client.query_and_wait(f"SELECT id FROM history.events WHERE {where}")
    assert [row.id for row in found] == ["a"]


def test_a_dry_run_tells_the_bytes_of_the_partitions_and_columns_read(
    client: bigquery.Client, writer: BigQueryWriteClient
) -> None:
    events_table(client)
    write(writer, *[{"id": "abcd", "n": 1, "time": days_ago(day)} for day in range(5)])
    config = bigquery.QueryJobConfig(dry_run=True)

    def processed(columns: str, days: int) -> Any:
        sql = (
            f"SELECT {columns} FROM history.events WHERE time > "
            f"TIMESTAMP_SUB(TIMESTAMP_TRUNC(CURRENT_TIMESTAMP(), DAY), INTERVAL {days} DAY)"
        )
        return client.query(sql, job_config=config).total_bytes_processed

    # A STRING of four letters is 6 bytes, INT64 and the TIMESTAMP of the filter are 8 each.
    assert processed("id", 0) == 6 + 8
    assert processed("id, n", 0) == 6 + 8 + 8
    assert processed("id", 2) == 3 * (6 + 8)
    assert processed("id", 100) == 5 * (6 + 8)
    with pytest.raises(BadRequest, match="Unrecognized name"):
        client.query("SELECT nothing FROM history.events WHERE time > '2024-01-01'", job_config=config)


def test_maximum_bytes_billed_is_kept(client: bigquery.Client, writer: BigQueryWriteClient) -> None:
    events_table(client)
    write(writer, {"id": "a"})
    sql = "SELECT id FROM history.events WHERE time > '2024-01-01'"
    tight = bigquery.QueryJobConfig(maximum_bytes_billed=10 * 1024 * 1024 - 1)
    with pytest.raises(BadRequest, match=r"exceeded limit for bytes billed: 10485759\. 10485760 or higher"):
        client.query_and_wait(sql, job_config=tight)
    wide = bigquery.QueryJobConfig(maximum_bytes_billed=10 * 1024 * 1024)
    assert len(list(client.query_and_wait(sql, job_config=wide))) == 1


def test_dml_counts_what_it_changes(client: bigquery.Client) -> None:
    events_table(client, require_filter=False)

    def run(sql: str) -> Any:
        job = client.query(sql)
        job.result()
        return job.num_dml_affected_rows

    def rows() -> list[tuple[Any, ...]]:
        return [
            tuple(r) for r in client.query_and_wait("SELECT id, n, device FROM history.events ORDER BY id")
        ]

    assert (
        run(
            "INSERT INTO history.events (id, time, n, data) VALUES "
            "('a', '2024-01-01', 1, JSON '{\"x\": 1}'), ('b', CURRENT_TIMESTAMP(), 2, NULL)"
        )
        == 2
    )
    assert run("INSERT history.events (id, time, f) SELECT 'c', TIMESTAMP '2001-01-01', 3") == 1
    assert run("UPDATE history.events SET n = n + 10, device = 'd' WHERE id IN ('a', 'b')") == 2
    assert rows() == [("a", 11, "d"), ("b", 12, "d"), ("c", None, None)]
    assert run("UPDATE history.events e SET n = s.n FROM (SELECT 'c' AS id, 7 AS n) s WHERE e.id = s.id") == 1
    assert run("DELETE FROM history.events WHERE n = 12") == 1
    assert rows() == [("a", 11, "d"), ("c", 7, None)]
    merge = (
        "MERGE history.events AS t USING (SELECT 'a' AS id, 1 AS n UNION ALL SELECT 'z', 26) AS s "
        "ON t.id = s.id "
        "WHEN MATCHED AND s.n = 1 THEN UPDATE SET n = s.n "
        "WHEN NOT MATCHED THEN INSERT (id, time, n) VALUES (s.id, CURRENT_TIMESTAMP(), s.n)"
    )
    assert run(merge) == 2
    assert rows() == [("a", 1, "d"), ("c", 7, None), ("z", 26, None)]
    assert run("DELETE FROM history.events WHERE TRUE") == 3


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("INSERT INTO history.events (id) VALUES ('a')", "Required field time cannot be null"),
        (
            "INSERT INTO history.events (id, time) VALUES (NULL, '2024-01-01')",
            "Required field id cannot be null",
        ),
        (
            "INSERT INTO history.events (id, time) SELECT NULLIF('a', 'a'), CURRENT_TIMESTAMP()",
            r"(?i)not null|required",
        ),
        (
            "INSERT INTO history.events (id, time, n) VALUES ('a', '2024-01-01', 'x')",
            "type STRING cannot be assigned",
        ),
        (
            "INSERT INTO history.events (id, time, data) VALUES ('a', '2024-01-01', '{}')",
            "cannot be assigned to data",
        ),
        ("INSERT INTO history.events (id, nope) VALUES ('a', 1)", "Column nope is not present"),
        ("INSERT INTO history.events (id, time) VALUES ('a')", "wrong column count"),
        ("UPDATE history.events SET n = 1", "must have a WHERE clause"),
        ("DELETE FROM history.events", "must have a WHERE clause"),
        ("UPDATE history.events SET n = 'a' WHERE TRUE", "cannot be assigned to n"),
        ("TRUNCATE TABLE history.events", "."),
    ],
)
def test_bad_dml_is_refused(client: bigquery.Client, sql: str, message: str) -> None:
    events_table(client, require_filter=False)
    with pytest.raises(BadRequest, match=message):
        client.query_and_wait(sql)


def test_dml_spares_the_streaming_buffer_of_insert_all_but_not_of_the_write_api(
    client: bigquery.Client, writer: BigQueryWriteClient
) -> None:
    table = events_table(client)
    client.insert_rows_json(table, [{"id": "streamed", "time": datetime.now(UTC).isoformat()}])
    write(writer, {"id": "appended"})
    with pytest.raises(BadRequest, match="would affect rows in the streaming buffer, which is not supported"):
        client.query_and_wait("DELETE FROM history.events WHERE time > '2024-01-01'")
    job = client.query("DELETE FROM history.events WHERE time > '2024-01-01' AND id = 'appended'")
    job.result()
    assert job.num_dml_affected_rows == 1


def test_partitions_expire(client: bigquery.Client, writer: BigQueryWriteClient) -> None:
    table = events_table(client)
    write(writer, {"id": "new"}, {"id": "old", "time": days_ago(3)})
    assert table.time_partitioning is not None
    partitioning = table.time_partitioning
    partitioning.expiration_ms = 2 * 86_400_000
    table.time_partitioning = partitioning
    client.update_table(table, ["time_partitioning"])
    found = client.query_and_wait("SELECT id FROM history.events WHERE time > '2000-01-01'")
    assert [row.id for row in found] == ["new"]


def test_errors_have_the_clients_classes(client: bigquery.Client) -> None:
    with pytest.raises(NotFound, match="Not found: Dataset test:nowhere"):
        client.query_and_wait("SELECT * FROM nowhere.t")
    events_table(client)
    with pytest.raises(NotFound, match=r"Not found: Table test:history\.missing"):
        client.query("SELECT * FROM history.missing").result()
    job = client.query("SELECT LOWER(1)")
    with pytest.raises(BadRequest, match="No matching signature"):
        job.result()
    found = client.get_job(job.job_id)
    assert found.error_result["reason"] == "invalidQuery"
    assert client.cancel_job(job.job_id).state == "DONE"
    with pytest.raises(NotFound, match="Not found: Job"):
        client.get_job("nothing")


def test_default_dataset_and_full_names(client: bigquery.Client, writer: BigQueryWriteClient) -> None:
    events_table(client)
    write(writer, {"id": "a"})
    config = bigquery.QueryJobConfig(default_dataset="test.history")
    for name, with_default in (("events", True), ("history.events", False), ("`test.history.events`", False)):
        sql = f"SELECT id FROM {name} WHERE time > '2024-01-01'"
        found = client.query_and_wait(sql, job_config=config if with_default else None)
        assert [row.id for row in found] == ["a"]


@pytest.mark.parametrize("rule", [{"error_rate": 1.0}, {"drop_answer_rate": 1.0}])
def test_a_query_that_fails_on_the_way_is_tried_again_and_takes_effect_once(
    client: bigquery.Client,
    emulator: Address,
    calls: Callable[[], dict[str, int]],
    rule: dict[str, float],
) -> None:
    events_table(client, require_filter=False)
    sql = "INSERT INTO history.events (id, time) VALUES ('a', CURRENT_TIMESTAMP())"
    control(emulator, "POST", "/faults", {"rules": [{"method": "jobs.query", **rule}]})
    retry = bigquery.DEFAULT_RETRY.with_timeout(1.5).with_delay(0.05, 0.1)
    with pytest.raises(Exception, match="injected fault"):
        client.query_and_wait(sql, retry=retry, job_retry=None)
    assert calls()["jobs.query"] > 1
    control(emulator, "DELETE", "/faults")
    found = list(client.query_and_wait("SELECT id FROM history.events"))
    assert len(found) == (1 if "drop_answer_rate" in rule else 0)


def test_an_insert_job_whose_answer_is_lost_runs_once(client: bigquery.Client, emulator: Address) -> None:
    events_table(client, require_filter=False)
    sql = "INSERT INTO history.events (id, time) VALUES ('a', CURRENT_TIMESTAMP())"
    control(
        emulator,
        "POST",
        "/faults",
        {"rules": [{"method": "jobs.insert", "drop_answer_rate": 0.5}], "seed": 1},
    )
    for _ in range(5):
        client.query(sql, retry=bigquery.DEFAULT_RETRY.with_delay(0.02, 0.05)).result()
    control(emulator, "DELETE", "/faults")
    assert len(list(client.query_and_wait("SELECT id FROM history.events"))) == 5


def test_time_comparisons_are_utc(client: bigquery.Client, writer: BigQueryWriteClient) -> None:
    events_table(client)
    at = (
        datetime(2026, 1, 1, tzinfo=UTC)
        if datetime.now(UTC) < datetime(2030, 1, 1, tzinfo=UTC)
        else datetime.now(UTC)
    )
    write(writer, {"id": "a", "time": int(at.timestamp() * 1_000_000)})
    config = bigquery.QueryJobConfig(
        query_parameters=[
            bigquery.ScalarQueryParameter("t", "TIMESTAMP", at.astimezone(tz=None)),
            bigquery.ScalarQueryParameter("u", "TIMESTAMP", at + timedelta(microseconds=1)),
        ]
    )
    found = client.query_and_wait(
        "SELECT time FROM history.events WHERE time >= @t AND time < @u", job_config=config
    )
    assert [row.time for row in found] == [at]
