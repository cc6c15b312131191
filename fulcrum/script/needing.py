"""What an entry point needs: which context data it is given, and what of it must be there.

>>> @needs("deviceData", "cache", params=["limit"])
... def run(message, context): ...

The same as ``run.needs = {"deviceData": True, "cache": True, "params": ["limit"]}``, or for a whole file
``needs = {"run": {...}}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

Name = Literal[
    "deviceData",
    "device_data",
    "cache",
    "scriptCache",
    "script_cache",
    "system",
    "device",
    "blueprint",
    "project",
    "params",
]
Needs = dict[str, bool | list[str]]

NAMES: Final = ("deviceData", "cache", "scriptCache", "system", "device", "blueprint", "project", "params")
_WRITTEN = {"device_data": "deviceData", "script_cache": "scriptCache", "parameters": "params"}
_Function = TypeVar("_Function", bound=Callable[..., Any])


class NeedsError(ValueError):
    """Something is needed that does not exist, or needed in a way that says nothing."""


def needs(
    *names: Name,
    device_data: bool | Sequence[str] | None = None,
    deviceData: bool | Sequence[str] | None = None,
    cache: bool | Sequence[str] | None = None,
    script_cache: bool | Sequence[str] | None = None,
    scriptCache: bool | Sequence[str] | None = None,
    system: bool | Sequence[str] | None = None,
    device: bool | Sequence[str] | None = None,
    blueprint: bool | Sequence[str] | None = None,
    project: bool | Sequence[str] | None = None,
    params: bool | Sequence[str] | None = None,
) -> Callable[[_Function], _Function]:
    """Say what an entry point needs.

    ``names``: context data that it is given. By keyword, the same with the paths (names, for ``cache``,
    ``script_cache`` and ``params``) that must be there: where one is not, the entry point is not run, and the
    event goes on unchanged.
    """
    given = {
        "deviceData": deviceData if device_data is None else device_data,
        "cache": cache,
        "scriptCache": scriptCache if script_cache is None else script_cache,
        "system": system,
        "device": device,
        "blueprint": blueprint,
        "project": project,
        "params": params,
    }
    found = parse([*names])
    found.update(parse({name: value for name, value in given.items() if value is not None}))

    def mark(function: _Function) -> _Function:
        function.needs = found  # type: ignore[attr-defined]  # an attribute of a function, as may be written by hand
        return function

    return mark


def parse(value: Any) -> Needs:
    """Needs as they may be written (a mapping, or a list of names) in the one form that they travel in."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):
        return {
            _name(name): found
            for name, inner in value.items()
            if (found := _required(name, inner)) is not False
        }
    if isinstance(value, Iterable):
        return dict.fromkeys(map(_name, value), True)
    raise NeedsError(f"needs is of type {type(value).__name__}: write a dict, or a list of names")


def _name(name: Any) -> str:
    found = _WRITTEN.get(name, name) if isinstance(name, str) else name
    if found not in NAMES:
        raise NeedsError(f"nothing named {name!r} can be needed: there are {', '.join(NAMES)}")
    return str(found)


def _required(name: Any, value: Any) -> bool | list[str]:
    if isinstance(value, bool):
        return value
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, Iterable) or isinstance(paths, Mapping):
        raise NeedsError(
            f"needs {name!r} as {value!r}: write True, or a list of the names that must be there"
        )
    found = list(paths)
    for path in found:
        if not isinstance(path, str) or not path:
            raise NeedsError(f"needs {path!r} of {name!r}: names are strings")
    return found or True


def has(data: Any, path: str) -> bool:
    """Whether nested data has a value, other than null, at a path."""
    if "/" in path and isinstance(data, Mapping) and path not in data:
        for key in path.split("/"):
            data = data.get(key) if isinstance(data, Mapping) else None
        return data is not None
    return isinstance(data, Mapping) and data.get(path) is not None
