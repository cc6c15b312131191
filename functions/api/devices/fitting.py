"""Values against a blueprint's attributes: units are converted, and what does not fit is refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fulcrum.core.settle import ancestors
from shared.attributes import check, summary
from shared.attributes.checks import Checks
from shared.attributes.conversion import number_of
from shared.errors import ApiError
from shared.messages import Write

Specs = Mapping[str, Mapping[str, Any]]


def converted(writes: Iterable[Write], specs: Specs) -> list[Write]:
    """Writes with each ``{value, unit}`` as a number in its attribute's unit; what does not fit as it is."""
    above = {upper for path in specs for upper in ancestors(path)}
    return [
        write
        if write.op == "delete"
        else msgspec.structs.replace(write, value=_converted(write.path, write.value, specs, above))
        for write in writes
    ]


def _converted(path: str, value: Any, specs: Specs, above: set[str]) -> Any:
    spec = specs.get(path)
    if spec is not None and isinstance(value, dict | list):
        if check(spec, value) is not None:
            return value
        try:
            return number_of(spec, value)
        except ValueError as error:
            raise ApiError(
                400, "device.badValue", f"{path}: {error}", "send a number in the attribute's unit"
            ) from None
    if isinstance(value, dict) and path in above:
        return {key: _converted(f"{path}/{key}", inner, specs, above) for key, inner in value.items()}
    return value


def require_fit(writes: Iterable[Write], leaves: Iterable[str], specs: Specs) -> None:
    """ApiError 400 for a path that no attribute has (``device.unknownPath``), or a value of another type."""
    above = {upper for path in specs for upper in ancestors(path)}
    for leaf in leaves:
        known = leaf in specs or leaf in above or any(upper in specs for upper in ancestors(leaf))
        if not known:
            raise ApiError(
                400,
                "device.unknownPath",
                f"the blueprint has no attribute at {leaf!r}",
                "write to its attributes, or ask for the permission device.updateAnyData",
            )
    problems = Checks("strict", specs).problems(writes)
    if problems:
        raise ApiError(
            400, "device.badValue", summary(problems), "send values of the attributes' types and units"
        )
