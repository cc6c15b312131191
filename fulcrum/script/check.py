"""Checking a script's folder before it is deployed: its text, then loading it and one call, confined.

Nothing is sent anywhere: effects of the call are shown, not carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from fulcrum.core import fold
from fulcrum.core.script_files import REQUIREMENTS, packages, requirement_problems
from fulcrum.core.writes import Write
from fulcrum.script import static_check, wire
from fulcrum.script.host import Host
from fulcrum.script.limits import Limits
from fulcrum.script.process import Broken
from fulcrum.script.static_check import MAIN, Problem

_NOW = 1_700_000_000_000
_MAX_FILE = 1_000_000
_DEVICE, _SYSTEM, _BLUEPRINT, _PROJECT = "device", "system", "blueprint", "project"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry point is called with. What is not given is made up.

    ``message``: its fields, over those of a ``deviceDataEventMsg``. ``device_data``: nested.
    """

    entry: str = "run"
    message: Mapping[str, Any] = {}
    params: Mapping[str, Any] = {}
    device_data: Mapping[str, Any] = {}
    cache: Any = None
    script_cache: Any = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. With ``problems`` the script cannot run; ``warnings`` are worth a look.

    ``outcome``: of the call; None where there was none. ``isolation`` and ``missing``: of this machine.
    """

    problems: list[Problem] = []
    warnings: list[Problem] = []
    entries: list[wire.Entry] = []
    outcome: wire.Outcome | None = None
    isolation: list[str] = []
    missing: list[str] = []

    @property
    def ok(self) -> bool:
        """Whether it can be deployed: it loads, and the call, if any, did not fail."""
        return not self.problems and (self.outcome is None or self.outcome.status != "failed")


def check(folder: Path, sample: Sample | None = None, limits: Limits | None = None) -> Report:
    """Check the files of a folder; call an entry point only if they are sound.

    ``sample``: None calls ``run``, or the first entry point, with a message that is made up; what comes of
    that is told, and a failure of it counts only as a warning.
    """
    static = static_check.check(texts(folder))
    listed = folder / REQUIREMENTS
    requirements = listed.read_text(encoding="utf-8", errors="replace") if listed.is_file() else ""
    refused = [Problem(REQUIREMENTS, None, text) for text in requirement_problems(requirements)]
    if static.problems or refused:
        problems = [*static.problems, *refused]
        return Report(problems=problems, warnings=static.warnings, entries=_entries(static))
    host = Host(folder, limits)
    try:
        description = host.start()
    except Broken as error:
        host.close()
        if packages(requirements) and (module := _not_here(static, error)):
            said = f"not loaded: there is no module {module!r} on this machine; install the requirements"
            warning = Problem(error.file, error.line, said)
            return Report(warnings=[*static.warnings, warning], entries=_entries(static))
        problem = Problem(error.file or MAIN, error.line or None, _without_place(str(error), error))
        return Report(problems=[problem], warnings=static.warnings, entries=_entries(static))
    try:
        names = [entry.name for entry in description.entries]
        asked = sample or Sample(entry="run" if "run" in names else names[0])
        (outcome,) = host.run(_call(asked)).outcomes
    finally:
        host.close()
    report = Report(
        warnings=static.warnings,
        entries=description.entries,
        outcome=outcome,
        isolation=description.isolation,
        missing=description.missing,
    )
    if sample is None and outcome.status == "failed" and outcome.failure is not None:
        # With a real message it may well work.
        said = f"{asked.entry}, called with a message that is made up: {_told(outcome.failure)}"
        return msgspec.structs.replace(
            report, outcome=None, warnings=[*static.warnings, Problem(MAIN, None, said)]
        )
    return report


def texts(folder: Path) -> dict[str, str]:
    """The Python files of a folder by their paths in it; what is no text has none."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if not hidden and path.is_file() and path.stat().st_size <= _MAX_FILE:
            found[name.as_posix()] = path.read_text(encoding="utf-8", errors="replace")
    return found


def _entries(static: static_check.Checked) -> list[wire.Entry]:
    return [wire.Entry(name=name, needs=needs) for name, needs in static.entries.items()]


def _not_here(static: static_check.Checked, error: Broken) -> str:
    """The module whose import ended the loading, if this machine has no such module; else empty."""
    for module, place in static.imports.items():
        if (place.file, place.line) == (error.file, error.line) and find_spec(module) is None:
            return module
    return ""


def _without_place(text: str, error: Broken) -> str:
    return text.removeprefix(f"{error.file}:{error.line}: ")


def _told(failure: wire.Failure) -> str:
    return failure.traceback.strip() or f"{failure.type} {failure.message}".strip()


def _call(sample: Sample) -> wire.Call:
    message = {
        "type": "deviceDataEventMsg",
        "id": "event",
        "hash": "hash",
        "time": _NOW,
        "receivedTime": _NOW,
        "projectId": _PROJECT,
        "deviceId": _DEVICE,
        "systemId": _SYSTEM,
        "blueprintId": _BLUEPRINT,
        "data": [],
        **sample.message,
    }
    device_id = message.get("deviceId")
    event = wire.Event(
        key="check",
        seed="check",
        now=message.get("receivedTime") or _NOW,
        device_id=device_id,
        message=message,
        params=dict(sample.params),
    )
    place = {"systemId": message.get("systemId"), "blueprintId": message.get("blueprintId")}
    return wire.Call(
        script_id="check",
        project_id=_PROJECT,
        entry=sample.entry,
        project={"id": _PROJECT, "name": "Project"},
        systems={str(place["systemId"]): {"id": place["systemId"], "name": "System"}},
        blueprints={str(place["blueprintId"]): {"id": place["blueprintId"], "name": "Blueprint"}},
        devices={} if device_id is None else {device_id: _device(device_id, place, sample.device_data)},
        caches={} if device_id is None else {device_id: sample.cache},
        script_cache=sample.script_cache,
        events=[event],
    )


def _device(id: str, place: Mapping[str, Any], data: Mapping[str, Any]) -> wire.Device:
    registers: fold.Registers = {}
    fold.fold(registers, [((0, ""), fold.settle([Write(key, value) for key, value in data.items()]))])
    return wire.Device(
        device={"id": id, "name": "Device", **place}, registers=fold.encode(registers).decode()
    )
