"""The types of a script: what an editor completes and mypy checks in it.

Nothing here is needed when a script runs: a message is a plain dict, as it stands on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class WriteDict(TypedDict):
    """One change of a device's data; ``op`` is ``set`` where there is none."""

    path: str
    value: NotRequired[Any]
    op: NotRequired[Literal["set", "replace", "delete"]]


class EventRecordDict(TypedDict, total=False):
    """An occurrence worth keeping by itself; ``type`` is the list it belongs to."""

    type: str
    time: int
    id: str
    data: Any


class Message(TypedDict):
    """What a script is called with. Times are epoch milliseconds.

    ``type`` is ``deviceDataEventMsg`` for what a device sent, ``deviceEventAckMsg`` where somebody took
    notice of an event record, ``reasonRunScript`` where a timer (``timerId``), a person or another script
    runs it.
    A script may change ``data``, ``event``, ``time`` and ``historical``; the rest stays as it is.
    """

    type: str
    id: str
    time: int
    projectId: str
    receivedTime: NotRequired[int]
    hash: NotRequired[str]
    deviceId: NotRequired[str]
    systemId: NotRequired[str]
    blueprintId: NotRequired[str]
    networkId: NotRequired[str]
    data: NotRequired[list[WriteDict]]
    event: NotRequired[list[EventRecordDict]]
    eventType: NotRequired[str]
    historical: NotRequired[bool]
    originalTime: NotRequired[Any]
    timerId: NotRequired[str]
    source: NotRequired[str]
    userId: NotRequired[str]
    scriptId: NotRequired[str]


# None carries on unchanged, False stops, an object is the message in its place.
Result: TypeAlias = Literal[False] | Mapping[str, object] | None
