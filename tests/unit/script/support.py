"""Scripts written into a folder, and events for them."""

from __future__ import annotations

import itertools
import textwrap
from pathlib import Path
from typing import Any

from fulcrum.script import wire
from fulcrum.script.loading import Code, load
from fulcrum.script.running import Runner

_counter = itertools.count()
T0 = 1_700_000_000_000


def written(folder: Path, main: str, **others: str) -> Path:
    """A script's folder of its own, with ``main.py`` and other modules by name."""
    made = folder / f"script{next(_counter)}"
    for name, text in {"main": main, **others}.items():
        path = made / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return made


def code(folder: Path, main: str, **others: str) -> Code:
    """A loaded script."""
    return load(written(folder, main, **others), 3)


def event(number: int = 1, *, data: Any = None, device: str | None = "d1", **more: Any) -> wire.Event:
    """An event of a device, one second after the one before it."""
    time = T0 + number * 1000
    message: dict[str, Any] = {
        "type": "deviceDataEventMsg",
        "id": f"e{number}",
        "hash": f"h{number}",
        "time": time,
        "receivedTime": time + 5,
        "projectId": "p1",
        "deviceId": device,
        "systemId": "s1",
        "blueprintId": "b1",
        "data": [{"path": path, "value": value} for path, value in (data or {}).items()],
    }
    message.update(more.pop("message", {}))
    given = {"key": f"key{number}", "seed": f"seed{number}", "now": time + 5, **more}
    return wire.Event(message=message, device_id=device, **given)


def call(*events: wire.Event, **more: Any) -> wire.Call:
    """A call with device d1."""
    given: dict[str, Any] = {"devices": {"d1": wire.Device(device={"id": "d1", "name": "Pump"})}, **more}
    return wire.Call(script_id="script1", project_id="p1", events=list(events), **given)


def run(folder: Path, main: str, *events: wire.Event, entry: str = "run", **more: Any) -> list[wire.Outcome]:
    """What becomes of events (one, if none are given) in a script."""
    runner = Runner(code(folder, main))
    try:
        return runner.run(call(*(events or (event(),)), entry=entry, **more)).outcomes
    finally:
        runner.close()
