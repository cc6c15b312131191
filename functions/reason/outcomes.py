"""What a script's result makes of a message: whether and as what it goes on, and what is kept of it. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from fulcrum.core import fold
from fulcrum.script import wire
from functions.reason.decode import Run
from functions.reason.times import problem_of_time
from shared import history
from shared.errors import Rejected
from shared.messages import DeviceDataEvent, DeviceEventAck, ReasonRunScript

# What a result may change of a message; all else is put back.
CHANGEABLE: dict[type, tuple[str, ...]] = {
    DeviceDataEvent: ("data", "event", "time", "historical"),
    DeviceEventAck: ("data", "time"),
    ReasonRunScript: (),
}
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode


def replaced(run: Run, result: dict[str, Any]) -> bytes:
    """The message that goes on in place of a run's; Rejected (``script.result``) if it is none."""
    names = CHANGEABLE[type(run.message)]
    if not names:
        raise Rejected(
            "script.result", "a message that only runs a script cannot be replaced: return None or False"
        )
    original: dict[str, Any] = _decode(run.raw)
    changed = {name: result[name] for name in names if name in result}
    text = _encode(original | changed)
    try:
        message = _decode(text, type=type(run.message))
    except msgspec.ValidationError as error:
        raise Rejected("script.result", f"the result is no message: {error}") from None
    if "time" in changed and (wrong := problem_of_time(message.time, run.now)):
        raise Rejected("script.result", f"the result's {wrong}")
    if isinstance(message, DeviceDataEvent):
        try:
            # What the history would refuse: paths, two records of one id.
            history.data_rows(message, fold.settle(message.data), run.now, "")
        except Rejected as error:
            raise Rejected("script.result", f"the result: {error.message}") from None
    return text


def onward(run: Run, outcome: wire.Outcome) -> bytes | None:
    """A run's message as it goes on along its route; None where it is stopped."""
    if outcome.result is False:
        return None
    if outcome.result is None or outcome.status != "done":
        return bytes(run.raw)
    return replaced(run, outcome.result)


def input_of(run: Run) -> bytes | None:
    """What came in, for replay alone, where a script stopped or replaced it; None for what is no event."""
    if not isinstance(run.message, DeviceDataEvent):
        return None
    message: dict[str, Any] = _decode(run.raw)
    return _encode(message | {"kind": "input", "scriptId": run.script_id})


def failure_of(script_id: str, version: int, entry: str, failure: wire.Failure) -> Rejected:
    """Why a failed event is set aside: what, by which version, and the end of the traceback."""
    what = f"{failure.type}: {failure.message}" if failure.type else failure.message or failure.kind
    first = what.splitlines()[0] if what else ""
    head = f"script {script_id} version {version}, {entry}: {failure.kind}: {first}"
    head = head.encode(errors="replace")[:450].decode(errors="ignore")
    tail = failure.traceback.strip().encode(errors="replace")[-420:].decode(errors="ignore")
    kind = "script.effect" if failure.kind == "effects" else "script.failed"
    return Rejected(kind, f"{head}\n{tail}" if tail else head)
