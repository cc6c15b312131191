"""When timers fire: the four kinds, each a function of its definition and its start. Pure.

Instants are epoch ms. ``start`` is when the timer was started, from which delays count.

- ``once``: at ``when``, or ``delay`` after the start. A ``when`` before the start never comes.
- ``repeating``: every ``delay`` from the start on, and at the start too with ``runImmediately``.
- ``scheduled``: when the clocks of ``timezone`` show what the cron expression says. Where the clocks go
  forward, a time that they leave out is the instant of the change; where they go back, a time that comes
  twice counts the first time. An expression whose minute or hour begins with ``*`` follows what the clocks
  show: an hour that is left out is left out, one that comes twice counts twice. Day and weekday must both
  fit if one of them begins with ``*``; otherwise one of them is enough. (All of it as Debian's cron does.)
- ``solar``: ``offset`` ms after sunrise or sunset on the days of the cron expression, days of the place
  itself (see ``shared.solar``). A day without sunrise is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from shared.errors import Rejected
from shared.model.cron import problem

MIN_DELAY = 1_000
MAX_DELAY = 10 * 366 * 86_400_000
# 29 February is eight years off at most; a place where the sun never rises on a timer's days is given up.
_HORIZON = timedelta(days=8 * 366 + 2)

Delay = Annotated[int, Meta(ge=MIN_DELAY, le=MAX_DELAY)]
Instant = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]


class _When(msgspec.Struct, frozen=True, rename="camel", tag_field="type", kw_only=True):
    pass


class Once(_When, frozen=True, kw_only=True, tag="once"):
    """Fires once."""

    delay: Delay | None = None
    when: Instant | None = None


class Repeating(_When, frozen=True, kw_only=True, tag="repeating"):
    """Fires again and again, ``delay`` ms apart."""

    delay: Delay
    run_immediately: bool = False


class Scheduled(_When, frozen=True, kw_only=True, tag="scheduled"):
    """Fires by a cron expression."""

    cron: Annotated[str, Meta(max_length=200)]
    timezone: Annotated[str, Meta(max_length=64)] = "UTC"


class Solar(_When, frozen=True, kw_only=True, tag="solar"):
    """Fires at sunrise or sunset."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    from_sunrise: bool = True
    offset: Annotated[int, Meta(ge=-86_400_000, le=86_400_000)] = 0
    cron: Annotated[str, Meta(max_length=200)] = "0 0 * * *"


When = Once | Repeating | Scheduled | Solar


def parse(definition: Mapping[str, Any]) -> When:
    """A timer from its JSON object; Rejected (``timer.invalid``) says what is wrong with it."""
    try:
        when: When = msgspec.convert(definition, When)
    except msgspec.ValidationError as error:
        raise Rejected("timer.invalid", f"timer: {error}") from None
    if isinstance(when, Once) and (when.delay is None) == (when.when is None):
        raise Rejected("timer.invalid", "timer: say either 'delay' or 'when'")
    if isinstance(when, Scheduled | Solar) and (found := problem(when.cron)):
        raise Rejected("timer.invalid", f"timer: {found}")
    if isinstance(when, Scheduled):
        _zone(when.timezone)
    return when


def first(when: When, start: int) -> int | None:
    """When a timer that is started fires first; None if never."""
    if isinstance(when, Once):
        at = when.when if when.when is not None else start + (when.delay or 0)
        return at if at >= start else None
    if isinstance(when, Repeating) and when.run_immediately:
        return start
    return following(when, start, start)


def following(when: When, start: int, after: int) -> int | None:
    """When a timer fires next after an instant; None if never again."""
    match when:
        case Once():
            at = first(when, start)
            return at if at is not None and at > after else None
        case Repeating(delay=delay):
            return start + (max(0, after - start) // delay + 1) * delay
        case Scheduled():
            return _scheduled(when, after)
        case Solar():
            return _solar(when, after)


def _scheduled(when: Scheduled, after: int) -> int | None:
    from cronsim import CronSim

    for local in CronSim(when.cron, _instant(after).astimezone(_zone(when.timezone))):
        at = _ms(local)
        # In the hour that comes twice, the walk begins with its first time.
        if at > after:
            return at
    return None


def _solar(when: Solar, after: int) -> int | None:
    from shared.solar import sun_time

    # A local day begins up to half a day before or after the UTC one; the offset is up to a day.
    since = _instant(after - when.offset).date() - timedelta(days=2)
    for day in _days(when.cron, since):
        found = sun_time(day, when.latitude, when.longitude, rise=when.from_sunrise)
        if found is not None and _ms(found) + when.offset > after:
            return _ms(found) + when.offset
    return None


def _days(cron: str, since: date) -> Iterator[date]:
    from cronsim import CronSim

    begin = datetime(since.year, since.month, since.day, tzinfo=UTC) - timedelta(seconds=1)
    for midnight in CronSim(" ".join(("0", "0", *cron.split()[2:])), begin):
        if midnight - begin > _HORIZON:
            return
        yield midnight.date()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise Rejected("timer.invalid", f"timer: {name!r} is no time zone") from None


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
