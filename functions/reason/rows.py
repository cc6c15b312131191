"""Runs as rows of ``history.script_runs``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from fulcrum.script import wire
from fulcrum.script.identity import effect_id
from functions.reason.decode import Done, Run
from functions.reason.outcomes import CHANGEABLE
from shared import clock
from shared.history import Row, time_us
from shared.messages import DeviceDataEvent, ReasonRunScript

_json = msgspec.json.Encoder(order="deterministic").encode


def rows(runs: Sequence[Run], entry: str, message_id: str) -> list[Row]:
    """The rows of one delivery's runs that are done: of every one, whatever came of it.

    What they share is made once: they are many, and most of them left nothing.
    """
    done = [(run, run.done) for run in runs if run.done is not None]
    if not done:
        return []
    first = done[0][0]
    shared = {
        "stored_time": clock.now_ms() * 1000,
        "entry": entry,
        "message_id": message_id,
        "step": first.step,
    }
    if first.params:
        shared["params"] = _text(dict(first.params))
    return [_row(run, each, shared) for run, each in done]


def _row(run: Run, done: Done, shared: Row) -> Row:
    message, outcome = run.message, done.outcome
    made: Row = {
        **shared,
        "project_id": message.project_id,
        "script_id": run.script_id,
        "started": done.started * 1000,
        "run_key": run.key,
        "version": done.version,
        "event_id": message.id,
        "event_time": time_us(message.time),
        "received_time": time_us(run.now),
        "status": outcome.status,
        "repeated": done.repeated,
        "cpu_us": outcome.cpu_us,
        "wall_us": outcome.wall_us,
    }
    some = {
        "device_id": message.device_id,
        "blueprint_id": None if isinstance(message, ReasonRunScript) else message.blueprint_id,
        "content_hash": run.content_hash or None,
        "call_id": done.call_id,
        "seq": done.seq,
        "message": _message(run, outcome),
        "logs": _logs(outcome),
    }
    for name, value in some.items():
        if value is not None:
            made[name] = value
    if outcome.status == "done":
        _add_what_is_left(made, outcome)
    if outcome.failure is not None:
        _add_failure(made, outcome.failure)
    return made


def _add_what_is_left(made: Row, outcome: wire.Outcome) -> None:
    """What a run has decided."""
    made["result"] = _result(outcome)
    made["effect_count"] = len(outcome.effects)
    if outcome.effects:
        key = made["run_key"]
        effects = [_effect(effect, effect_id(key, index)) for index, effect in enumerate(outcome.effects)]
        made["effects"] = _text(effects)
    # A cache may have been set to null, which is what its structure leaves out.
    if outcome.cache is not None:
        made["cache"] = _text({"value": outcome.cache.value})
    if outcome.script_cache is not None:
        made["script_cache"] = _text({"value": outcome.script_cache.value})


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


def _logs(outcome: wire.Outcome) -> str | None:
    if not outcome.logs:
        return None
    return _text([{"level": line.level, "text": line.text} for line in outcome.logs])


def _add_failure(made: Row, failure: wire.Failure) -> None:
    made["failure_kind"] = failure.kind
    some = {
        "failure_type": failure.type,
        "failure_message": failure.message,
        "traceback": failure.traceback,
    }
    made |= {name: text for name, text in some.items() if text}


def _text(value: Any) -> str:
    return _json(value).decode()
