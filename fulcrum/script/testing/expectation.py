"""What is expected of an event: its outcome in the form that a file has and that is compared.

``{"status", "missing", "result", "effects", "cache", "scriptCache", "logs", "failure"}``. ``result`` is None
where it is not named, or what a message in the event's place has otherwise: of ``data``, ``event``, ``time``
and ``historical``, since the rest stays as it is. ``effects``: none where they are not named. ``cache`` and
``scriptCache`` are there where they were set. ``logs`` (lines, or ``{level, text}``) are compared where they
are named. ``failure``: of ``kind``, ``type`` and ``message`` those that are named.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec

from fulcrum import json_yaml
from fulcrum.script import wire
from fulcrum.script.testing import instants

_KEYS = ("status", "missing", "result", "effects", "cache", "scriptCache", "logs", "failure")
_FAILURE = ("kind", "type", "message")
_STATUS = ("done", "unmet", "failed")
# What a result may change of a message.
_CHANGEABLE = ("data", "event", "time", "historical")


def of(outcome: wire.Outcome, message: Mapping[str, Any]) -> dict[str, Any]:
    """What the run of a message came to, in full: logs and failure included."""
    made: dict[str, Any] = {}
    if outcome.status != "done":
        made["status"] = outcome.status
    if outcome.missing:
        made["missing"] = list(outcome.missing)
    if outcome.status == "done":
        made["result"] = changed(outcome.result, message)
        made["effects"] = [msgspec.to_builtins(effect) for effect in outcome.effects]
        if outcome.cache is not None:
            made["cache"] = outcome.cache.value
        if outcome.script_cache is not None:
            made["scriptCache"] = outcome.script_cache.value
    if outcome.logs:
        made["logs"] = [{"level": line.level, "text": line.text} for line in outcome.logs]
    if outcome.failure is not None:
        found = msgspec.to_builtins(outcome.failure)
        made["failure"] = {key: found[key] for key in _FAILURE if key in found}
    return made


def changed(result: Any, message: Mapping[str, Any]) -> Any:
    """A result; of a message in the place of ``message`` what it has otherwise."""
    if not isinstance(result, Mapping):
        return result
    return {key: result[key] for key in _CHANGEABLE if key in result and result[key] != message.get(key)}


def normal(value: Any, message: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says of a message, as it is compared; ValueError, with the key, for what is wrong."""
    if not isinstance(value, dict):
        raise ValueError("write an object, as in expected: {result: null, effects: []}")
    for key in value:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, 1, 0.5)
            raise ValueError(
                f"{key}: " + (f"did you mean {near[0]}?" if near else f"known: {', '.join(_KEYS)}")
            )
    made = dict(value)
    if "failure" in value:
        made["failure"] = _failure(value["failure"])
        made.setdefault("status", "failed")
    if "missing" in value:
        made.setdefault("status", "unmet")
    status = made.setdefault("status", "done")
    if status not in _STATUS:
        raise ValueError(f"status: one of {', '.join(_STATUS)}")
    if status == "done":
        del made["status"]
        made["result"] = _result(value.get("result"), message)
        made["effects"] = _effects(value.get("effects", []))
    if "logs" in value:
        made["logs"] = _logs(value["logs"])
    return made


def _failure(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or any(key not in _FAILURE for key in value):
        raise ValueError(f"failure: write an object of {', '.join(_FAILURE)}, those that matter")
    return value


def _result(value: Any, message: Mapping[str, Any]) -> Any:
    if value is None or value is False:
        return value
    if not isinstance(value, dict):
        raise ValueError("result: null carries on, false stops, an object is the message in its place")
    made = _timed("result", value)
    if isinstance(made.get("data"), dict):
        made["data"] = [{"path": path, "value": inner} for path, inner in made["data"].items()]
    for key in made:
        if key not in _CHANGEABLE and made[key] != message.get(key):
            raise ValueError(f"result/{key}: a result can change {', '.join(_CHANGEABLE)}, and nothing else")
    return changed(made, message)


def _effects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ValueError("effects: write a list, as in effects: []")
    return [_effect(f"effects/{at}", one) for at, one in enumerate(value)]


def _effect(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: write an object with a type, such as sendSms")
    made = _timed(where, value)
    if made.get("type") == "setDeviceData" and isinstance(made.get("data"), dict):
        made["data"] = [{"path": path, "value": inner} for path, inner in made["data"].items()]
    try:
        found = effect(made)
    except msgspec.ValidationError as error:
        raise ValueError(f"{where}: {error}") from None
    known = _fields(found["type"])
    strange = sorted(set(made) - set(known))
    if strange:
        raise ValueError(f"{where}/{strange[0]}: known of a {found['type']}: {', '.join(known)}")
    return found


def effect(value: Mapping[str, Any]) -> dict[str, Any]:
    """An effect with its fields in their order; msgspec.ValidationError for what is none."""
    made: dict[str, Any] = msgspec.to_builtins(msgspec.convert(value, wire.Effect))
    return made


def _fields(tag: str) -> tuple[str, ...]:
    (kind,) = (one for one in get_args(wire.Effect) if one.__struct_config__.tag == tag)
    return ("type", *kind.__struct_encode_fields__)


def _logs(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list):
        raise ValueError("logs: write a list of lines")
    made = []
    for at, line in enumerate(value):
        if isinstance(line, str):
            line = {"level": "info", "text": line}
        if not isinstance(line, dict) or set(line) != {"level", "text"}:
            raise ValueError(f"logs/{at}: write a text, or {{level: error, text: ...}}")
        made.append(line)
    return made


def _timed(where: str, value: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(value)
    for key in ("time", "receivedTime"):
        if key in made:
            try:
                made[key] = instants.to_ms(made[key])
            except ValueError as error:
                raise ValueError(f"{where}/{key}: {error}") from None
    return made


def write(expected: Mapping[str, Any]) -> str:
    """The block ``expected:`` of a file."""
    made = {key: expected[key] for key in _KEYS if key in expected}
    if isinstance(made.get("result"), dict):
        made["result"] = _readable(made["result"])
    if "effects" in made:
        made["effects"] = [_readable(effect) for effect in made["effects"]]
    if "logs" in made:
        made["logs"] = [line["text"] if line["level"] == "info" else line for line in made["logs"]]
    return json_yaml.write({"expected": made}, compact=True)


def _readable(value: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(value)
    for key in ("time", "receivedTime"):
        if isinstance(made.get(key), int) and not isinstance(made[key], bool):
            made[key] = instants.to_text(made[key])
    if isinstance(made.get("data"), list):
        made["data"] = by_path(made["data"])
    return made


def by_path(data: Sequence[Any]) -> Any:
    """Writes as values by path, where that says the same; else as they are."""
    plain = all(isinstance(write, dict) and set(write) == {"path", "value"} for write in data)
    if not plain or len({write["path"] for write in data}) < len(data):
        return data
    return {write["path"]: write["value"] for write in data}
