"""The checks of a blueprint: which type each path of its devices' data has.

They stand as compact JSON text on the blueprint's document (field ``checks``), where the event path reads
them: ``{"mode": "off|warn|strict", "paths": {"engine/temperature": {"type": "temperature", "unit": "degC",
"max": 150}}}``. What is written at a path is checked whole; what is written below it is checked as a part
(``lat``, ``lon``; ``value``, ``unit``; a member of a collection); an object written above it is walked.
A path that belongs to no attribute is no problem. Null and ``delete`` always fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from fulcrum.core.paths import MAX_LENGTH
from fulcrum.core.settle import ancestors
from shared.attributes.scalars import Check, shown
from shared.attributes.types import Problem, definition_problem, make_check, make_part_check
from shared.messages import Write

Mode = Literal["off", "warn", "strict"]
MODES: tuple[Mode, ...] = get_args(Mode)
_SPEC = ("type", "unit", "values", "min", "max", "isCollection")
# Distinct texts that are kept compiled.
_KEPT = 2_000


class _Attribute(NamedTuple):
    type: str
    check: Check
    part: Callable[[str, Any], str]


class _Text(msgspec.Struct):
    mode: Mode = "off"
    paths: dict[str, dict[str, Any]] = {}


class Checks:
    """A blueprint's checks, compiled. ``mode`` says what becomes of an event with problems.

    ``skipped``: what is wrong with the type specs that are left out. A newer version may have written a type
    or unit that this one does not know: the others are checked still.
    """

    def __init__(self, mode: Mode, paths: Mapping[str, Mapping[str, Any]]) -> None:
        self.mode = mode
        self.skipped: list[str] = []
        self._attributes: dict[str, _Attribute] = {}
        self._above: set[str] = set()
        for path, spec in paths.items():
            if problem := definition_problem(spec):
                self.skipped.append(f"{path}: {problem}")
            else:
                self._attributes[path] = _Attribute(spec["type"], make_check(spec), make_part_check(spec))
                self._above.update(ancestors(path))

    @property
    def active(self) -> bool:
        """Whether there is anything to check."""
        return self.mode != "off" and bool(self._attributes)

    def problems(self, writes: Iterable[Write]) -> list[Problem]:
        """All problems of an event's writes, in their order."""
        found: list[Problem] = []
        for write in writes:
            if write.op != "delete":
                self._find(write.path, write.value, found)
        return found

    def _find(self, path: str, value: Any, found: list[Problem]) -> None:
        # What is longer is refused by whoever stores it, and would take long here.
        if value is None or len(path) > MAX_LENGTH:
            return
        attribute = self._attributes.get(path)
        kind, message = "object", ""
        if type(value) is dict and path in self._above:
            # As the fold walks it. A key may itself be a path: attributes above are looked for each time.
            for key, inner in value.items():
                self._find(f"{path}/{key}", inner, found)
        elif attribute is not None:
            kind, message = attribute.type, attribute.check(value)
        elif path in self._above:
            below = next(name for name in self._attributes if name.startswith(path + "/"))
            message = f"attributes such as {below} lie below it: send an object, not {shown(value)}"
        elif owner := self._owner(path):
            attribute = self._attributes[owner]
            kind, message = attribute.type, attribute.part(path[len(owner) + 1 :], value)
        if message:
            found.append(Problem(path, kind, message))

    def _owner(self, path: str) -> str:
        """The attribute that a path lies below, if it has no attributes of its own below it."""
        if "/" in path:
            for upper in ancestors(path):
                if upper in self._above:
                    break
                if upper in self._attributes:
                    return upper
        return ""


@lru_cache(maxsize=_KEPT)
def compile_checks(text: str) -> Checks:
    """The checks of a blueprint's ``checks`` text; ValueError for a text that is none."""
    try:
        read = msgspec.json.decode(text, type=_Text)
        return Checks(read.mode, read.paths)
    except (msgspec.DecodeError, RecursionError, TypeError) as error:
        raise ValueError(f"not a blueprint's checks: {error}") from error


def checks_text(mode: str, attributes: Iterable[Mapping[str, Any]]) -> str:
    """The ``checks`` text of a blueprint from its mode and its attributes' definitions (``path``, type spec).

    The same attributes give the same text, in whatever order. ValueError for a mode that there is not.
    """
    if mode not in MODES:
        raise ValueError(f"{mode!r} is no mode: use one of {', '.join(MODES)}")
    paths = {}
    for attribute in attributes if mode != "off" else ():
        spec = {key: attribute.get(key) for key in _SPEC}
        # A limit of 0 is one; False and an empty list say nothing.
        paths[attribute["path"]] = {k: v for k, v in spec.items() if v or (v == 0 and v is not False)}
    return msgspec.json.encode({"mode": mode, "paths": dict(sorted(paths.items()))}).decode()


def summary(problems: Sequence[Problem], most: int = 5) -> str:
    """Problems in one line, the first of them spelled out."""
    rest = f"; and {len(problems) - most} more" if len(problems) > most else ""
    return "; ".join(map(str, problems[:most])) + rest
