"""CSV as it goes out. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence


def write(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows of cells as RFC 4180 has them."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
