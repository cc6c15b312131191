"""The forms in which values of a device are sent, and what they write. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import UNSET
from pydantic import Field

from fulcrum.core import paths
from fulcrum.core.settle import settle
from shared.errors import ApiError, Rejected
from shared.messages import Write
from shared.model.base import EpochMs, Identifier, Model

MAX_DEPTH = 15
_INT64 = range(-(2**63), 2**63)


class ValueAt(Model):
    """A value at a path of a device's data."""

    path: str = Field(
        description="Segments of a-z A-Z 0-9 _ with '/' between", examples=["engine/temperature"]
    )
    value: Any = Field(default=None, examples=[81.5])
    op: Literal["set", "replace", "delete"] = Field(
        default="set",
        description="set merges an object and replaces anything else; replace drops first what was below "
        "the path; delete drops it",
    )


class Values(Model):
    """Several values."""

    values: list[ValueAt] = Field(max_length=paths.MAX_PATHS)


class KeyValue(Model):
    """Several values, by their paths."""

    key_value: dict[str, Any] = Field(
        max_length=paths.MAX_PATHS, examples=[{"engine/temperature": 81.5, "door": "open"}]
    )


SetValue = Values | KeyValue | ValueAt | list[ValueAt]


class Accepted(Model):
    """An event that is on its way: it is never lost, and takes effect within moments."""

    status: str = Field(examples=["accepted"])
    event_id: str = Field(description="Its id in the history", examples=["3Vc8Qn0kZ5tWb1yLr7sXe2"])
    device_id: Identifier
    time: EpochMs = Field(description="The time that it counts for")
    path: str | None = Field(default=None, description="Where a new member was put")


def writes(body: SetValue) -> list[Write]:
    """What a body of any of the four forms writes, in its order; ApiError 400 for a path without a value."""
    if isinstance(body, KeyValue):
        return [Write(path, value) for path, value in body.key_value.items()]
    listed = body.values if isinstance(body, Values) else body if isinstance(body, list) else [body]
    for one in listed:
        if one.op != "delete" and "value" not in one.model_fields_set:
            raise ApiError(
                400,
                "device.noValue",
                f"there is no value for the path {one.path[:300]!r}",
                "send one: null is a value, too; or op delete, which needs none",
            )
    return [Write(one.path, one.value, one.op if one.op != "set" else UNSET) for one in listed]


def check(wanted: list[Write]) -> list[str]:
    """The paths of the leaves that writes leave or clear; ApiError 400 for what no event could carry."""
    if not wanted:
        raise ApiError(400, "device.noValues", "the body holds no values", "send at least one path and value")
    for write in wanted:
        if problem := paths.problem(write.path):
            raise ApiError(400, "device.path", problem, "see the grammar of paths")
        _check_value(write.path, write.value, write.path.count("/") + 1)
    try:
        settled = settle(wanted)
    except Rejected as error:
        raise ApiError(400, "device.path", error.message, "use keys of a-z A-Z 0-9 _ in objects") from None
    found = [*settled.leaves, *settled.cleared]
    if len(found) > paths.MAX_PATHS:
        raise ApiError(
            400,
            "device.tooManyPaths",
            f"the body writes {len(found)} paths",
            f"write at most {paths.MAX_PATHS} at once, keys of objects included; an array is one",
        )
    return found


def _check_value(path: str, value: Any, depth: int) -> None:
    problem = ""
    if isinstance(value, float) and not math.isfinite(value):
        problem = "is no JSON number"
    elif isinstance(value, int) and not isinstance(value, bool) and value not in _INT64:
        problem = "holds an integer that does not fit 64 bits"
    elif isinstance(value, str) and not _is_unicode(value):
        problem = "holds half of a surrogate pair"
    elif isinstance(value, dict | list) and value and depth >= MAX_DEPTH:
        problem = f"nests deeper than {MAX_DEPTH} levels, the path's segments included"
    if problem:
        raise ApiError(400, "device.value", f"the value at {path!r} {problem}", "send a plain JSON value")
    inner: Iterable[Any] = ()
    if isinstance(value, dict):
        inner = value.values()
        if not all(map(_is_unicode, value)):
            raise ApiError(400, "device.value", f"a key at {path!r} is no valid text", "send UTF-8")
    elif isinstance(value, list):
        inner = value
    for one in inner:
        _check_value(path, one, depth + 1)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def at(data: Mapping[str, Any], path: str) -> Any:
    """The value at a path of nested data; KeyError if there is none."""
    value: Any = data
    for key in path.split("/") if path else ():
        if not isinstance(value, dict):
            raise KeyError(path)
        value = value[key]
    return value
