"""What can be asked about: a device's definition, and its data by ``data/<path>``."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from fulcrum.core import paths
from shared.search.reading import Node

# Where a field stands in a device's definition, and what it holds.
SCALARS = (
    *("id", "name", "blueprintId", "systemId", "networkId", "simNetworkId", "parentDeviceId"),
    *("messageRouteId", "purpose", "simulated", "created"),
)
LISTS = ("tags", "links")
MAPS = ("metadata", "networkAliases")
# Fields that every device has: ordering by one of them leaves nobody out.
ALWAYS = frozenset(("id", "name", "blueprintId", "systemId", "created"))

_SEGMENT = re.compile(r"[A-Za-z0-9_.:-]{1,100}\Z")
_MAX_SEGMENTS = 10
_ADVICE = (
    f"Name one of {', '.join((*SCALARS, *LISTS))}, metadata/<key>, networkAliases/<network>/<key> "
    "or data/<path>"
)


class Field(msgspec.Struct, frozen=True):
    """A field. ``path`` is where it stands in the definition, or in the data where ``kind`` is ``data``."""

    text: str
    kind: Literal["scalar", "list", "data"]
    path: tuple[str, ...]

    @property
    def is_data(self) -> bool:
        """Whether it is reported data, which is folded, rather than the device's definition."""
        return self.kind == "data"


ID = Field("id", "scalar", ("id",))


def definition_field(name: str) -> Field:
    """A field of the definition by its name, which is known to be one."""
    return Field(name, "list" if name in LISTS else "scalar", (name,))


def data_field(path: str) -> Field:
    """A path of the data, which is known to be one."""
    return Field(f"data/{path}", "data", tuple(path.split("/")))


def read_field(node: Node) -> Field:
    """A field that a body names."""
    text = node.text(paths.MAX_LENGTH + len("data/"))
    head, _, rest = text.partition("/")
    if head == "data" and rest:
        if problem := paths.problem(rest, paths.MAX_DEPTH):
            raise node.bad(problem, "Name a path of the device's data, such as data/engine/temperature")
        return data_field(rest)
    if text in SCALARS or text in LISTS:
        return definition_field(text)
    if head in MAPS and rest:
        segments = rest.split("/")
        if len(segments) < _MAX_SEGMENTS and all(_SEGMENT.match(segment) for segment in segments):
            return Field(text, "scalar", (head, *segments))
    raise node.bad(f"{text!r} is no field that can be searched", _ADVICE)


def inside(value: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path of nested objects; None where nothing does."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
