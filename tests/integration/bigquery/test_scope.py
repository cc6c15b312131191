"""Names: which of an alias, a column and a table GoogleSQL takes, where DuckDB would take another.

https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#using_aliases
"""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.integration.bigquery.conftest import PROJECT

_ROWS = """INSERT INTO d.ev (id, n, s, tags) VALUES
('a', 1, 'x', ['p', 'q']), ('b', 2, 'y', []), ('c', 3, NULL, []), ('d', 2, 'x', ['z'])"""
_FUNCTION = "CREATE TABLE FUNCTION d.fn(low INT64) AS (SELECT id, n, s FROM d.ev WHERE n >= low)"
ANSWERS: list[tuple[str, list[tuple[Any, ...]]]] = [
    # A table function, or a table, whose name is that of an output.
    ("SELECT s, COUNT(*) AS fn FROM d.fn(1) WHERE s = 'x' GROUP BY 1", [("x", 2)]),
    ("SELECT s, COUNT(*) AS ev FROM d.ev WHERE ev.n > 0 GROUP BY 1 HAVING ev > 1", [("x", 2)]),
    ("SELECT ev.s, COUNT(*) AS ev FROM d.ev GROUP BY 1 ORDER BY ev DESC, 1", [("x", 2), (None, 1), ("y", 1)]),
    ("SELECT UPPER(ev.s) AS u, COUNT(*) AS ev FROM d.ev WHERE s = 'x' GROUP BY u", [("X", 2)]),
    # An output that is named like a column: WHERE sees the column, the later clauses the output.
    ("SELECT n + 1 AS n FROM d.ev WHERE n = 1", [(2,)]),
    ("SELECT n + 1 AS n, COUNT(*) AS c FROM d.ev GROUP BY n ORDER BY n", [(2, 1), (3, 2), (4, 1)]),
    ("SELECT -n AS n FROM d.ev ORDER BY n * 1", [(-3,), (-2,), (-2,), (-1,)]),
    ("SELECT -n AS n FROM d.ev ORDER BY ABS(n) DESC LIMIT 1", [(-3,)]),
    ("SELECT -n AS n FROM d.ev ORDER BY ev.n LIMIT 1", [(-1,)]),
    ("SELECT s, SUM(n) AS n FROM d.ev GROUP BY s ORDER BY n + 0, s", [("y", 2), (None, 3), ("x", 3)]),
    ("SELECT -n AS N FROM d.ev ORDER BY n LIMIT 1", [(-3,)]),
    ("SELECT MOD(n, 2) AS N, COUNT(*) FROM d.ev GROUP BY n ORDER BY 1", [(0, 2), (1, 2)]),
    ("SELECT s, SUM(n) AS n FROM d.ev GROUP BY s HAVING n > 2 ORDER BY s", [(None, 3), ("x", 3)]),
    ("SELECT n AS id, id AS n FROM d.ev ORDER BY n DESC LIMIT 1", [(2, "d")]),
    (
        "SELECT id AS s, ROW_NUMBER() OVER (PARTITION BY s ORDER BY n) AS r FROM d.ev QUALIFY r = 2",
        [("d", 2)],
    ),
    # Places in the list.
    (
        "SELECT 'k' AS k, s, COUNT(*) FROM d.ev GROUP BY 1, 2 ORDER BY 2",
        [("k", None, 1), ("k", "x", 2), ("k", "y", 1)],
    ),
    ("SELECT 2 AS a UNION ALL SELECT 1 ORDER BY 1", [(1,), (2,)]),
    # Case and WITH.
    ("WITH Foo AS (SELECT 1 AS a) SELECT FOO.A FROM foo", [(1,)]),
    ("WITH ev AS (SELECT id FROM d.ev WHERE n = 1) SELECT EV.ID FROM ev", [("a",)]),
    ("SELECT x FROM (SELECT n AS X FROM d.ev) WHERE x = 1", [(1,)]),
    # UNNEST.
    (
        "SELECT id, t FROM d.ev LEFT JOIN UNNEST(tags) AS t ORDER BY id, t",
        [("a", "p"), ("a", "q"), ("b", None), ("c", None), ("d", "z")],
    ),
    ("SELECT id, t FROM d.ev JOIN UNNEST(tags) AS t ORDER BY t DESC LIMIT 1", [("d", "z")]),
    (
        "SELECT t, o FROM d.ev, UNNEST(tags) AS t WITH OFFSET AS o WHERE id = 'a' ORDER BY o DESC",
        [("q", 1), ("p", 0)],
    ),
    ("SELECT id, e.n FROM d.ev AS e JOIN (SELECT 'a' AS id) USING (id)", [("a", 1)]),
]
REFUSED = [
    ("SELECT s, COUNT(*) AS ev FROM d.ev GROUP BY ev.s", "Cannot access field s on ev"),
    ("SELECT ev.n AS ev FROM d.ev ORDER BY ev.n", "Cannot access field n on ev"),
    ("SELECT s FROM d.ev ORDER BY 0", "out of SELECT column number range"),
    ("SELECT s FROM d.ev GROUP BY 2", "out of SELECT column number range"),
    ("SELECT 1 AS a UNION ALL SELECT 2 ORDER BY 2", "out of SELECT column number range"),
    ("SELECT 1 AS a UNION ALL SELECT 2 AS b ORDER BY b", "Unrecognized name: b"),
    ("SELECT DISTINCT s FROM d.ev ORDER BY n", "SELECT DISTINCT"),
    ("SELECT DISTINCT ON (s) id FROM d.ev", "not supported"),
    ("SELECT * EXCEPT (nope) FROM d.ev", "Column nope in SELECT \\* EXCEPT list does not exist"),
    ("SELECT * REPLACE (1 AS nope) FROM d.ev", "Column nope in SELECT \\* REPLACE list does not exist"),
    ("SELECT * EXCEPT (nope) FROM (SELECT * EXCEPT (id) FROM d.ev)", "nope"),
    ("SELECT * EXCEPT (id) FROM (SELECT * EXCEPT (id) FROM d.ev)", "Column id"),
    ("WITH t AS (SELECT 1 AS a) SELECT * EXCEPT (b) FROM t", "Column b"),
    ("SELECT * FROM UNNEST([1, 2]) WITH OFFSET", "UNNEST without an alias"),
    ("SELECT id FROM d.ev AS e, UNNEST(e.tags) AS id", "Column name id is ambiguous"),
    ("SELECT x.n FROM (SELECT n FROM d.ev) AS x(n)", "A list of column names"),
    ("SELECT ev.n FROM d.ev LEFT JOIN d.fn(1) AS f", "ON or USING"),
    ("SELECT ev.n FROM d.ev JOIN d.fn(1) AS f", "INNER JOIN must have .* ON or USING"),
    ("SELECT ev.n FROM d.ev INNER JOIN (SELECT 1 AS x) AS f", "INNER JOIN must have .* ON or USING"),
    ("SELECT ev.n FROM d.ev, UNNEST(tags) AS t JOIN (SELECT 1 AS x) AS f", "INNER JOIN must have"),
    ("SELECT ev.n FROM d.ev SEMI JOIN d.fn(1) AS f ON TRUE", "SEMI JOIN"),
    ("SELECT id FROM d.ev NATURAL JOIN d.fn(1) AS f", "NATURAL JOIN"),
    ("SELECT n FROM d.ev EXCEPT ALL SELECT 2", "EXCEPT ALL"),
    ("SELECT n FROM d.ev INTERSECT ALL SELECT 2", "INTERSECT ALL"),
    ("SELECT RANK() OVER () FROM d.ev", "Window ORDER BY is required"),
    ("SELECT LAG(n) OVER (PARTITION BY s) FROM d.ev", "Window ORDER BY is required"),
    ("SELECT COUNT(DISTINCT s) OVER (ORDER BY id) FROM d.ev", "DISTINCT"),
    ("SELECT COUNT(*)", "cannot use aggregation"),
    ("SELECT 1 WHERE TRUE", "cannot have a WHERE clause"),
    ("FROM d.ev |> SELECT n", "Pipe syntax"),
    ("SELECT n::STRING FROM d.ev", "::"),
    ("SELECT 1 == 1", "=="),
    ("SELECT id FROM d.ev WHERE (n, s) IN ((1, 'x'))", "TUPLE"),
    ("SELECT n IS TRUE FROM d.ev", "operator IS TRUE"),
]


@pytest.fixture
def events(client: bigquery.Client) -> bigquery.Client:
    """A client of an emulator with four rows and a function over them."""
    client.create_dataset("d")
    columns = [
        bigquery.SchemaField(name, kind) for name, kind in (("id", "STRING"), ("n", "INT64"), ("s", "STRING"))
    ]
    columns.append(bigquery.SchemaField("tags", "STRING", mode="REPEATED"))
    client.create_table(bigquery.Table(f"{PROJECT}.d.ev", schema=columns))
    client.query_and_wait(_ROWS)
    client.query_and_wait(_FUNCTION)
    return client


def test_names_mean_what_googlesql_says(events: bigquery.Client) -> None:
    for sql, expected in ANSWERS:
        assert [tuple(row) for row in events.query_and_wait(sql)] == expected, sql


def test_outputs_are_spelled_as_in_the_query(events: bigquery.Client) -> None:
    found = events.query_and_wait(
        "SELECT ID, n AS N, * EXCEPT (ID, n, tags) FROM d.ev AS E ORDER BY e.Id LIMIT 1"
    )
    assert [field.name for field in found.schema] == ["ID", "N", "s"]
    assert [tuple(row) for row in found] == [("a", 1, "x")]


def test_what_only_the_parser_or_duckdb_would_take_is_refused(events: bigquery.Client) -> None:
    for sql, message in REFUSED:
        with pytest.raises(BadRequest, match=message):
            events.query_and_wait(sql)


def test_a_row_is_changed_by_one_source_row_at_most(events: bigquery.Client) -> None:
    twice = "(SELECT 'a' AS id, 1 AS n UNION ALL SELECT 'a', 2)"
    for sql in (
        f"UPDATE d.ev AS e SET n = s.n FROM {twice} AS s WHERE e.id = s.id",
        f"MERGE d.ev AS e USING {twice} AS s ON e.id = s.id WHEN MATCHED THEN UPDATE SET n = s.n",
        f"MERGE d.ev AS e USING {twice} AS s ON e.id = s.id WHEN MATCHED THEN DELETE",
    ):
        with pytest.raises(BadRequest, match="at most one source row"):
            events.query_and_wait(sql)
    assert [row.n for row in events.query_and_wait("SELECT n FROM d.ev WHERE id = 'a'")] == [1]
    events.query_and_wait(
        f"MERGE d.ev AS e USING {twice} AS s ON e.id = s.id WHEN MATCHED AND s.n = 2 THEN UPDATE SET n = s.n"
    )
    assert [row.n for row in events.query_and_wait("SELECT n FROM d.ev WHERE id = 'a'")] == [2]
