"""Every type, single and repeated, written each way and read back, also after a restart."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from google.cloud import bigquery
from google.protobuf import descriptor_pb2

from tests.integration.bigquery.conftest import PROJECT, rest_client, write_client
from tests.integration.bigquery.proto import message, request
from tests.integration.bigquery.test_durability import started

_P = descriptor_pb2.FieldDescriptorProto
AT = datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
# Type, the protocol buffer's type, the value as a row of insertAll, of AppendRows, and as it is read.
TYPES: dict[str, tuple[int, Any, Any, Any]] = {
    "STRING": (_P.TYPE_STRING, "it's", "it's", "it's"),
    "INTEGER": (_P.TYPE_INT64, 2**63 - 1, 2**63 - 1, 2**63 - 1),
    "FLOAT": (_P.TYPE_DOUBLE, 0.1, 0.1, 0.1),
    "BOOLEAN": (_P.TYPE_BOOL, True, True, True),
    "TIMESTAMP": (_P.TYPE_INT64, AT.isoformat(), 1704164645000006, AT),
    "DATE": (_P.TYPE_INT32, "2024-01-02", 19724, date(2024, 1, 2)),
    "JSON": (_P.TYPE_STRING, '{"b": 1, "a": null}', '{"b": 1, "a": null}', {"a": None, "b": 1}),
    "BYTES": (_P.TYPE_BYTES, "AP8=", b"\x00\xff", b"\x00\xff"),
    "NUMERIC": (_P.TYPE_STRING, "-1.500000001", "-1.500000001", Decimal("-1.500000001")),
}
STREAM = f"projects/{PROJECT}/datasets/d/tables/t/streams/_default"


def test_values_of_every_type_come_back_as_they_went_in(tmp_path: Path) -> None:
    columns = [bigquery.SchemaField("id", "STRING", "REQUIRED")]
    fields = {"id": _P.TYPE_STRING}
    for kind, (proto, *_) in TYPES.items():
        columns += [bigquery.SchemaField(kind, kind), bigquery.SchemaField(f"{kind}s", kind, "REPEATED")]
        fields |= {kind: proto, f"{kind}s": -proto}
    streamed: dict[str, Any] = {"id": "a"}
    appended: dict[str, Any] = {"id": "b"}
    expected: dict[str, Any] = {}
    for kind, (_, by_rest, by_proto, read) in TYPES.items():
        streamed |= {kind: by_rest, f"{kind}s": [by_rest, by_rest]}
        appended |= {kind: by_proto, f"{kind}s": [by_proto, by_proto]}
        expected |= {kind: read, f"{kind}s": [read, read]}
    empty: dict[str, Any] = {name: [] if name.endswith("s") else None for name in expected}
    child, address = started(tmp_path)
    try:
        with rest_client(address) as client:
            client.create_dataset("d")
            client.create_table(bigquery.Table(f"{PROJECT}.d.t", schema=columns))
            assert client.insert_rows_json(f"{PROJECT}.d.t", [streamed]) == []
        writer, channel = write_client(address)
        row = message(fields)
        rows = [row(**appended), row(id="c")]
        (answer,) = writer.append_rows(iter([request(rows, fields, STREAM)]))
        channel.close()
        assert not answer.error.code, answer
        # Killed before anything was read: the rows come out of the journal.
        child.kill()
        child, address = started(tmp_path)
        with rest_client(address) as client:
            found = [dict(item) for item in client.query_and_wait("SELECT * FROM d.t ORDER BY id")]
            config = bigquery.QueryJobConfig(dry_run=True)
            assert client.query("SELECT * FROM d.t", job_config=config).total_bytes_processed > 0
    finally:
        child.kill()
    assert found == [
        {"id": "a", **expected},
        {"id": "b", **expected},
        {"id": "c", **empty},
    ]
