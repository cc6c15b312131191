"""One call of a script's function: what goes in, by what was read, and what came out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from fulcrum.script import wire
from functions.reason.decode import Run
from functions.reason.reading import Reading
from functions.reason.scripts import Script
from shared.errors import Transient

_encode = msgspec.json.Encoder().encode
_answer = msgspec.json.Decoder(wire.Answer)


def request(script: Script, entry: str, runs: Sequence[Run], reading: Reading) -> bytes:
    """The body of a call for runs, in their order."""
    devices = {run.message.device_id for run in runs}
    call = wire.Call(
        script_id=script.id,
        project_id=script.project_id,
        entry=entry,
        project=reading.project,
        systems=reading.systems,
        blueprints=reading.blueprints,
        devices={key: value for key, value in reading.devices.items() if key in devices},
        caches={key: value for key, value in reading.caches.items() if key in devices},
        script_cache=reading.script_cache,
        events=[_event(run) for run in runs],
    )
    return _encode(call)


def _event(run: Run) -> wire.Event:
    return wire.Event(
        key=run.key,
        # It is JSON already, and nothing here looks at it.
        message=cast(dict[str, Any], run.raw),
        now=run.now,
        seed=run.seed,
        device_id=run.message.device_id,
        params=dict(run.params),
        follows=run.follows,
    )


def answer(body: bytes, runs: Sequence[Run]) -> wire.Answer:
    """The answer to a call for ``runs``; Transient if it is none."""
    try:
        found = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Transient(f"a script's function answered what is no answer: {error}") from None
    if [outcome.key for outcome in found.outcomes] != [run.key for run in runs]:
        raise Transient("a script's function answered for other events than it was called with")
    return found


DESCRIBE = b'{"describe":true}'
_description = msgspec.json.Decoder(wire.Description)


def description(body: bytes) -> wire.Description:
    """What a script's function says of itself; Transient if it is none."""
    try:
        return _description.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Transient(f"a script's function describes itself as nothing known: {error}") from None


# How a function answers for an event whose turn did not come.
UNREACHED: str = "unreached"


def is_reached(outcome: wire.Outcome) -> bool:
    """Whether an event's turn came within the call; if not, it is to be called again."""
    return outcome.failure is None or outcome.failure.kind != UNREACHED
