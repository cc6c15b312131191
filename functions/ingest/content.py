"""What one event says, checked: names, writes, values, records. No clock, no stores."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from fulcrum.core import paths
from functions.ingest.split import TOO_DEEP, Fault, integer_too_large
from shared.messages import Write

MAX_NAME = 128
MAX_RECORDS = 1_000

_FIELDS = frozenset({"aliasKey", "deviceId", "time", "id", "historical", "data", "event"})
_RECORD_FIELDS = frozenset({"type", "time", "id", "data"})
_WRITE_FORMS = (frozenset({"path", "value"}), frozenset({"path", "value", "op"}), frozenset({"path", "op"}))
_OPS = ("set", "replace", "delete")
_PLAIN = frozenset({str, float, bool, type(None)})
_INT64 = range(-(2**63), 2**63)


class Refused(Exception):
    """The event cannot be taken; the fault says why."""

    def __init__(self, error: str, message: str, description: str) -> None:
        super().__init__(message)
        self.fault = Fault(error, message, description)


class Content(msgspec.Struct, frozen=True):
    """One event as its sender meant it. ``time`` is as sent; ``event`` are its raw records."""

    alias_key: str
    device_id: str
    id: str | None
    time: Any
    historical: bool
    writes: list[Write]
    event: Any
    records: list[dict[str, Any]]


def check(raw: Any, alias_keys: tuple[str, ...]) -> Content:
    """Check a decoded event of a network with these alias keys; raises Refused with the reason."""
    if type(raw) is not dict:
        raise Refused(
            "event.notAnObject", f"the event is {_kind(raw)}", "send an object with deviceId and data"
        )
    if not raw.keys() <= _FIELDS:
        unknown = ", ".join(sorted(repr(key[:64]) for key in raw.keys() - _FIELDS)[:5])
        raise Refused(
            "event.unknownField",
            f"unknown field {unknown}",
            "an event has deviceId, aliasKey, time, id, historical, data and event",
        )
    device_id = raw.get("deviceId")
    if device_id is None:
        raise Refused("event.noDevice", "deviceId is missing", "name the device as its network knows it")
    _name("deviceId", device_id)
    sent_id = raw.get("id")
    if sent_id is not None:
        _name("id", sent_id)
    historical = raw.get("historical")
    if historical is None:
        historical = False
    elif type(historical) is not bool:
        raise Refused("event.badHistorical", "historical is neither true nor false", "send true or false")
    event = raw.get("event")
    writes = _writes(raw.get("data"))
    records = _records(event)
    if not writes and not records:
        raise Refused("event.empty", "the event carries nothing", "send data, an event record, or both")
    time = raw.get("time")
    if type(time) is not str and type(time) is not float:
        _value(time, 1)
    return Content(
        _alias_key(raw.get("aliasKey"), alias_keys),
        device_id,
        sent_id,
        time,
        historical,
        writes,
        event,
        records,
    )


def names(raw: dict[str, Any], alias_keys: tuple[str, ...]) -> tuple[str, str]:
    """The alias key and the outside name of the device that a decoded object names; raises Refused."""
    if (device_id := raw.get("deviceId")) is None:
        raise Refused("event.noDevice", "deviceId is missing", "name the device as its network knows it")
    _name("deviceId", device_id)
    return _alias_key(raw.get("aliasKey"), alias_keys), device_id


def value(sent: Any) -> None:
    """Check that a value is one that can be stored, any keys allowed; raises Refused."""
    _value(sent, 1)


def _alias_key(sent: Any, known: tuple[str, ...]) -> str:
    if sent is None:
        if known:
            return known[0]
        raise Refused(
            "event.noAliasKey", "aliasKey is missing and the network has none", "name the alias key"
        )
    _name("aliasKey", sent)
    if known and sent not in known:
        raise Refused(
            "event.unknownAliasKey",
            f"the network has no alias key {sent!r}",
            f"use one of: {', '.join(known)}",
        )
    return str(sent)


def _name(field: str, value: Any) -> None:
    if type(value) is not str:
        raise Refused(
            f"event.bad{field[0].upper()}{field[1:]}", f"{field} is {_kind(value)}", "send a string"
        )
    if not 0 < len(value) <= MAX_NAME or not value.isprintable():
        raise Refused(
            f"event.bad{field[0].upper()}{field[1:]}",
            f"{field} is not 1 to {MAX_NAME} printable characters",
            "shorten it and leave out control characters",
        )


def _writes(data: Any) -> list[Write]:
    if data is None:
        return []
    if type(data) is dict:
        if "path" in data and data.keys() in _WRITE_FORMS and type(data["path"]) is str:
            return _few_enough([_write(data)])
        if len(data) > paths.MAX_PATHS:
            raise _too_many(len(data))
        return _few_enough([_set(path, value) for path, value in data.items()])
    if type(data) is list:
        if len(data) > paths.MAX_PATHS:
            raise _too_many(len(data))
        return _few_enough([_write(item) for item in data])
    raise Refused(
        "event.badData",
        f"data is {_kind(data)}",
        "send an object of path and value, or an array of {path, value}",
    )


def _few_enough(writes: list[Write]) -> list[Write]:
    """The writes, if their leaves and cleared paths are no more than a device may have."""
    count = len(writes)
    for write in writes:
        value = write.value
        if type(value) is dict and value:
            count += _leaves(value) - (write.op != "replace")
    if count > paths.MAX_PATHS:
        raise _too_many(count)
    return writes


def _leaves(value: dict[str, Any]) -> int:
    count = len(value)
    for inner in value.values():
        if type(inner) is dict and inner:
            count += _leaves(inner) - 1
    return count


def _too_many(count: int) -> Refused:
    return Refused(
        "event.tooManyPaths",
        f"the event writes {count} paths",
        f"send at most {paths.MAX_PATHS} paths an event, keys of objects included; an array is one",
    )


def _set(path: str, value: Any) -> Write:
    depth = _path(path)
    kind = type(value)
    if kind not in _PLAIN:
        _data_value(path, value, depth)
    return Write(path, value)


def _write(item: Any) -> Write:
    if type(item) is not dict:
        raise Refused("event.badWrite", f"an entry of data is {_kind(item)}", "send {path, value}")
    if item.keys() not in _WRITE_FORMS:
        raise Refused(
            "event.badWrite",
            "an entry of data has not exactly path, value and at will op",
            "send {path, value}, {path, value, op} or {path, op: 'delete'}",
        )
    path = item["path"]
    if type(path) is not str:
        raise Refused("event.badPath", f"a path is {_kind(path)}", "send a string such as 'temperature'")
    op = item.get("op")
    if op is None and "op" not in item:
        return _set(path, item["value"])
    if type(op) is not str or op not in _OPS:
        raise Refused("event.badOp", f"op of {path[:100]!r} is unknown", f"use one of: {', '.join(_OPS)}")
    if op == "delete":
        if item.get("value") is not None:
            raise Refused("event.badOp", f"delete of {path[:100]!r} has a value", "leave the value out")
        _path(path)
        return Write(path, None, "delete")
    if "value" not in item:
        raise Refused("event.badWrite", f"{op} of {path[:100]!r} has no value", "send a value, or null")
    _set(path, item["value"])
    return Write(path, item["value"], "replace" if op == "replace" else "set")


def _path(path: str) -> int:
    """Check a path; returns how many segments it has."""
    problem, segments = _checked(path) if len(path) <= paths.MAX_LENGTH else (paths.problem(path), 0)
    if problem:
        raise Refused("event.badPath", problem, "see the path grammar: segments joined by '/'")
    return segments


@lru_cache(maxsize=8192)
def _checked(path: str) -> tuple[str, int]:
    return paths.problem(path), path.count("/") + 1


def _data_value(path: str, value: Any, depth: int) -> None:
    """Check a value that stands at a path: object keys continue the path."""
    kind = type(value)
    if kind is dict:
        if depth >= paths.MAX_DEPTH and value:
            raise Refused(TOO_DEEP.error, TOO_DEEP.message, TOO_DEEP.description)
        for key, inner in value.items():
            _segment(path, key)
            if type(inner) not in _PLAIN:
                _data_value(f"{path}/{key}", inner, depth + 1)
    else:
        _value(value, depth)


def _segment(path: str, key: str) -> None:
    problem = paths.problem(key) if "/" not in key else f"key {key[:100]!r} holds '/'"
    if not problem and len(path) + 1 + len(key) > paths.MAX_LENGTH:
        problem = f"path {path[:40]!r}... is longer than {paths.MAX_LENGTH} characters with its keys"
    if problem:
        raise Refused(
            "event.badKey", f"below {path[:100]!r}: {problem}", "use keys of a-z A-Z 0-9 _ in objects"
        )


def _value(value: Any, depth: int) -> None:
    """Check a value at ``depth``: integers fit 64 bits, nesting is limited, any keys do."""
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind is int:
        if value not in _INT64:
            # An integer of millions of digits is not turned into text.
            text = str(value) if value.bit_length() < 200 else f"of {value.bit_length()} bits"
            fault = integer_too_large(text)
            raise Refused(fault.error, fault.message, fault.description)
        return
    if depth >= paths.MAX_DEPTH and value:
        raise Refused(TOO_DEEP.error, TOO_DEEP.message, TOO_DEEP.description)
    for inner in value.values() if kind is dict else value:
        if type(inner) not in _PLAIN:
            _value(inner, depth + 1)


def _records(event: Any) -> list[dict[str, Any]]:
    if event is None:
        return []
    records = event if type(event) is list else [event]
    if len(records) > MAX_RECORDS:
        raise Refused(
            "event.tooManyRecords", f"the event has {len(records)} records", f"send at most {MAX_RECORDS}"
        )
    seen: set[str] = set()
    for record in records:
        if type(record) is not dict or not record.keys() <= _RECORD_FIELDS:
            raise Refused(
                "event.badRecord",
                "an event record is no object of type, time, id and data alone",
                "send {type, time, data}",
            )
        for field in ("type", "id"):
            if record.get(field) is not None:
                _name(field, record[field])
        if (sent_id := record.get("id")) is not None:
            if sent_id in seen:
                raise Refused(
                    "event.repeatedId", f"two records have the id {sent_id!r}", "give each its own, or none"
                )
            seen.add(sent_id)
        _value(record.get("data"), 1)
        _value(record.get("time"), 1)
    return records


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if type(value) is bool:
        return "a boolean"
    return {str: "a string", int: "a number", float: "a number", list: "an array", dict: "an object"}[
        type(value)
    ]
