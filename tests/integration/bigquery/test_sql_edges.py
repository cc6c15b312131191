"""Values at their edges, where DuckDB's answer is not BigQuery's: the right one, or a refusal by name."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.integration.bigquery.test_sql_functions import value

ANSWERS: list[tuple[str, Any]] = [
    ("CAST(1e15 AS STRING)", "1e+15"),
    ("CAST(123456.789 AS STRING)", "123456.789"),
    ("CAST(-0.0 AS STRING)", "0"),
    ("SAFE_CAST('2024-1-1 5:00:00' AS TIMESTAMP) = TIMESTAMP '2024-01-01 05:00:00'", True),
    ("SAFE_CAST('2024-02-30' AS TIMESTAMP)", None),
    ("SAFE_CAST('9223372036854775808' AS INT64)", None),
    ("JSON_VALUE(JSON '{\"a\": 1e20}', '$.a')", "1e+20"),
    ("JSON_VALUE(JSON '{\"a\": 1500000000000000.0}', '$.a')", "1.5e+15"),
    ("JSON_VALUE(JSON '{\"a\": 1e15}', '$.a')", "1e+15"),
    ("JSON_VALUE(JSON '{\"a\": 1e-7}', '$.a')", "1e-07"),
    ("JSON_VALUE(JSON '{\"a\": 100.0}', '$.a')", "100.0"),
    ("LAX_STRING(JSON '1e20')", "1e+20"),
    ("SAFE_CAST(JSON_VALUE(JSON '{\"a\": 0.5}', '$.a') AS FLOAT64)", 0.5),
    ('TO_JSON_STRING(JSON \'{"a": 1, "a": 2, "b": {"c": 3, "c": 4}}\')', '{"a":1,"b":{"c":3}}'),
    ("REGEXP_EXTRACT('foo@', r'@(.*)$')", ""),
    ("REGEXP_EXTRACT('abcx', r'bc(x)?')", "x"),
    ("ROUND(1.005, 2)", 1.0),
    ("SAFE_DIVIDE(1e308, 1e-10)", None),
    ("SAFE_CAST(TO_JSON_STRING(JSON '3.5') AS FLOAT64)", 3.5),
    ("SAFE_CAST(TO_JSON_STRING(JSON 'true') AS BOOL)", True),
    ("SAFE_CAST(TO_JSON_STRING(JSON '3.5') AS BOOL)", None),
    ("SAFE_CAST(TO_JSON_STRING(JSON '\"x\"') AS FLOAT64)", None),
    ("SAFE.MOD(1, 0)", None),
    ("(SELECT SUM(x) FROM UNNEST([0.5, 1.5]) AS x)", 2.0),
]
REFUSED = [
    ("1e308 * 10", "double overflow"),
    ("1e308 / 1e-10", "double overflow"),
    ("EXP(1000)", "double overflow"),
    ("(SELECT SUM(x) FROM UNNEST([1e308, 1e308]) AS x)", "double overflow"),
    ("(SELECT AVG(x) FROM UNNEST([1e308, 1e308]) AS x)", "double overflow"),
    ("CAST('1e400' AS FLOAT64)", "1e400"),
    ("SAFE_CAST('nan' AS FLOAT64)", "nan"),
    ("SAFE_CAST('0x10' AS INT64)", "0x10"),
    ("SAFE_CAST('2024-01-01 00:00:00 Europe/Paris' AS TIMESTAMP)", "Europe/Paris"),
    ("SAFE_CAST('2024-01-01T24:00:00' AS TIMESTAMP)", "24:00"),
    ("SAFE_CAST(0.30000000000000004 AS STRING)", "15 digits"),
    ("SAFE_ADD(1, 2)", "SAFE_ADD of whole numbers"),
    ("SAFE_CAST(TO_JSON_STRING(JSON '1e300') AS FLOAT64)", "need an exponent"),
    ("SAFE_CAST(SUBSTR('abc', 9223372036854775807 + 1) AS INT64)", "int64 overflow|verflow"),
    ("SAFE.PARSE_DATE('%Y-%m-%d', 'x')", "SAFE around"),
    ("SAFE.SUBSTR('abc', CAST('x' AS INT64))", "may fail itself"),
    ("SAFE.LENGTH(SUBSTR('abc', 9223372036854775807 + 1))", "may fail itself"),
    ("PARSE_TIMESTAMP('%H:%M', '10:20')", "without a year"),
    ("FORMAT_TIMESTAMP('%Y', TIMESTAMP '0099-01-01')", "before the year 1000"),
    ("TIMESTAMP_SECONDS(253402300800)", "out of range"),
    ("TIMESTAMP_ADD(TIMESTAMP '9999-12-31 23:59:59', INTERVAL 1 DAY)", "out of range"),
    ("TIMESTAMP_TRUNC(TIMESTAMP '0001-01-01', WEEK)", "out of range"),
    ("DATE_ADD(DATE '9999-12-31', INTERVAL 1 DAY)", "out of range"),
    ("DATE_SUB(DATE '0001-01-01', INTERVAL 1 DAY)", "out of range"),
    ("DATE(10000, 1, 1)", "out of range"),
    ("REGEXP_EXTRACT('abc', r'b(x)?')", "may take no part"),
    ("REGEXP_EXTRACT('abc', r'b|(x)')", "may take no part"),
    ("ROUND(2.675, 2)", "close to the middle"),
    ("UPPER('stra\u00dfe')", "UPPER"),
    ("LOWER('\u03a3')", "LOWER"),
    ("b'\\xff'", "BYTES literal"),
    ("'ab' LIKE 'ab\\\\'", "(?i)like pattern"),
    ("(JSON '[5]')[-1]", "negative JSON subscript"),
    ("JSON_VALUE('{\"a\": 1.50}', '$.a')", "JSON that is a STRING"),
    ("JSON_QUERY('{\"a\": [1.50]}', '$.a')", "JSON that is a STRING"),
    ("TO_JSON_STRING(JSON '[1e20]')", "exponent"),
    ("LAX_FLOAT64(JSON '\"1e400\"')", "out of the range"),
]


@pytest.mark.parametrize(("expression", "expected"), ANSWERS, ids=lambda item: str(item)[:60])
def test_edges(client: bigquery.Client, expression: str, expected: Any) -> None:
    found = value(client, f"SELECT {expression} AS a")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("expression", "message"), REFUSED, ids=lambda item: str(item)[:60])
def test_edges_that_are_refused(client: bigquery.Client, expression: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        client.query_and_wait(f"SELECT {expression} AS a")
