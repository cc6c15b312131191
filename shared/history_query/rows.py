"""From a row of BigQuery's answer to an item of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from fulcrum.core.settle import normal
from shared.history_query.compiler import Output

_READ: dict[str, Callable[[str], Any]] = {
    "STRING": str,
    "INT64": int,
    "FLOAT64": lambda text: normal(float(text)),
    "BOOL": lambda text: text == "true",
    "JSON": lambda text: msgspec.json.decode(text),
}


def values(outputs: Sequence[Output], cells: Sequence[str | None]) -> list[Any]:
    """The values of a row, as JSON has them."""
    return [
        None if cell is None else _READ[output.kind](cell)
        for output, cell in zip(outputs, cells, strict=True)
    ]


def item(outputs: Sequence[Output], cells: Sequence[str | None]) -> dict[str, Any]:
    """A row as an item of the answer; what is nested and has nothing in it is null."""
    made: dict[str, Any] = {}
    nested: dict[str, bool] = {}
    for output, value in zip(outputs, values(outputs, cells), strict=True):
        *above, last = output.path
        target = made
        for key in above:
            target = target.setdefault(key, {})
            nested[key] = nested.get(key, False) or value is not None
        target[last] = value
    for key, is_there in nested.items():
        if not is_there:
            made[key] = None
    return made
