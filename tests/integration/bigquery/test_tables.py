"""Datasets, tables, table functions and rows by REST."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, MethodNotImplemented, NotFound
from google.cloud import bigquery

from tests.integration.bigquery.conftest import events_table

NOW = datetime.now(UTC)


def row(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "time": NOW.isoformat(), **more}


def count(client: bigquery.Client) -> int:
    sql = "SELECT COUNT(*) AS n FROM history.events WHERE time > '2000-01-01'"
    return int(next(iter(client.query_and_wait(sql))).n)


def test_a_dataset_lives_and_dies(client: bigquery.Client) -> None:
    made = bigquery.Dataset("test.history")
    made.labels = {"env": "local"}
    client.create_dataset(made)
    with pytest.raises(Conflict, match="Already Exists: Dataset test:history"):
        client.create_dataset("history")
    found = client.get_dataset("history")
    found.description = "events"
    found.labels = {"env": None, "team": "iot"}  # None removes a label
    updated = client.update_dataset(found, ["description", "labels"])
    assert (updated.description, updated.labels) == ("events", {"team": "iot"})
    assert [item.dataset_id for item in client.list_datasets()] == ["history"]
    events_table(client)
    with pytest.raises(BadRequest, match="still in use"):
        client.delete_dataset("history")
    client.delete_dataset("history", delete_contents=True)
    with pytest.raises(NotFound, match="Not found: Dataset test:history"):
        client.get_dataset("history")
    with pytest.raises(BadRequest, match="Invalid dataset ID"):
        client.create_dataset(bigquery.Dataset("test.a-b"))


def test_a_table_keeps_its_settings(client: bigquery.Client) -> None:
    events_table(client)
    with pytest.raises(Conflict, match=r"Already Exists: Table test:history\.events"):
        events_table(client)
    table = client.get_table("history.events")
    assert table.time_partitioning is not None
    assert (table.time_partitioning.type_, table.time_partitioning.field) == ("DAY", "time")
    assert table.require_partition_filter is True
    assert table.clustering_fields == ["device"]
    assert [(f.name, f.field_type, f.mode) for f in table.schema][:2] == [
        ("id", "STRING", "REQUIRED"),
        ("time", "TIMESTAMP", "REQUIRED"),
    ]
    assert [item.table_id for item in client.list_tables("history")] == ["events"]
    client.delete_table("history.events")
    with pytest.raises(NotFound, match=r"Not found: Table test:history\.events"):
        client.get_table("history.events")


def test_a_patch_adds_columns_and_settings_and_refuses_the_rest(client: bigquery.Client) -> None:
    table = events_table(client)
    assert client.insert_rows_json(table, [row("a")]) == []
    table.schema = [*table.schema, bigquery.SchemaField("extra", "STRING")]
    table.description = "all events"
    partitioning = table.time_partitioning
    assert partitioning is not None
    partitioning.expiration_ms = 86_400_000
    table.time_partitioning = partitioning
    table.require_partition_filter = False
    fields = ["schema", "description", "time_partitioning", "require_partition_filter"]
    table = client.update_table(table, fields)
    assert client.insert_rows_json(table, [row("b", extra="x")]) == []
    found = client.query_and_wait("SELECT id, extra FROM history.events ORDER BY id")
    assert [tuple(item) for item in found] == [("a", None), ("b", "x")]
    assert table.description == "all events"
    table.schema = table.schema[:-1]
    with pytest.raises(BadRequest, match="Field extra is missing in new schema"):
        client.update_table(table, ["schema"])
    table.schema = [
        *client.get_table("history.events").schema,
        bigquery.SchemaField("must", "STRING", "REQUIRED"),
    ]
    with pytest.raises(BadRequest, match="Cannot add required fields"):
        client.update_table(table, ["schema"])


def test_required_may_be_relaxed(client: bigquery.Client) -> None:
    table = events_table(client, require_filter=False)
    assert client.insert_rows_json(table, [row("a")]) == []
    schema = list(table.schema)
    schema[0] = bigquery.SchemaField("id", "STRING")
    table.schema = schema
    table = client.update_table(table, ["schema"])
    assert table.schema[0].mode == "NULLABLE"
    assert client.insert_rows_json(table, [{"time": NOW.isoformat()}]) == []
    found = client.query_and_wait("SELECT id FROM history.events ORDER BY id")
    assert [item.id for item in found] == [None, "a"]


def test_of_many_creators_one_wins(client: bigquery.Client) -> None:
    client.create_dataset("history")

    def create(number: int) -> bool:
        columns = [bigquery.SchemaField("id", "STRING")]
        try:
            client.create_table(bigquery.Table("test.history.same", schema=columns))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(8))) == 1

    def add_column(number: int) -> None:
        table = client.get_table("history.same")
        table.schema = [*table.schema, bigquery.SchemaField(f"c{number}", "STRING")]
        # A slower one finds that its schema lacks what another added, and is refused.
        with suppress(BadRequest):
            client.update_table(table, ["schema"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_column, range(8)))
    names = [field.name for field in client.get_table("history.same").schema]
    client.query_and_wait(f"SELECT {', '.join(names)} FROM history.same")


@pytest.mark.parametrize(
    ("field", "error", "message"),
    [
        (bigquery.SchemaField("a", "GEOGRAPHY"), MethodNotImplemented, "GEOGRAPHY"),
        (
            bigquery.SchemaField("a", "RECORD", fields=[bigquery.SchemaField("b", "STRING")]),
            MethodNotImplemented,
            "RECORD",
        ),
        (bigquery.SchemaField("a-b", "STRING"), BadRequest, "Invalid field name"),
    ],
)
def test_schemas_that_cannot_be_are_refused(
    client: bigquery.Client, field: bigquery.SchemaField, error: type[Exception], message: str
) -> None:
    client.create_dataset("history")
    with pytest.raises(error, match=message):
        client.create_table(bigquery.Table("test.history.t", schema=[field]))


def test_other_properties_and_paths_are_refused_by_name(client: bigquery.Client) -> None:
    client.create_dataset("history")
    table = bigquery.Table("test.history.t", schema=[bigquery.SchemaField("a", "STRING")])
    table.expires = NOW + timedelta(days=1)
    with pytest.raises(MethodNotImplemented, match="expirationTime"):
        client.create_table(table)
    with pytest.raises(MethodNotImplemented, match="models"):
        list(client.list_models("history"))


def test_insert_all_takes_good_rows_and_names_the_bad_ones(client: bigquery.Client) -> None:
    table = events_table(client)
    bad = [
        row("ok"),
        {"time": NOW.isoformat()},
        row("x", unknown=1),
        row("x", data="{broken"),
        row("x", n="abc"),
        row("x", time="yesterday"),
        row("x", time="2001-01-01T00:00:00Z"),
        row("x", time=(NOW + timedelta(days=400)).isoformat()),
        row("x", tags="a"),
    ]
    errors = client.insert_rows_json(table, bad)
    by_index = {error["index"]: error["errors"][0] for error in errors}
    assert by_index[0]["reason"] == "stopped"
    assert [by_index[index]["reason"] for index in range(1, 9)] == ["invalid"] * 8
    assert [by_index[index]["location"] for index in range(1, 9)] == [
        *("id", "unknown", "data", "n", "time", "time", "time", "tags"),
    ]
    assert "You can only stream to partitions of date range within 1825 days" in by_index[6]["message"]
    assert count(client) == 0
    assert len(client.insert_rows_json(table, bad, skip_invalid_rows=True)) == 8
    assert count(client) == 1
    rows = [row("y", data={"b": 1, "a": [1.5, None]}, tags=["p", "q"], n="7", f=2)]
    assert client.insert_rows_json(table, rows, row_ids=["same"]) == []
    assert client.insert_rows_json(table, rows, row_ids=["same"]) == []
    found = list(client.list_rows(client.get_table(table), max_results=10))
    assert [item.id for item in found] == ["ok", "y"]
    assert dict(found[1]) == {
        "id": "y",
        "time": NOW,
        "device": None,
        "data": {"a": [1.5, None], "b": 1},
        "n": 7,
        "f": 2.0,
        "tags": ["p", "q"],
    }
    assert client.get_table(table).num_rows == 2


def test_rows_are_paged(client: bigquery.Client) -> None:
    table = events_table(client)
    client.insert_rows_json(table, [row(f"e{index:02}", n=index) for index in range(25)])
    sql = "SELECT n FROM history.events WHERE time > '2000-01-01' ORDER BY n"
    for pages in (
        client.query(sql).result(page_size=10).pages,
        client.query_and_wait(sql, page_size=10).pages,
        client.list_rows(table, selected_fields=[bigquery.SchemaField("n", "INTEGER")], page_size=10).pages,
    ):
        numbers = [[item.n for item in page] for page in pages]
        assert [len(page) for page in numbers] == [10, 10, 5]
        assert [number for page in numbers for number in page] == list(range(25))


@pytest.mark.parametrize("how", ["ddl", "rest"])
def test_a_table_function_filters_inside_its_subquery(client: bigquery.Client, how: str) -> None:
    table = events_table(client)
    client.insert_rows_json(table, [row("a", device="d1"), row("b", device="d2")])
    body = (
        "SELECT id, device AS name FROM history.events "
        "WHERE time >= since AND time < until AND device = which"
    )
    if how == "ddl":
        arguments = "which STRING, since TIMESTAMP, until TIMESTAMP"
        sql = f"CREATE TABLE FUNCTION history.of_device({arguments}) AS ({body})"
        client.query_and_wait(sql)
        with pytest.raises(Conflict, match="Already Exists: Routine"):
            client.query_and_wait(sql)
        client.query_and_wait(sql.replace("CREATE", "CREATE OR REPLACE"))
    else:
        kinds = bigquery.StandardSqlTypeNames
        routine = bigquery.Routine(
            "test.history.of_device", type_="TABLE_VALUED_FUNCTION", body=body, language="SQL"
        )
        routine.arguments = [
            bigquery.RoutineArgument(name=name, data_type=bigquery.StandardSqlDataType(type_kind=kind))
            for name, kind in (
                ("which", kinds.STRING),
                ("since", kinds.TIMESTAMP),
                ("until", kinds.TIMESTAMP),
            )
        ]
        client.create_routine(routine)
        assert client.get_routine("history.of_device").body == body
    config = bigquery.QueryJobConfig(
        query_parameters=[
            bigquery.ScalarQueryParameter("d", "STRING", "d2"),
            bigquery.ScalarQueryParameter("s", "TIMESTAMP", NOW - timedelta(hours=1)),
        ]
    )
    found = client.query_and_wait(
        "SELECT f.id, name FROM history.of_device(@d, @s, CURRENT_TIMESTAMP()) AS f WHERE f.id != 'z'",
        job_config=config,
    )
    assert [tuple(item) for item in found] == [("b", "d2")]
    with pytest.raises(BadRequest, match="3 arguments are expected"):
        client.query_and_wait("SELECT id FROM history.of_device('d')")
    with pytest.raises(BadRequest):
        client.query_and_wait("SELECT id FROM history.of_device(1 = 1, '2024-01-01', '2024-01-02')")
    with pytest.raises(BadRequest, match="without a filter"):
        client.query_and_wait(
            "CREATE TABLE FUNCTION history.all_of(x STRING) AS SELECT id FROM history.events"
        )
    with pytest.raises(BadRequest, match="named like a column"):
        client.query_and_wait(
            "CREATE TABLE FUNCTION history.f(device STRING) AS "
            "SELECT id FROM history.events WHERE time > '2024-01-01' AND device = device"
        )
    client.delete_routine("history.of_device")
    with pytest.raises(NotFound, match="Not found: Routine"):
        client.query_and_wait("SELECT id FROM history.of_device('d', '2024-01-01', '2024-01-02')")
