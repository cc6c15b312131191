"""A raw stream of Listen."""

from __future__ import annotations

import queue
from typing import Any

import grpc
from google.cloud.firestore_v1.types import ListenRequest, ListenResponse

from tests.integration.firestore.api import Api


class Stream:
    """A raw stream of Listen."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._requests: queue.Queue[Any] = queue.Queue()
        self._channel = grpc.insecure_channel(api.grpc)
        open_stream: Any = self._channel.stream_stream(
            "/google.firestore.v1.Firestore/Listen",
            request_serializer=ListenRequest.serialize,
            response_deserializer=ListenResponse.deserialize,
        )
        self._call: Any = open_stream(iter(self._requests.get, None), metadata=api.metadata, timeout=30)

    def send(self, **request: Any) -> None:
        self._requests.put(ListenRequest(database=self._api.database, **request))

    def until_consistent(self) -> list[Any]:
        """The answers up to the next NO_CHANGE with a read time, that one included."""
        found: list[Any] = []
        for answer in self._call:
            found.append(answer)
            change = answer.target_change
            if change.read_time and not change.target_ids and change.target_change_type == 0:
                break
        return found

    def close(self) -> None:
        self._requests.put(None)
        self._call.cancel()
        self._channel.close()
