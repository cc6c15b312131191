"""An event in a file: the message, all that a script may see beside it, and what is expected of it.

.. code-block:: yaml

    description: The first reading above the limit sends one text message
    now: 2026-03-01T12:00:01Z          # when it was received; times are ISO 8601 or epoch ms
    params: {high: 30, low: 25}
    message:                           # what is left out has a plain value: see `complete`
      time: 2026-03-01T12:00:00Z
      data: {temperature: 31.5}        # or the list of writes, as it is on the wire
    deviceData: {temperature: 24}      # the device's state before; or `registers`, as it is stored
    cache: {}
    expected:                          # what is not named is expected not to be; logs are, where they are
      result: null
      effects: [{type: sendSms, message: {recipients: ["+123"], message: too warm}}]

Other keys: ``entry`` (``run``), ``script`` (its id), ``seed`` (of random numbers), ``device``, ``system``,
``blueprint``, ``project`` (definitions), ``scriptCache``, ``tolerance`` (of numbers, relative and absolute).
A key that is not there is not there for the script either.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fulcrum import json_yaml
from fulcrum.core import fold, paths
from fulcrum.core.errors import Rejected
from fulcrum.core.settle import settle
from fulcrum.core.writes import Write
from fulcrum.script.testing import expectation, instants
from fulcrum.script.types import Message

SUFFIX = ".event.yaml"
PROJECT, DEVICE, SCRIPT = "project", "device", "script"
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
_DATA = "deviceDataEventMsg"
_OBJECTS = ("params", "message", "device", "system", "blueprint", "project", "deviceData")
_TEXTS = ("description", "entry", "script", "seed", "registers")
# In the order in which they are written.
_KEYS = (
    "description",
    "script",
    "entry",
    "now",
    "seed",
    "params",
    "message",
    "device",
    "system",
    "blueprint",
    "project",
    "deviceData",
    "registers",
    "cache",
    "scriptCache",
    "tolerance",
    "expected",
)
_TIMES = ("time", "receivedTime")
# All that the wire has in a message of data; `kind` is the platform's own.
_FIELDS = (*Message.__annotations__, "kind")
_IDS = ("type", "id", "hash", "projectId", "deviceId", "systemId", "blueprintId", "networkId", "timerId")


class FixtureError(Exception):
    """A file that cannot be used: which, at which key, why and what to do."""


@dataclass(frozen=True)
class Fixture:
    """An event to run. ``given``: the context's values by the file's keys, as far as they are there.

    ``message`` is complete, ``now`` in epoch ms. ``expected``: as :mod:`fulcrum.script.testing.expectation`
    has it; None where the file does not say.
    """

    message: dict[str, Any]
    now: int
    given: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    entry: str = "run"
    script: str = SCRIPT
    seed: str = ""
    tolerance: float = 0.0
    expected: dict[str, Any] | None = None


def complete(message: Mapping[str, Any], now: int | None = None) -> tuple[dict[str, Any], int]:
    """A message with all that the wire has, and when it was received; ValueError for what cannot be read.

    What is left out: it is a ``deviceDataEventMsg`` of the device ``device`` in ``project``, at the time when
    it is received. ``data`` may be an object of values by path.
    """
    given = dict(message)
    for key in _TIMES:
        if key in given:
            try:
                given[key] = instants.to_ms(given[key])
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None
    if now is None:
        now = given.get("receivedTime", given.get("time", START))
    kind = given.get("type", _DATA)
    _check_message(given, kind)
    made: dict[str, Any] = {"type": kind, "id": "event", "time": now, "projectId": PROJECT}
    if kind == _DATA:
        made |= {"hash": "hash", "receivedTime": now, "deviceId": DEVICE}
        given["data"] = writes(given.get("data", []))
    return made | given, now


def _check_message(given: Mapping[str, Any], kind: Any) -> None:
    """ValueError for a field that no message has, and for an id that is no text."""
    for key, value in given.items():
        if kind == _DATA and key not in _FIELDS:
            near = difflib.get_close_matches(key, _FIELDS, 1, 0.5)
            advice = (
                f"did you mean {near[0]}?"
                if near
                else "values stand in data, as in data: {temperature: 21.5}"
            )
            raise ValueError(f"{key}: {advice}")
        if key in _IDS and not isinstance(value, str):
            raise ValueError(f"{key}: write a text, in quotes where it looks like a number")


def writes(data: Any) -> list[dict[str, Any]]:
    """A message's data as a list of writes, from one or from values by path; ValueError for anything else."""
    if isinstance(data, Mapping):
        data = [{"path": path, "value": value} for path, value in data.items()]
    if not isinstance(data, list):
        raise ValueError("data: write values by path, as in {temperature: 21.5}, or a list of path and value")
    for at, write in enumerate(data):
        if not isinstance(write, dict) or not isinstance(write.get("path"), str):
            raise ValueError(f"data/{at}: a write has a path, as in {{path: temperature, value: 21.5}}")
        if problem := paths.leaf_problem(write["path"]):
            raise ValueError(f"data/{at}: {problem}")
    return data


def registers(data: Mapping[str, Any]) -> bytes:
    """The stored form of a device's state, older than any event; Rejected for a path that cannot stand."""
    made: fold.Registers = {}
    state = [Write(key, value) for key, value in data.items()]
    fold.fold(made, [((0, ""), settle(state))])
    return fold.encode(made)


def read(path: Path) -> Fixture:
    """The event of a file; FixtureError."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FixtureError(f"{path.name}: {error}") from None


def parse(text: str) -> Fixture:
    """The event that a text says; ValueError, with the key, for what is wrong with it."""
    found = json_yaml.read(text)
    if not isinstance(found, dict):
        raise ValueError(f"it holds no object: begin with {', '.join(_KEYS[:4])}, message")
    for key, value in found.items():
        _check(key, value)
    if "message" not in found:
        raise ValueError("message is missing: write at least message: {data: {temperature: 21.5}}")
    now = found.get("now")
    try:
        message, now = complete(found["message"], None if now is None else _instant("now", now))
    except ValueError as error:
        raise ValueError(f"message/{error}" if not str(error).startswith("now:") else str(error)) from None
    _check_state(found)
    return Fixture(
        message=message,
        now=now,
        given={key: found[key] for key in _KEYS if key in found and key in _GIVEN},
        description=found.get("description", ""),
        entry=found.get("entry", "run"),
        script=found.get("script", SCRIPT),
        seed=found.get("seed", ""),
        tolerance=float(found.get("tolerance", 0.0)),
        expected=None if found.get("expected") is None else _expected(found["expected"], message),
    )


# What stands in the context as it is.
_GIVEN = frozenset(
    ("params", "device", "system", "blueprint", "project", "deviceData", "registers", "cache", "scriptCache")
)


def _check(key: str, value: Any) -> None:
    if key not in _KEYS:
        near = difflib.get_close_matches(key, _KEYS, 1, 0.5)
        raise ValueError(f"{key}: " + (f"did you mean {near[0]}?" if near else f"known: {', '.join(_KEYS)}"))
    if key in _OBJECTS and not isinstance(value, dict):
        raise ValueError(f"{key}: write an object, as in {key}: {{}}")
    if key in _TEXTS and not isinstance(value, str):
        raise ValueError(f"{key}: write a text, in quotes where it looks like a number")
    if key == "tolerance" and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
        raise ValueError("tolerance: write a number, as in 0.001")


def _check_state(found: Mapping[str, Any]) -> None:
    if "deviceData" in found and "registers" in found:
        raise ValueError("registers: the device's state stands in deviceData already: leave one of them out")
    try:
        registers(found.get("deviceData", {}))
        fold.decode(found.get("registers", "").encode())
    except Rejected as error:
        key = "registers" if "registers" in found else "deviceData"
        raise ValueError(f"{key}: {error.message}") from None


def _expected(value: Any, message: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return expectation.normal(value, message)
    except ValueError as error:
        raise ValueError(f"expected/{error}") from None


def _instant(key: str, value: Any) -> int:
    try:
        return instants.to_ms(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def write(fixture: Fixture, note: str = "") -> str:
    """The file's text: equal events give equal text. ``note``: a comment where nothing is expected yet."""
    made: dict[str, Any] = {"description": fixture.description} if fixture.description else {}
    if fixture.script != SCRIPT:
        made["script"] = fixture.script
    if fixture.entry != "run":
        made["entry"] = fixture.entry
    made["now"] = instants.to_text(fixture.now)
    if fixture.seed:
        made["seed"] = fixture.seed
    given = dict(fixture.given)
    made |= {"params": given.pop("params")} if "params" in given else {}
    made["message"] = _readable(fixture.message)
    made |= {key: given[key] for key in _KEYS if key in given}
    if fixture.tolerance:
        made["tolerance"] = fixture.tolerance
    text = json_yaml.write(made, compact=True)
    if fixture.expected is not None:
        return text + expectation.write(fixture.expected)
    return text + (f"# {note}\n" if note else "")


def _readable(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as it is written: times as texts, data by path where that says the same."""
    made = dict(message)
    for key in _TIMES:
        if isinstance(made.get(key), int) and not isinstance(made[key], bool):
            made[key] = instants.to_text(made[key])
    data = made.get("data")
    if made.get("type") == _DATA and isinstance(data, list):
        made["data"] = expectation.by_path(data)
    return made
