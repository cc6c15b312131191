"""The Storage Write API: AppendRows on the default stream; the rest is UNIMPLEMENTED, by name."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.cloud.bigquery_storage_v1 import types
from google.protobuf import any_pb2
from google.rpc import status_pb2

from emulators.bigquery.errors import ServiceError
from emulators.bigquery.limits import bounds
from emulators.bigquery.protorows import RowPlan, SchemaError, decode, row_plan
from emulators.bigquery.schema import REST_NAMES
from emulators.bigquery.state import Catalog
from emulators.bigquery.store import Store
from emulators.bigquery.tables import Table
from emulators.kit.faults import Faults
from emulators.kit.rpc import BidiStream, Service, StatusError, Unary
from shared import clock

_Request = types.AppendRowsRequest.pb()
_Response = types.AppendRowsResponse.pb()
_StorageError = types.StorageError.pb()
_TableSchema = types.TableSchema.pb()
_Field = types.TableFieldSchema.pb()
_GetWriteStream = types.GetWriteStreamRequest.pb()
_WriteStream = types.WriteStream.pb()

_STREAM = re.compile(r"projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)/(?:streams/)?([^/]+)")
# https://cloud.google.com/bigquery/quotas#write-api-limits: the older, smaller of the documented limits.
_MAX_REQUEST = 10 * 1024 * 1024
_REFUSED = ("offset", "arrow_rows", "missing_value_interpretations")


@dataclass
class _Connection:
    """What one connection has said of its stream so far."""

    table_key: tuple[str, str, str] | None = None
    stream: str = ""
    descriptor: bytes = b""
    planned_for: Table | None = None
    plan: RowPlan | None = None


class WriteApi:
    """``google.cloud.bigquery.storage.v1.BigQueryWrite``."""

    def __init__(self, catalog: Catalog, store: Store, faults: Faults) -> None:
        self._catalog = catalog
        self._store = store
        self._faults = faults

    def service(self) -> Service:
        """The gRPC service."""
        methods: dict[str, Any] = {
            "AppendRows": BidiStream(_Request, self._append_rows),
            "GetWriteStream": Unary(_GetWriteStream, self._get_write_stream),
        }
        return Service("google.cloud.bigquery.storage.v1.BigQueryWrite", methods, self._faults)

    async def _get_write_stream(self, request: Any) -> Any:
        key = _table_key(request.name)
        table = self._table(key)
        answer = _WriteStream(name=request.name, location="us")
        answer.type_ = types.WriteStream.Type.COMMITTED
        answer.table_schema.CopyFrom(_schema(table))
        return answer

    async def _append_rows(
        self, requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[Any]:
        connection = _Connection()
        async for request in requests:
            await self._faults.before("AppendRows")
            answer = await self._append(connection, request)
            self._faults.after("AppendRows")
            yield answer

    async def _append(self, connection: _Connection, request: Any) -> Any:
        table = self._prepared(connection, request)
        answer = _Response(write_stream=connection.stream)
        if connection.planned_for is not None and connection.planned_for.columns != table.columns:
            answer.updated_schema.CopyFrom(_schema(table))
        try:
            if connection.planned_for is not table:
                connection.plan = row_plan(connection.descriptor, table)
                connection.planned_for = table
        except SchemaError as error:
            return _refused(connection, str(error), error.extra_fields)
        if connection.plan is None:
            raise RuntimeError("a connection without a plan")
        good, bad = decode(
            connection.plan, request.proto_rows.rows.serialized_rows, bounds(table, clock.now_ns() // 1000)
        )
        if bad:
            return _bad_rows(connection, bad)
        if good:
            self._store.append(table.uid, table.columns, good, None)
            await self._store.relieve()
        answer.append_result.SetInParent()
        return answer

    def _prepared(self, connection: _Connection, request: Any) -> Table:
        """Take what a request says of its stream; errors here end the connection, as in the service."""
        for name in _REFUSED:
            field = getattr(request, name)
            if request.HasField(name) if name != "missing_value_interpretations" else len(field):
                if name == "offset":
                    raise _invalid("Offset is not allowed to be set on the default stream")
                raise StatusError(
                    grpc.StatusCode.UNIMPLEMENTED,
                    f"AppendRowsRequest.{name} is not implemented by Fulcrum's emulator",
                )
        if request.default_missing_value_interpretation > 1:
            raise StatusError(
                grpc.StatusCode.UNIMPLEMENTED,
                "AppendRowsRequest.default_missing_value_interpretation is not implemented by Fulcrum's "
                "emulator",
            )
        if (size := request.ByteSize()) > _MAX_REQUEST:
            raise _invalid(f"AppendRows request too large: {size} limit {_MAX_REQUEST}")
        if request.write_stream and request.write_stream != connection.stream:
            connection.table_key = _table_key(request.write_stream)
            connection.stream = request.write_stream
            connection.planned_for = None
            connection.descriptor = b""
        if connection.table_key is None:
            raise _invalid("The first request of a connection must have a write_stream")
        table = self._table(connection.table_key)
        writer = request.proto_rows.writer_schema
        if request.proto_rows.HasField("writer_schema"):
            descriptor = writer.proto_descriptor.SerializeToString(deterministic=True)
            if descriptor != connection.descriptor:
                connection.descriptor = descriptor
                connection.planned_for = None
        if not connection.descriptor:
            raise _invalid(
                "Invalid writer schema: the first request of a connection must have a writer_schema"
            )
        return table

    def _table(self, key: tuple[str, str, str]) -> Table:
        try:
            return self._catalog.table(*key)
        except ServiceError:
            project, dataset, name = key
            raise StatusError(
                grpc.StatusCode.NOT_FOUND,
                "Requested entity was not found. Entity: "
                f"projects/{project}/datasets/{dataset}/tables/{name}/streams/_default",
            ) from None


def _invalid(message: str) -> StatusError:
    return StatusError(grpc.StatusCode.INVALID_ARGUMENT, message)


def _table_key(stream: str) -> tuple[str, str, str]:
    found = _STREAM.fullmatch(stream)
    if not found:
        raise _invalid(f"Invalid stream name {stream!r}")
    project, dataset, table, name = found.groups()
    if name != "_default":
        raise StatusError(
            grpc.StatusCode.UNIMPLEMENTED,
            f"Stream {name!r}: streams other than _default are not implemented by Fulcrum's emulator",
        )
    return project, dataset, table


def _refused(connection: _Connection, message: str, extra_fields: bool) -> Any:
    status = status_pb2.Status(code=grpc.StatusCode.INVALID_ARGUMENT.value[0], message=message)
    if extra_fields and connection.table_key is not None:
        project, dataset, table = connection.table_key
        detail = _StorageError(
            code=types.StorageError.StorageErrorCode.SCHEMA_MISMATCH_EXTRA_FIELDS,
            entity=f"projects/{project}/datasets/{dataset}/tables/{table}",
            error_message=message,
        )
        packed: Any = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return _Response(error=status, write_stream=connection.stream)


def _bad_rows(connection: _Connection, bad: list[tuple[int, str]]) -> Any:
    answer = _refused(
        connection,
        "Errors found while processing rows. Please refer to the row_errors field for details. The list "
        "may not be complete because of the size limitations.",
        False,
    )
    for index, message in bad:
        answer.row_errors.add(index=index, code=types.RowError.RowErrorCode.FIELDS_ERROR, message=message)
    return answer


def _schema(table: Table) -> Any:
    schema = _TableSchema()
    names = {**REST_NAMES, "INT64": "INT64", "FLOAT64": "DOUBLE", "BOOL": "BOOL"}
    for column in table.columns:
        field = schema.fields.add(name=column.name)
        field.type_ = getattr(types.TableFieldSchema.Type, names[column.type])
        field.mode = getattr(types.TableFieldSchema.Mode, column.mode)
    return schema
