"""Times as a query gives them: epoch ms, or ISO 8601 text. The result is epoch ms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared import clock
from shared.history_query.refusal import refusal, shown

# The years 1970 to 9999: what a row's time can be.
LATEST_MS = 253_402_300_799_999
_ADVICE = "Write epoch milliseconds, such as 1792649730000, or 2026-10-22T04:55:30Z."


def instant(value: Any, place: str) -> int:
    """A time in epoch ms; text without a zone is UTC."""
    if isinstance(value, str):
        value = _parsed(value, place)
    if type(value) is not int:
        raise refusal(place, f"{shown(value)} is no time", _ADVICE)
    if not 0 <= value <= LATEST_MS:
        raise refusal(place, f"{shown(value)} is not between 1970 and 9999", _ADVICE)
    return value


def _parsed(text: str, place: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        raise refusal(place, f"{shown(text)} is no time", _ADVICE) from None
    if made.tzinfo is None:
        made = made.replace(tzinfo=UTC)
    try:
        return clock.to_ms(made)
    except (OverflowError, ValueError):
        raise refusal(place, f"{shown(text)} is no time", _ADVICE) from None
