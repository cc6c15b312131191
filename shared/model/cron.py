"""Cron expressions of five fields: what is wrong with one. Pure."""

from __future__ import annotations

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Name, least, greatest, and names that stand for numbers from the least on. Sunday is 0 and 7.
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _DAYS),
)
# The longest that each month gets: a day that never comes would never fire.
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def problem(text: str) -> str:
    """What is wrong with an expression, and what to do; empty if nothing is.

    A field is ``*``, numbers, ranges ``1-5``, steps ``*/15`` and ``8-18/2``, and lists of these; months and
    weekdays may be named by three letters.
    """
    parts = text.split()
    if len(parts) != len(_FIELDS):
        return f"a cron expression has five fields, minute hour day month weekday, not {len(parts)}"
    allowed = []
    for part, (name, least, greatest, names) in zip(parts, _FIELDS, strict=True):
        try:
            allowed.append(values(part, least, greatest, names))
        except ValueError as error:
            return f"{name} {part!r}: {error}"
    days, months, weekdays = allowed[2], allowed[3], parts[4]
    if weekdays == "*" and all(min(days) > _LONGEST[month - 1] for month in months):
        return f"there is no day {parts[2]} in the month {parts[3]}: it would never come"
    return ""


def values(part: str, least: int, greatest: int, names: tuple[str, ...] = ()) -> set[int]:
    """The numbers that a field allows; ValueError says what is wrong with it."""
    found: set[int] = set()
    for item in part.split(","):
        span, slash, step_text = item.partition("/")
        step = _number(step_text, 1, greatest, ()) if slash else 1
        if span == "*":
            first, last = least, greatest
        else:
            first_text, dash, last_text = span.partition("-")
            first = _number(first_text, least, greatest, names)
            last = _number(last_text, least, greatest, names) if dash else (greatest if slash else first)
        if first > last:
            raise ValueError(f"{span!r} runs backwards")
        found.update(range(first, last + 1, step))
    return found


def _number(text: str, least: int, greatest: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + least
    if not (text.isascii() and text.isdecimal() and len(text) <= 4) or not least <= int(text) <= greatest:
        raise ValueError(f"{text[:20]!r} is no number from {least} to {greatest}")
    return int(text)
