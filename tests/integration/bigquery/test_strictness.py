"""What is no number in BigQuery, and what the emulator would have to ignore: refused by name."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented
from google.cloud import bigquery

from tests.integration.bigquery.conftest import PROJECT
from tests.support.emulators import Address


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("f", text) for text in ("NaN", "inf", "-Infinity", "1e400", "1_0.5", " 1", "")),
        *(("n", text) for text in ("1_000", " 5", "\u0663", "1.0", "9223372036854775808")),
        *(("d", text) for text in ("1_0", "\u0663", "NaN")),
    ],
)
def test_what_is_no_number_is_no_value(client: bigquery.Client, column: str, value: str) -> None:
    kinds = {"f": "FLOAT64", "n": "INT64", "d": "NUMERIC"}
    client.create_dataset("d")
    schema = [bigquery.SchemaField(name, kind) for name, kind in kinds.items()]
    table = client.create_table(bigquery.Table(f"{PROJECT}.d.t", schema=schema))
    (error,) = client.insert_rows_json(table, [{column: value}])
    assert error["errors"][0]["location"] == column
    assert not list(client.list_rows(table))
    resource: Any = {
        "parameterMode": "NAMED",
        "queryParameters": [
            {"name": "p", "parameterType": {"type": kinds[column]}, "parameterValue": {"value": value}}
        ],
    }
    config = bigquery.QueryJobConfig.from_api_repr({"query": resource})
    with pytest.raises(BadRequest):
        client.query_and_wait("SELECT @p AS a", job_config=config)


def test_a_property_of_a_job_that_is_not_known_is_refused(client: bigquery.Client) -> None:
    config = bigquery.QueryJobConfig.from_api_repr({"query": {}, "reservation": "r"})
    with pytest.raises(MethodNotImplemented, match="reservation"):
        client.query("SELECT 1", job_config=config, retry=None).result()


def test_a_service_that_is_not_there_is_named(emulator: Address) -> None:
    with grpc.insecure_channel(emulator.grpc) as channel:
        call = channel.unary_unary(
            "/google.cloud.bigquery.storage.v1.BigQueryRead/CreateReadSession", bytes, bytes
        )
        with pytest.raises(
            grpc.RpcError, match=r"v1\.BigQueryRead\.CreateReadSession is not implemented"
        ) as found:
            call(b"", timeout=5)
    assert found.value.code() == grpc.StatusCode.UNIMPLEMENTED
