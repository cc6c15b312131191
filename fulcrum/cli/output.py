"""What a command writes: tables for people, JSON for programs, notes on stderr."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fulcrum.cli import values

# Wider than any table: what goes into a pipe or a file is never cut.
_UNBOUNDED = 100_000


@dataclass(frozen=True)
class Shape:
    """How an answer is written. ``fields``: the columns of a table, by path."""

    json: bool = False
    jsonl: bool = False
    extract: str | None = None
    fields: tuple[str, ...] = ()


def show(value: Any, shape: Shape) -> None:
    """Write an answer as it was asked for."""
    if shape.extract is not None:
        for found in values.extract(value, shape.extract):
            line(found if isinstance(found, str) else _compact(found))
    elif shape.json:
        document(value)
    elif isinstance(value, dict) and isinstance(value.get("items"), list):
        show_page(value, shape)
    elif shape.jsonl:
        line(_compact(value))
    elif isinstance(value, dict):
        show_object(value)
    elif isinstance(value, list):
        show_items(value, shape)
    elif value is not None:
        line(value if isinstance(value, str) else _compact(value))


def show_page(page: Mapping[str, Any], shape: Shape) -> None:
    """Write a page of items; what else the page says goes to stderr."""
    show_items(page["items"], shape)
    if page.get("aggregations") and not shape.jsonl:
        line("")
        show_object(page["aggregations"])
    if page.get("total") is not None:
        note(f"{page['count']} of {page['total']}")
    if page.get("next"):
        note(f"there is more: repeat with --cursor {page['next']}, or with --all")


def show_items(items: Sequence[Any], shape: Shape) -> None:
    """Write items as lines of JSON, or as a table."""
    if shape.jsonl:
        for item in items:
            line(_compact(item))
        return
    if not items:
        note("nothing found")
        return
    if not all(isinstance(item, dict) for item in items):
        for item in items:
            line(values.cell("", item))
        return
    names = list(shape.fields) or values.columns(items)
    rows = [[values.cell(name, values.at(item, name)) for name in names] for item in items]
    table(names, rows, whole=bool(shape.fields))


def show_object(value: Mapping[str, Any]) -> None:
    """Write one object, a leaf a line; what is empty is left out."""
    ordered = {key: value[key] for key in values.columns([value])}
    leaves = [(path, values.cell(path, leaf)) for path, leaf in values.flat(ordered) if leaf not in ([], {})]
    widest = max((len(path) for path, _ in leaves), default=0)
    for path, text in leaves:
        line(f"{path:<{widest}}  {text}".rstrip())


def table(names: Sequence[str], rows: Sequence[Sequence[str]], *, whole: bool) -> None:
    """Write a table. On a terminal columns that have no room are left out unless they are asked for."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else _UNBOUNDED
    widths = [
        max(cell_len(text) for text in (name, *(row[at] for row in rows))) for at, name in enumerate(names)
    ]
    shown = len(names) if whole or not is_terminal else _fitting(widths, width)
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for at, name in enumerate(names[:shown]):
        # An id that is cut is of no use.
        least = widths[0] if at == 0 and widths[0] <= 30 else None
        made.add_column(name, overflow="ellipsis", no_wrap=True, min_width=least)
    for row in rows:
        made.add_row(*(Text(text) for text in row[:shown]))
    console = Console(width=width, file=sys.stdout, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(made)
    for text in captured.get().splitlines():
        line(text.rstrip())
    if shown < len(names):
        note(f"not shown: {', '.join(names[shown:])} (see --fields or --json)")


def _fitting(widths: Sequence[int], room: int) -> int:
    """How many columns fit; two at least, and one that is cut where half of it fits."""
    used = 0
    for at, width in enumerate(widths):
        if used + min(width, 30) + 2 > room and at >= 2:
            return at
        used += width + 2
    return len(widths)


def document(value: Any) -> None:
    """Write one JSON document."""
    line(json.dumps(value, ensure_ascii=False, indent=2))


def each(items: Iterable[Any]) -> None:
    """Write JSON lines as they come."""
    for item in items:
        line(_compact(item))


def line(text: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{text}\n")


def flush() -> None:
    """Let what is written be seen now, through a pipe as well."""
    sys.stdout.flush()


def raw(data: bytes) -> None:
    """Write bytes to stdout as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def note(text: str) -> None:
    """Tell people something on stderr, so that stdout holds the answer alone. It steers no terminal."""
    sys.stdout.flush()
    sys.stderr.write(f"{values.lines(text)}\n")


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
