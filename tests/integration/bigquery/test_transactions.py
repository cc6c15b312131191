"""Multi-statement transactions, by the official client: all or nothing, with ASSERT."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.integration.bigquery.conftest import events_table


@pytest.fixture
def table(client: bigquery.Client) -> bigquery.Client:
    events_table(client, require_filter=False)
    client.query_and_wait(
        "INSERT INTO history.events (id, time, n) VALUES "
        "('a', '2024-01-01', 1), ('b', '2024-01-01 12:00:00', 2), ('c', '2024-01-02', 3)"
    )
    return client


def left(client: bigquery.Client) -> list[str]:
    """The ids that are in the table."""
    return [row[0] for row in client.query_and_wait("SELECT id FROM history.events ORDER BY id")]


def test_a_transaction_does_all_of_it_and_tells_no_counts(table: bigquery.Client) -> None:
    job = table.query(
        "BEGIN TRANSACTION;\n"
        "ASSERT NOT EXISTS(SELECT 1 FROM history.events WHERE n > @most) AS 'too; many';\n"
        "DELETE FROM history.events WHERE time < TIMESTAMP '2024-01-02';\n"
        "INSERT INTO history.events (id, time) VALUES ('d;', '2024-01-03');\n"
        "COMMIT TRANSACTION;",
        job_config=bigquery.QueryJobConfig(
            query_parameters=[bigquery.ScalarQueryParameter("most", "INT64", 5)]
        ),
    )
    job.result()
    assert (job.statement_type, job.num_dml_affected_rows) == ("SCRIPT", None)
    assert left(table) == ["c", "d;"]


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ("ASSERT (SELECT COUNT(*) FROM history.events) = 0 AS 'some are left'", "some are left"),
        ("ASSERT CAST(NULL AS BOOL)", "Assertion failed"),
        ("ASSERT 5", "should have type BOOL"),
        ("ASSERT", "needs an expression"),
        ("DELETE FROM history.events", "must have a WHERE clause"),
        ("INSERT INTO history.events (id) VALUES ('x')", "Required field time cannot be null"),
        ("DROP TABLE FUNCTION history.f", "."),
        ("BEGIN TRANSACTION", "inside of a transaction"),
        ("SELECT ERROR('stop')", "stop"),
    ],
)
def test_a_transaction_that_fails_changes_nothing(table: bigquery.Client, last: str, message: str) -> None:
    script = f"BEGIN TRANSACTION; DELETE FROM history.events WHERE id = 'a'; {last}; COMMIT TRANSACTION;"
    with pytest.raises(BadRequest, match=message):
        table.query_and_wait(script)
    assert left(table) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("BEGIN TRANSACTION; DELETE FROM history.events WHERE id = 'a'", "does not end with COMMIT"),
        ("BEGIN DELETE FROM history.events WHERE id = 'a'; END", "begins otherwise"),
        ("ASSERT TRUE; SELECT 1", "."),
        ("BEGIN TRANSACTION; SELECT 'half; COMMIT TRANSACTION", "Syntax error"),
    ],
)
def test_other_scripts_are_refused(table: bigquery.Client, script: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        table.query_and_wait(script)
    assert left(table) == ["a", "b", "c"]


def test_a_transaction_has_no_dry_run(table: bigquery.Client) -> None:
    with pytest.raises(BadRequest, match="dry run of a transaction"):
        table.query("BEGIN; COMMIT;", job_config=bigquery.QueryJobConfig(dry_run=True))
