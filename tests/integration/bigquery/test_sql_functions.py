"""GoogleSQL's functions, mostly by the examples of its reference.

https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-and-operators
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from emulators.bigquery.sql.functions import FUNCTIONS
from tests.integration.bigquery.sql_examples import AGGREGATES, JSON, SCALARS, TIME, utc

REFUSED = [
    ("SELECT FARM_FINGERPRINT('a')", "FARM_FINGERPRINT"),
    ("SELECT NO_SUCH_FUNCTION(1)", "NO_SUCH_FUNCTION"),
    ("SELECT 1 / 0", "division by zero"),
    ("SELECT MOD(1, 0)", "division by zero"),
    ("SELECT 9223372036854775807 + 1", "(?i)overflow"),
    ("SELECT SUM(x) FROM UNNEST([9223372036854775807, 1]) AS x", "."),
    ("SELECT '5' = 5", "No matching signature for operator ="),
    ("SELECT 1 + '2'", r"No matching signature for operator \+"),
    ("SELECT LOWER(5)", "No matching signature for function LOWER"),
    ("SELECT 1 IN ('a')", "No matching signature for operator IN"),
    ("SELECT IF('a', 1, 2)", "No matching signature for function IF"),
    ("SELECT CASE WHEN TRUE THEN 1 ELSE 'a' END", "No matching signature for operator CASE"),
    ("SELECT COALESCE(1, 'a')", "No matching signature for function COALESCE"),
    ("SELECT x FROM UNNEST([1]) AS x WHERE 'a'", "WHERE clause should return type BOOL"),
    ("SELECT JSON '{broken'", "Invalid JSON literal"),
    ("""SELECT JSON_KEYS(JSON '{"a.b": 1}')""", "JSON_KEYS"),
    ("""SELECT JSON_KEYS(JSON '{"a": {"c-d": 1}}')""", "JSON_KEYS"),
    ("SELECT ASIN(2)", "ASIN"),
    ("SELECT PARSE_JSON('{\"id\": 922337203685477580701}')", "cannot round-trip"),
    ("SELECT INT64(JSON '10.1')", "not an integer"),
    ("SELECT INT64(JSON 'null')", "not an integer"),
    ("SELECT STRING(JSON '1')", "not a string"),
    ("SELECT JSON '1' = JSON '1'", "JSON"),
    ("SELECT LAX_FLOAT64(JSON '\"NaN\"')", "NaN"),
    ("SELECT CAST('abc' AS INT64)", "Bad int64 value: abc"),
    ("SELECT CAST('1.5' AS INT64)", "Bad int64 value: 1.5"),
    ("SELECT CAST('NaN' AS FLOAT64)", "NaN"),
    ("SELECT CAST(1 AS DATE)", "Invalid cast from INT64 to DATE"),
    ("SELECT TIMESTAMP '2024-13-01'", "(?i)invalid"),
    ("SELECT [1, 2][OFFSET(2)]", "out of bounds"),
    ("SELECT SUBSTR('a', 1, -1)", "cannot be negative"),
    ("SELECT ROW_NUMBER()", "OVER"),
    ("SELECT ERROR('no way')", "no way"),
    ("SELECT FORMAT_TIMESTAMP('%c', CURRENT_TIMESTAMP())", "%c"),
    ("SELECT TIMESTAMP_TRUNC(CURRENT_TIMESTAMP(), DAY, 'Europe/Paris')", "Europe/Paris"),
    ("SELECT TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 MONTH)", "MONTH"),
    ("SELECT TIMESTAMP '2024-01-01' < DATE '2024-01-01'", "No matching signature"),
    ("SELECT JSON_VALUE(JSON '{}', '$.*')", r"\*"),
    ("SELECT x FROM UNNEST([1]) AS y", "x"),
    ("SELECT * FROM missing", "must be qualified with a dataset"),
    ("SELECT 1 AS a UNION ALL SELECT 'a'", "Column 1 in UNION has incompatible types: INT64, STRING"),
    ("SELECT 1 AS a, 2 AS b UNION ALL SELECT 1", "mismatched column count"),
    ("SELECT 1 AS a, a + 1 AS b", "Unrecognized name: a"),
    (
        "SELECT SUM(x) OVER (ORDER BY x RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW) "
        "FROM UNNEST([1]) AS x",
        "INTERVAL",
    ),
    (
        "SELECT LAG(x, 1, 'a') OVER (ORDER BY x) FROM UNNEST([1]) AS x",
        "No matching signature for function LAG",
    ),
    ("SELECT ROW_NUMBER() OVER (PARTITION BY x) FROM UNNEST([1.5]) AS x", "FLOAT64 is not allowed"),
    ("SELECT NUMERIC '1.5' * 2", "Multiplication of NUMERIC"),
    ("SELECT x, COUNT(*) FROM UNNEST([1]) AS x", "GROUP BY"),
    ("SELECT (SELECT x FROM UNNEST([1, 2]) AS x)", "More than one row"),
    ("SELECT 1; SELECT 2", "script"),
    ("DECLARE x INT64", "."),
    ("SELECT", "Syntax error"),
    ("SELECT STRUCT(1 AS a)", "STRUCT"),
    ("SELECT @missing", "missing"),
    ("SELECT ARRAY_AGG(x) FROM UNNEST([1]) AS x WHERE x > 1 GROUP BY ROLLUP(x)", "ROLLUP"),
    ("SELECT ARRAY_AGG(x) AS a FROM (SELECT CAST(NULL AS INT64) AS x)", "Array cannot have a null element"),
    ("SELECT 1 AS a, 2 AS a", "Duplicate column names"),
    ("SELECT 2 AS a FROM UNNEST([1]) AS x WHERE a = 2", "Unrecognized name: a"),
    ("WITH RECURSIVE t AS (SELECT 1 AS a) SELECT * FROM t", "RECURSIVE"),
    ("CREATE TABLE d.t (a INT64)", "CREATE"),
]


def value(client: bigquery.Client, sql: str) -> Any:
    (row,) = client.query_and_wait(sql)
    return row[0]


@pytest.mark.parametrize(
    ("expression", "expected"), [*JSON, *TIME, *SCALARS], ids=lambda item: str(item)[:60]
)
def test_scalar_functions_give_what_the_reference_says(
    client: bigquery.Client, expression: str, expected: Any
) -> None:
    found = value(client, f"SELECT {expression} AS a")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("sql", "expected"), AGGREGATES, ids=lambda item: str(item)[:60])
def test_aggregates_give_what_the_reference_says(client: bigquery.Client, sql: str, expected: Any) -> None:
    found = value(client, sql)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("sql", "message"), REFUSED, ids=lambda item: str(item)[:60])
def test_what_is_wrong_or_not_known_to_be_right_is_refused(
    client: bigquery.Client, sql: str, message: str
) -> None:
    with pytest.raises(BadRequest, match=message):
        client.query_and_wait(sql)


def test_windows_qualify_and_null_order(client: bigquery.Client) -> None:
    source = (
        "WITH t AS (SELECT 1 AS at, 'a' AS k, 10 AS v UNION ALL SELECT 2, 'a', NULL UNION ALL "
        "SELECT 3, 'a', 30 UNION ALL SELECT 1, 'b', NULL) "
    )
    found = client.query_and_wait(
        source + "SELECT k, at, LAG(v) OVER w AS lag, LEAD(at, 1, 0) OVER w AS lead, "
        "LAST_VALUE(v IGNORE NULLS) OVER w AS last, "
        "FIRST_VALUE(v) OVER w AS first, ROW_NUMBER() OVER w AS number, "
        "SUM(v) OVER (PARTITION BY k ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS total "
        "FROM t WINDOW w AS (PARTITION BY k ORDER BY at) ORDER BY k, at"
    )
    assert [tuple(row) for row in found] == [
        ("a", 1, None, 2, 10, 10, 1, 10),
        ("a", 2, 10, 3, 10, 10, 2, 10),
        ("a", 3, None, 0, 30, 10, 3, 30),
        ("b", 1, None, 0, None, None, 1, None),
    ]
    newest = source + "SELECT k, v FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY k ORDER BY at DESC) = 1"
    assert {tuple(row) for row in client.query_and_wait(newest)} == {("a", 30), ("b", None)}
    order = [row.v for row in client.query_and_wait(source + "SELECT v FROM t ORDER BY v")]
    assert order == [None, None, 10, 30]
    assert [row.v for row in client.query_and_wait(source + "SELECT v FROM t ORDER BY v DESC")] == order[::-1]


def test_numbering_functions(client: bigquery.Client) -> None:
    found = client.query_and_wait(
        "SELECT RANK() OVER w AS r, DENSE_RANK() OVER w AS d, PERCENT_RANK() OVER w AS p, "
        "CUME_DIST() OVER w AS c, NTILE(2) OVER w AS t, NTH_VALUE(x, 2) OVER w AS n "
        "FROM UNNEST([1, 2, 2, 5, 8]) AS x WINDOW w AS (ORDER BY x)"
    )
    assert sorted(tuple(row) for row in found) == [
        (1, 1, 0.0, 0.2, 1, None),
        (2, 2, 0.25, 0.6, 1, 2),
        (2, 2, 0.25, 0.6, 1, 2),
        (4, 3, 0.75, 0.8, 2, 2),
        (5, 4, 1.0, 1.0, 2, 2),
    ]


def test_every_function_of_the_allow_list_has_an_example() -> None:
    folder = Path(__file__).parent
    text = "".join((folder / name).read_text() for name in ("sql_examples.py", "test_sql_functions.py"))
    assert [name for name in FUNCTIONS if not re.search(rf"\b{name}\(", text)] == []


def test_group_by_having_star_except_and_unnamed_columns(client: bigquery.Client) -> None:
    source = "WITH t AS (SELECT 'a' AS k, 1 AS v UNION ALL SELECT 'a', 3 UNION ALL SELECT 'b', 5) "
    grouped = client.query_and_wait(
        source + "SELECT K AS key, SUM(v), COUNT(*) FROM t GROUP BY key HAVING SUM(v) > 3 ORDER BY 2 DESC"
    )
    assert [field.name for field in grouped.schema] == ["key", "f0_", "f1_"]
    assert [tuple(row) for row in grouped] == [("b", 5, 1), ("a", 4, 2)]
    star = client.query_and_wait(
        source + "SELECT * EXCEPT (k) REPLACE (v * 2 AS v) FROM t ORDER BY v LIMIT 1 OFFSET 1"
    )
    assert [dict(row) for row in star] == [{"v": 6}]
    offsets = client.query_and_wait(
        "SELECT x, place FROM UNNEST(['p', 'q']) AS x WITH OFFSET AS place ORDER BY place"
    )
    assert [tuple(row) for row in offsets] == [("p", 0), ("q", 1)]


def test_parameters_of_every_type(client: bigquery.Client) -> None:
    scalars: list[tuple[str, Any]] = [
        ("STRING", 'it\'s \\ "x"'),
        ("INT64", -5),
        ("FLOAT64", 1.5),
        ("BOOL", True),
        ("TIMESTAMP", utc(2024, 1, 2, 3, 4, 5, 6)),
        ("DATE", date(2024, 1, 2)),
        ("BYTES", b"\x00\xff"),
        ("STRING", None),
        ("TIMESTAMP", None),
    ]
    for kind, given in scalars:
        named = bigquery.QueryJobConfig(query_parameters=[bigquery.ScalarQueryParameter("p", kind, given)])
        (row,) = client.query_and_wait("SELECT @p AS a, @P IS NULL AS b", job_config=named)
        assert (row.a, row.b) == (given, given is None)
    positional = bigquery.QueryJobConfig(
        query_parameters=[
            bigquery.ScalarQueryParameter(None, "INT64", 2),
            bigquery.ArrayQueryParameter(None, "STRING", ["x", "y"]),
        ]
    )
    rows = client.query_and_wait(
        "SELECT v FROM UNNEST(['z', 'y']) AS v WHERE 2 = ? AND v IN UNNEST(?)", job_config=positional
    )
    assert [row.v for row in rows] == ["y"]


@pytest.mark.parametrize(
    ("kind", "given", "sql"),
    [
        ("INT64", "abc", "SELECT @p"),
        ("TIMESTAMP", "yesterday", "SELECT @p"),
        ("STRING", "5", "SELECT 5 = @p"),
        ("STRING", "5", "SELECT @p + 1"),
        ("INT64", 5, "SELECT LOWER(@p)"),
    ],
)
def test_parameters_of_the_wrong_type_are_refused(
    client: bigquery.Client, kind: str, given: Any, sql: str
) -> None:
    config = bigquery.QueryJobConfig(query_parameters=[bigquery.ScalarQueryParameter("p", kind, given)])
    with pytest.raises(BadRequest):
        client.query_and_wait(sql, job_config=config)
