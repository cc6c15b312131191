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


def request(
    script: Script, entry: str, runs: Sequence[Run], reading: Reading, before: Sequence[Run] = ()
) -> bytes:
    """The body of a call for runs, in their order. ``before``: runs of the same batch that are done."""
    wanted = {run.message.device_id for run in runs}
    devices = reading.devices
    if before and "deviceData" in script.needs(entry):
        devices = followed(script, reading, before, runs)
    call = wire.Call(
        script_id=script.id,
        project_id=script.project_id,
        entry=entry,
        project=reading.project,
        systems=reading.systems,
        blueprints=reading.blueprints,
        devices={key: value for key, value in devices.items() if key in wanted},
        caches={key: value for key, value in reading.caches.items() if key in wanted},
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
    """The answer to a call for ``runs``, of the first of them at least; Transient if it is none."""
    try:
        found = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Transient(f"a script's function answered what is no answer: {error}") from None
    keys = [outcome.key for outcome in found.outcomes]
    if not keys or keys != [run.key for run in runs[: len(keys)]]:
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


def order(run: Run) -> tuple[int, str]:
    """Events are run in the order of their times."""
    return run.message.time, run.message.id


def followed(
    script: Script, reading: Reading, before: Sequence[Run], left: Sequence[Run]
) -> dict[str, wire.Device]:
    """The devices of a reading as runs leave them that are done and came before those that are left.

    They may not be stored yet: as in one call, the later ones see what the earlier ones left.
    """
    first: dict[str | None, tuple[int, str]] = {}
    for run in left:
        first.setdefault(run.message.device_id, order(run))
    passed = [
        (run, run.done.outcome)
        for run in before
        if run.done is not None and order(run) < first.get(run.message.device_id, (0, ""))
    ]
    if not passed or not reading.devices:
        return reading.devices
    from fulcrum.core import fold
    from fulcrum.script.carrying import DeviceState, World

    states = {key: DeviceState(each.device, each.registers) for key, each in reading.devices.items()}
    world = World(script_id=script.id, project_id=script.project_id, devices=states)
    for run, outcome in passed:
        event = msgspec.structs.replace(_event(run), message=msgspec.json.decode(run.raw))
        world.follow(event, outcome)
    return {
        key: wire.Device(device=each.device, registers=fold.encode(states[key].registers).decode())
        for key, each in reading.devices.items()
    }
