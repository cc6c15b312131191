"""A run as a row of ``history.script_runs``. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from fulcrum.script import wire
from fulcrum.script.identity import effect_id
from functions.reason.decode import Done, Run
from functions.reason.outcomes import CHANGEABLE
from shared import clock
from shared.history import Row, time_us
from shared.messages import DeviceDataEvent

_json = msgspec.json.Encoder(order="deterministic").encode


def row(run: Run, done: Done, entry: str, message_id: str) -> Row:
    """The row of a run: of every one, whatever came of it."""
    message, outcome = run.message, done.outcome
    made: dict[str, Any] = {
        "project_id": message.project_id,
        "script_id": run.script_id,
        "started": done.started * 1000,
        "run_key": run.key,
        "stored_time": clock.now_ms() * 1000,
        "version": done.version,
        "entry": entry,
        "step": run.step,
        "device_id": message.device_id,
        "blueprint_id": getattr(message, "blueprint_id", None),
        "event_id": message.id,
        "content_hash": run.content_hash or None,
        "event_time": time_us(message.time),
        "received_time": time_us(run.now),
        "message_id": message_id,
        "call_id": done.call_id,
        "seq": done.seq,
        "status": outcome.status,
        "repeated": done.repeated,
        "message": _message(run, outcome),
        "params": _text(dict(run.params)) if run.params else None,
        "cpu_us": outcome.cpu_us,
        "wall_us": outcome.wall_us,
        **_left(run.key, outcome),
        **_failure(outcome.failure),
    }
    return {name: value for name, value in made.items() if value is not None}


def _left(key: str, outcome: wire.Outcome) -> dict[str, Any]:
    """What a run has decided, if it was run."""
    if outcome.status != "done":
        return {"logs": _logs(outcome)}
    effects = [_effect(effect, effect_id(key, index)) for index, effect in enumerate(outcome.effects)]
    return {
        "result": _result(outcome),
        "effects": _text(effects) if effects else None,
        "effect_count": len(effects),
        "cache": _cache(outcome.cache),
        "script_cache": _cache(outcome.script_cache),
        "logs": _logs(outcome),
    }


def _effect(effect: wire.Effect, identity: str) -> dict[str, Any]:
    """An effect under its id; what a script calls a timer stands in ``timerId``."""
    fields: dict[str, Any] = msgspec.to_builtins(effect)
    if "id" in fields:
        fields["timerId"] = fields["id"]
    return fields | {"id": identity}


def _result(outcome: wire.Outcome) -> str:
    if outcome.result is None:
        return "unchanged"
    return "stopped" if outcome.result is False else "replaced"


def _message(run: Run, outcome: wire.Outcome) -> str | None:
    """What went on in a message's place; what came in, where the history has no row of it."""
    if isinstance(outcome.result, dict):
        names = CHANGEABLE[type(run.message)]
        changed = {name: outcome.result[name] for name in names if name in outcome.result}
        return _text(msgspec.json.decode(run.raw) | changed)
    if isinstance(run.message, DeviceDataEvent) and outcome.status != "failed":
        return None
    # What failed is in no history until it has come again: a replay of the mended script has it from here.
    return bytes(run.raw).decode()


def _cache(cache: wire.Cache | None) -> str | None:
    # A cache may have been set to null, which is what its structure leaves out.
    return None if cache is None else _text({"value": cache.value})


def _logs(outcome: wire.Outcome) -> str | None:
    if not outcome.logs:
        return None
    return _text([{"level": line.level, "text": line.text} for line in outcome.logs])


def _failure(failure: wire.Failure | None) -> dict[str, Any]:
    if failure is None:
        return {}
    return {
        "failure_kind": failure.kind,
        "failure_type": failure.type or None,
        "failure_message": failure.message or None,
        "traceback": failure.traceback or None,
    }


def _text(value: Any) -> str:
    return _json(value).decode()
