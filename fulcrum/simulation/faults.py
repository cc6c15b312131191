"""What goes wrong on the way from a device, decided for each of its events by chance that can be repeated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fulcrum.core.errors import Rejected
from fulcrum.simulation import chance
from fulcrum.simulation.scenario import Faults

# How long after its first sending an event comes again, whose answer was lost.
REPEAT_MS = 5_000
_HOUR = 3_600_000
# Purposes of chance.
_LOST, _REPEATED, _SKEW, _AWAY, _RESET, _DRIFT = range(1, 7)


class Life(NamedTuple):
    """A device since its last start: when that was, and until when its clock is unset."""

    start: int
    unset_until: int


def check(faults: Faults) -> None:
    """Rejected (``scenario.faults``) for what cannot be played."""
    late, resets = faults.late, faults.resets
    shares = [faults.lost, faults.repeated, late.share if late else 0.0]
    if not all(0.0 <= share <= 1.0 for share in shares):
        raise Rejected("scenario.faults", "a share is 0 to 1")
    if late is not None and not 1_000 <= late.for_ms <= _HOUR:
        raise Rejected("scenario.faults", "late: forMs is a second to an hour")
    if resets is not None:
        lasting = resets.down_ms + resets.unset_ms
        if not 0.001 <= resets.per_hour <= 60 or min(resets.down_ms, resets.unset_ms) < 0:
            raise Rejected("scenario.faults", "resets: perHour is 0.001 to 60, times are not negative")
        if lasting > _block(resets.per_hour) // 2:
            raise Rejected("scenario.faults", "resets: a device is down or unset at most half of the time")
    if not abs(faults.skew_ms) <= 10 * 366 * 24 * _HOUR:
        raise Rejected("scenario.faults", "skewMs is at most ten years")
    if faults.drift is not None and not abs(faults.drift.per_hour) <= 1e12:
        raise Rejected("scenario.faults", "drift: perHour is too large")


def tail_ms(faults: Faults) -> int:
    """How long after its end a device may still send what is late or comes twice."""
    late = faults.late.for_ms if faults.late else 0
    return late + (REPEAT_MS if faults.repeated else 0)


def is_lost(faults: Faults, key: bytes, position: int) -> bool:
    """Whether the event at a position never arrives."""
    return bool(faults.lost) and chance.uniform(key, _LOST, position) < faults.lost


def is_repeated(faults: Faults, key: bytes, position: int) -> bool:
    """Whether the event at a position comes twice."""
    return bool(faults.repeated) and chance.uniform(key, _REPEATED, position) < faults.repeated


def skew_ms(faults: Faults, key: bytes) -> int:
    """How far a device's clock is off, all the time."""
    if not faults.skew_ms:
        return 0
    return round((2.0 * chance.uniform(key, _SKEW, 0) - 1.0) * faults.skew_ms)


def away(faults: Faults, key: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches in which a device cannot send, that end from ``start`` on and before ``end``."""
    late = faults.late
    if late is None or not late.share:
        return
    for number in range(max(0, start // late.for_ms - 1), end // late.for_ms + 1):
        if _is_away(late.share, key, number):
            begin, until = number * late.for_ms, (number + 1) * late.for_ms
            if start <= until < end:
                yield begin, until


def is_away(faults: Faults, key: bytes, position: int) -> bool:
    """Whether a device cannot send at a position."""
    late = faults.late
    return late is not None and bool(late.share) and _is_away(late.share, key, position // late.for_ms)


def _is_away(share: float, key: bytes, number: int) -> bool:
    return chance.uniform(key, _AWAY, number) < share


def life(faults: Faults, key: bytes, position: int) -> Life | None:
    """The life that a device is in at a position; None while it is down."""
    resets = faults.resets
    if resets is None:
        return Life(0, 0)
    block = _block(resets.per_hour)
    number = position // block
    for one in (number, number - 1):
        if one < 0:
            break
        room = block - resets.down_ms - resets.unset_ms
        begin = one * block + int(chance.uniform(key, _RESET, one) * room)
        if position < begin:
            continue
        up = begin + resets.down_ms
        return Life(up, up + resets.unset_ms) if position >= up else None
    return Life(0, 0)


def _block(per_hour: float) -> int:
    return round(_HOUR / per_hour)


def drifted(faults: Faults, key: bytes, path: str, position: int, since: int) -> float:
    """How far the numbers of a path are off at a position, if the device started at ``since``."""
    drift = faults.drift
    if drift is None or (drift.paths and path not in drift.paths):
        return 0.0
    slope = 2.0 * chance.uniform(key, _DRIFT, chance.number_of(path)) - 1.0
    return slope * drift.per_hour * (position - since) / _HOUR
