"""The raw protobuf classes of the service, and answers that are bytes already.

The classes behind proto-plus are several times cheaper than proto-plus itself, which no hot path
of this emulator touches.
"""

from __future__ import annotations

from typing import Any

from google.cloud.firestore_v1 import types

Document: Any = types.Document.pb()
Value: Any = types.Value.pb()
MapValue: Any = types.MapValue.pb()
ArrayValue: Any = types.ArrayValue.pb()
Write: Any = types.Write.pb()
WriteResult: Any = types.WriteResult.pb()
StructuredQuery: Any = types.StructuredQuery.pb()

GetDocumentRequest: Any = types.GetDocumentRequest.pb()
BatchGetDocumentsRequest: Any = types.BatchGetDocumentsRequest.pb()
BatchGetDocumentsResponse: Any = types.BatchGetDocumentsResponse.pb()
ListDocumentsRequest: Any = types.ListDocumentsRequest.pb()
ListDocumentsResponse: Any = types.ListDocumentsResponse.pb()
ListCollectionIdsRequest: Any = types.ListCollectionIdsRequest.pb()
ListCollectionIdsResponse: Any = types.ListCollectionIdsResponse.pb()
CreateDocumentRequest: Any = types.CreateDocumentRequest.pb()
UpdateDocumentRequest: Any = types.UpdateDocumentRequest.pb()
DeleteDocumentRequest: Any = types.DeleteDocumentRequest.pb()
CommitRequest: Any = types.CommitRequest.pb()
CommitResponse: Any = types.CommitResponse.pb()
BatchWriteRequest: Any = types.BatchWriteRequest.pb()
BatchWriteResponse: Any = types.BatchWriteResponse.pb()
BeginTransactionRequest: Any = types.BeginTransactionRequest.pb()
BeginTransactionResponse: Any = types.BeginTransactionResponse.pb()
RollbackRequest: Any = types.RollbackRequest.pb()
RunQueryRequest: Any = types.RunQueryRequest.pb()
RunQueryResponse: Any = types.RunQueryResponse.pb()
RunAggregationQueryRequest: Any = types.RunAggregationQueryRequest.pb()
RunAggregationQueryResponse: Any = types.RunAggregationQueryResponse.pb()
ListenRequest: Any = types.ListenRequest.pb()
ListenResponse: Any = types.ListenResponse.pb()


class Encoded:
    """An answer whose bytes are known: it serialises to them."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def SerializeToString(self) -> bytes:
        """The bytes, under the name that a protobuf message gives to this."""
        return self._raw


def varint(number: int) -> bytes:
    """A base-128 varint of a number that is not negative."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def delimited(field: int, raw: bytes) -> bytes:
    """A length-delimited field (a message, string or bytes) with its tag; ``field`` is below 16."""
    return bytes((field << 3 | 2,)) + varint(len(raw)) + raw


def timestamp(micros: int) -> bytes:
    """The bytes of a google.protobuf.Timestamp."""
    seconds, rest = divmod(micros, 1_000_000)
    raw = b"\x08" + varint(seconds)
    return raw + b"\x10" + varint(rest * 1000) if rest else raw
