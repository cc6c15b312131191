"""The protobuf messages of Firestore's protocol, as google-cloud-firestore ships them, without its client.

These are the raw classes below the package's proto-plus wrappers: building a value with them costs a
twentieth. Nothing is imported before the first call of :func:`messages`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from shared.clients.lean import skip_init


class Messages(NamedTuple):
    """Raw protobuf classes of ``google.firestore.v1``; see the protocol's reference for their fields."""

    Value: Any
    Document: Any
    DocumentMask: Any
    Precondition: Any
    Write: Any
    FieldTransform: Any
    StructuredQuery: Any
    BatchGetDocumentsRequest: Any
    BatchGetDocumentsResponse: Any
    BatchWriteRequest: Any
    BatchWriteResponse: Any
    CommitRequest: Any
    CommitResponse: Any
    RunQueryRequest: Any
    RunQueryResponse: Any


@cache
def messages() -> Messages:
    """The classes; the first call imports them (about 30 ms of CPU)."""
    skip_init("google.cloud.firestore_v1")
    from google.cloud.firestore_v1.types import common, document, firestore, query, write

    return Messages(
        Value=document.Value.pb(),
        Document=document.Document.pb(),
        DocumentMask=common.DocumentMask.pb(),
        Precondition=common.Precondition.pb(),
        Write=write.Write.pb(),
        FieldTransform=write.DocumentTransform.FieldTransform.pb(),
        StructuredQuery=query.StructuredQuery.pb(),
        BatchGetDocumentsRequest=firestore.BatchGetDocumentsRequest.pb(),
        BatchGetDocumentsResponse=firestore.BatchGetDocumentsResponse.pb(),
        BatchWriteRequest=firestore.BatchWriteRequest.pb(),
        BatchWriteResponse=firestore.BatchWriteResponse.pb(),
        CommitRequest=firestore.CommitRequest.pb(),
        CommitResponse=firestore.CommitResponse.pb(),
        RunQueryRequest=firestore.RunQueryRequest.pb(),
        RunQueryResponse=firestore.RunQueryResponse.pb(),
    )
