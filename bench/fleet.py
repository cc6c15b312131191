"""Devices by the hundred thousand, made at once in the Firestore emulator, and the events that they send.

The shapes of the documents are those that :mod:`local.seed` writes: it makes the first device, and every
other one is a copy of that with its own names.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.cloud import firestore
from google.cloud.firestore_v1.types import document as document_types
from google.cloud.firestore_v1.types import firestore as firestore_types

from bench.names import CLOUD_PROJECT
from fulcrum.core import ids
from local.seed import SeedDevice, SeedNetwork, SeedProject, create

_WRITES = 500
_PROJECT, _NETWORK, _KEY, _BLUEPRINT = "bench", "bench", "serial", "sensor"
_ROOT = f"projects/{CLOUD_PROJECT}/databases/(default)"
_METHODS = "/google.firestore.v1.Firestore/"


@dataclass(frozen=True)
class Fleet:
    """The devices of one project, by their outside names, and what a sender needs to speak for them.

    ``first`` is the platform's own id of the first device.
    """

    project: str
    first: str
    values: list[str]
    path: str
    headers: dict[str, str]


def create_fleet(firestore_address: str, size: int) -> Fleet:
    """Write a project with ``size`` devices into the emulator at ``firestore_address`` (host:port)."""
    client = store_client(firestore_address)
    first = SeedDevice(_device(0), _BLUEPRINT, _NETWORK, _value(0), _KEY)
    keys = create(
        client, SeedProject(_PROJECT, (SeedNetwork(_NETWORK, (_KEY,)),), {_BLUEPRINT: None}, (first,))
    )
    with grpc.insecure_channel(firestore_address) as channel:
        _copy(channel, size)
    headers = {"Authorization": f"Bearer {keys[_NETWORK]}", "Content-Type": "application/json"}
    return Fleet(
        _PROJECT, _device(0), [_value(number) for number in range(size)], f"/rcv/{_NETWORK}", headers
    )


def write(firestore_address: str, path: str, fields: Mapping[str, Any]) -> None:
    """Write a document, whole."""
    store_client(firestore_address).document(path).set(dict(fields))


def store_client(address: str, project: str = CLOUD_PROJECT) -> firestore.Client:
    """Google's client of the Firestore emulator at an address."""
    # The client knows an emulator by this variable alone, and reads it once, here.
    os.environ["FIRESTORE_EMULATOR_HOST"] = address
    try:
        return firestore.Client(project=project)
    finally:
        del os.environ["FIRESTORE_EMULATOR_HOST"]


def _device(number: int) -> str:
    return f"device{number:06d}"


def _value(number: int) -> str:
    return f"SN-{number:06d}"


def _device_name(number: int) -> str:
    return f"{_ROOT}/documents/projects/{_PROJECT}/devices/{_device(number)}"


def _alias_name(number: int) -> str:
    return f"{_ROOT}/documents/aliases/{ids.alias_id(_NETWORK, _KEY, _value(number))}"


def _copy(channel: grpc.Channel, size: int) -> None:
    document = document_types.Document.pb()
    get: Any = channel.unary_unary(
        f"{_METHODS}GetDocument",
        request_serializer=firestore_types.GetDocumentRequest.pb().SerializeToString,
        response_deserializer=document.FromString,
    )
    write: Any = channel.unary_unary(
        f"{_METHODS}BatchWrite",
        request_serializer=firestore_types.BatchWriteRequest.pb().SerializeToString,
        response_deserializer=firestore_types.BatchWriteResponse.pb().FromString,
    )
    new_get = firestore_types.GetDocumentRequest.pb()
    new_batch = firestore_types.BatchWriteRequest.pb()
    device = get(new_get(name=_device_name(0)))
    alias = get(new_get(name=_alias_name(0)))
    for template in (device, alias):
        template.ClearField("create_time")
        template.ClearField("update_time")
    for start in range(1, size, _WRITES // 2):
        batch = new_batch(database=_ROOT)
        for number in range(start, min(start + _WRITES // 2, size)):
            _fill_device(batch.writes.add().update, device, number)
            _fill_alias(batch.writes.add().update, alias, number)
        refused = [status for status in write(batch).status if status.code]
        if refused:
            raise RuntimeError(f"the emulator refused a device: {refused[0]}")


def _fill_device(copy: Any, template: Any, number: int) -> None:
    copy.CopyFrom(template)
    copy.name = _device_name(number)
    copy.fields["name"].string_value = _device(number)
    aliases = copy.fields["networkAliases"].map_value.fields[_NETWORK].map_value.fields
    aliases[_KEY].string_value = _value(number)


def _fill_alias(copy: Any, template: Any, number: int) -> None:
    copy.CopyFrom(template)
    copy.name = _alias_name(number)
    copy.fields["deviceId"].string_value = _device(number)
    copy.fields["value"].string_value = _value(number)


def event(value: str, event_id: str, time_ms: int) -> bytes:
    """One event as a device sends it: three numbers, one of them in a folder of its own."""
    chance = random.Random(event_id)
    data = {
        "temperature": round(chance.uniform(2, 9), 2),
        "humidity": round(chance.uniform(60, 80), 1),
        "engine/rpm": chance.randrange(700, 3200),
    }
    return json.dumps({"deviceId": value, "id": event_id, "time": time_ms, "data": data}).encode()


def arrays(events: list[bytes], size: int = 100) -> Iterator[bytes]:
    """Events as a gateway posts them: ``size`` in an array."""
    for start in range(0, len(events), size):
        yield b"[" + b",".join(events[start : start + size]) + b"]"


def newest_time(firestore_address: str, number: int) -> int:
    """The time (ms) of the newest event that a device's document shows; 0 for none."""
    reference = store_client(firestore_address).document(f"projects/{_PROJECT}/devices/{_device(number)}")
    return int((reference.get().to_dict() or {}).get("lastEventTime") or 0)
