"""Values that are computed beside the rows, as columns ``k0``, ``k1``..., because they are needed again.

An expression that names another one twice, and that one a third twice, would grow without bounds. And what a
window is ordered and partitioned by is a plain column everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Keys:
    """The columns of one query's rows, in layers: one may use those of the layers below it."""

    _layers: list[dict[str, str]] = field(default_factory=list)
    _level: dict[str, int] = field(default_factory=dict)

    def column(self, sql: str) -> str:
        """The name of the column that holds an expression; a column is itself."""
        if sql.isidentifier():
            return sql
        used = set(re.findall(r"\bk\d+\b", sql))
        level = max((self._level[name] + 1 for name in used), default=0)
        if level == len(self._layers):
            self._layers.append({})
        layer = self._layers[level]
        if sql not in layer:
            layer[sql] = f"k{len(self._level)}"
            self._level[layer[sql]] = level
        return layer[sql]

    def beside(self, rows: str) -> str:
        """A query of rows with the columns beside them."""
        for layer in self._layers:
            computed = ", ".join(f"{sql} AS {name}" for sql, name in layer.items())
            rows = f"SELECT *, {computed} FROM ({rows})"  # noqa: S608 our own text
        return rows
