"""The official clients, pointed at one emulator, and short forms for requests."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient, FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import (
    FirestoreGrpcAsyncIOTransport,
    FirestoreGrpcTransport,
)

from tests.support.emulators import Address

NAN = float("nan")


class Raw:
    """A value that Python has no type for, in protobuf's own words."""

    def __init__(self, **value: Any) -> None:
        self.value = value


def value(item: Any) -> dict[str, Any]:
    """A Python value as a Value."""
    if isinstance(item, Raw):
        return item.value
    if item is None:
        return {"null_value": 0}
    if isinstance(item, list):
        return {"array_value": {"values": [value(inner) for inner in item]}}
    if isinstance(item, dict):
        return {"map_value": {"fields": {key: value(inner) for key, inner in item.items()}}}
    kinds = {bool: "boolean_value", int: "integer_value", float: "double_value", str: "string_value"}
    return {kinds.get(type(item), "bytes_value"): item}


def where(path: str, op: str, compared: Any) -> dict[str, Any]:
    """A field filter."""
    return {"field_filter": {"field": {"field_path": path}, "op": op, "value": value(compared)}}


def unary(path: str, op: str) -> dict[str, Any]:
    """A unary filter."""
    return {"unary_filter": {"field": {"field_path": path}, "op": op}}


def both(*filters: dict[str, Any]) -> dict[str, Any]:
    """A conjunction."""
    return {"composite_filter": {"op": "AND", "filters": list(filters)}}


def either(*filters: dict[str, Any]) -> dict[str, Any]:
    """A disjunction."""
    return {"composite_filter": {"op": "OR", "filters": list(filters)}}


def order(*paths: str) -> list[dict[str, Any]]:
    """An order; ``-`` before a path means descending."""
    return [
        {
            "field": {"field_path": path.removeprefix("-")},
            "direction": "DESCENDING" if path.startswith("-") else "ASCENDING",
        }
        for path in paths
    ]


class Api:
    """One emulator, and a project in it for one test."""

    def __init__(self, address: Address, monkeypatch: pytest.MonkeyPatch, project: str = "") -> None:
        self.kind = address.kind
        self.grpc = address.grpc
        self.http = address.http
        self.project = project or f"p-{uuid4().hex[:10]}"
        self.database = f"projects/{self.project}/databases/(default)"
        self.root = f"{self.database}/documents"
        self.metadata = [
            ("authorization", "Bearer owner"),  # Google's wants it for what needs an administrator
            ("google-cloud-resource-prefix", self.database),
        ]
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address.grpc)
        self._channel = grpc.insecure_channel(address.grpc)
        self._gapic = FirestoreClient(transport=FirestoreGrpcTransport(channel=self._channel))
        self.client = firestore.Client(project=self.project)

    def call(self, method: str, **request: Any) -> Any:
        """A method of the gapic client by its Python name, tried once; a stream comes as a list."""
        answer = getattr(self._gapic, method)(request=request, metadata=self.metadata, timeout=20, retry=None)
        return list(answer) if method in _STREAMS else answer

    def async_gapic(self) -> FirestoreAsyncClient:
        """An async gapic client, to be made in the loop that uses it."""
        channel = grpc.aio.insecure_channel(self.grpc)
        return FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel))

    def name(self, path: str) -> str:
        """The full name of a document."""
        return f"{self.root}/{path}"

    def ref(self, path: str) -> Raw:
        """A reference value."""
        return Raw(reference_value=self.name(path))

    def document(self, path: str, **fields: Any) -> dict[str, Any]:
        """A Document."""
        return {"name": self.name(path), "fields": {key: value(item) for key, item in fields.items()}}

    def set(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """A Write that sets a whole document; ``more`` are further parts of the Write."""
        return {"update": self.document(path, **(fields or {})), **more}

    def delete(self, path: str, **more: Any) -> dict[str, Any]:
        """A Write that deletes."""
        return {"delete": self.name(path), **more}

    def transform(self, path: str, *transforms: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A Write that transforms."""
        return {
            "transform": {"document": self.name(path), "field_transforms": list(transforms)},
            **more,
        }

    def commit(self, *writes: dict[str, Any], **more: Any) -> Any:
        """Commit."""
        return self.call("commit", database=self.database, writes=list(writes), **more)

    def batch_write(self, *writes: dict[str, Any]) -> Any:
        """BatchWrite."""
        return self.call("batch_write", database=self.database, writes=list(writes))

    def get(self, path: str, **more: Any) -> Any:
        """GetDocument."""
        return self.call("get_document", name=self.name(path), **more)

    def read(self, path: str) -> dict[str, Any] | None:
        """The content of a document through the high-level client; None if it is missing."""
        content: dict[str, Any] | None = self.client.document(path).get().to_dict()
        return content

    def query(self, structured: dict[str, Any], parent: str = "", **more: Any) -> list[str]:
        """The relative names that a query finds, in order."""
        answers = self.call("run_query", parent=parent or self.root, structured_query=structured, **more)
        return [
            answer.document.name.removeprefix(self.root + "/") for answer in answers if answer.document.name
        ]

    def begin(self, **options: Any) -> bytes:
        """BeginTransaction."""
        answer = self.call("begin_transaction", database=self.database, options=options)
        return bytes(answer.transaction)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control route of ours."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.http + path, data, method=method)  # noqa: S310 loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 loopback
            return json.load(answer)

    def close(self) -> None:
        """Close the clients."""
        self.client.close()
        self._channel.close()


_STREAMS = frozenset(("batch_get_documents", "run_query", "run_aggregation_query"))


def code_of(call: Callable[[], Any]) -> str:
    """The status name of a call's answer, OK included."""
    return outcome(call)[0]


def outcome(call: Callable[[], Any]) -> tuple[str, str]:
    """The status name of a call's answer and its message."""
    try:
        call()
    except GoogleAPICallError as error:
        return error.grpc_status_code.name if error.grpc_status_code else "UNKNOWN", error.message
    return "OK", ""


def eventually(check: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Poll until ``check`` gives something true; what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true after {seconds} s: {check}")
        time.sleep(0.02)
    return found
