"""A measured figure beside its baseline: arithmetic, table and JSON."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

_K = TypeVar("_K")
Compared = Literal["ratio", "value"]


@dataclass(frozen=True)
class Target:
    """The most that a figure's ratio, or its value, may be."""

    limit: float
    of: Compared = "ratio"

    def __str__(self) -> str:
        return f"<= {self.limit:g}" if self.of == "value" else f"<= {self.limit:g} x"


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``value`` and ``baseline`` share ``unit`` and were measured in the same run."""

    name: str
    value: float
    baseline: float
    unit: str
    target: Target | None = None

    def __post_init__(self) -> None:
        if self.baseline <= 0:
            raise ValueError(f"{self.name}: baseline {self.baseline} is no measure")

    @property
    def ratio(self) -> float:
        """The value in baselines."""
        return self.value / self.baseline

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or nothing where no target stands."""
        if self.target is None:
            return ""
        compared = self.ratio if self.target.of == "ratio" else self.value
        return "met" if compared <= self.target.limit else "missed"


def interleaved(
    repetitions: int, measures: Mapping[_K, Callable[[], tuple[float, ...]]]
) -> dict[_K, tuple[float, ...]]:
    """Take every measure once, then again, and so on; the median of each number of each measure.

    Interleaving (A B A B ...) lets a slow minute of the machine hit all alike.
    """
    taken: dict[_K, list[tuple[float, ...]]] = {key: [] for key in measures}
    for _ in range(repetitions):
        for key, measure in measures.items():
            taken[key].append(measure())
    return {
        key: tuple(statistics.median(column) for column in zip(*samples, strict=True))
        for key, samples in taken.items()
    }


def as_json(figures: Iterable[Figure]) -> dict[str, dict[str, float | str]]:
    """``{name: {value, baseline, ratio, unit}}``."""
    return {
        figure.name: {
            "value": round(figure.value, 3),
            "baseline": round(figure.baseline, 3),
            "ratio": round(figure.ratio, 4),
            "unit": figure.unit,
        }
        for figure in figures
    }


def table(figures: Sequence[Figure]) -> str:
    """The figures as aligned text."""
    rows = [("figure", "value", "baseline", "unit", "ratio", "target", "")]
    rows += [
        (
            figure.name,
            f"{figure.value:,.1f}",
            f"{figure.baseline:,.1f}",
            figure.unit,
            f"{figure.ratio:.3f}",
            str(figure.target or ""),
            figure.verdict,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column in (0, 3, 5, 6) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)
