"""How fast a network and each of its devices may send: token buckets in the memory of one instance.

A bucket holds one second's worth. A request larger than that passes when the bucket is full and is paid
off afterwards, so that a gateway's array is never refused for its size alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from shared.errors import ApiError

MAX_BUCKETS = 200_000


class Bucket(msgspec.Struct):
    """Tokens that come back at ``rate`` a second up to ``size``; may owe some. No rate, no limit."""

    rate: float
    size: float
    level: float = math.inf
    at: float = 0.0

    def _refill(self, now: float) -> float:
        self.level = min(self.size, self.level + max(0.0, now - self.at) * self.rate)
        self.at = now
        return self.level

    def allows(self, now: float, amount: float = 1.0) -> bool:
        """Whether ``amount`` may be taken: it is there, or the bucket is full."""
        return self.wait(now, amount) <= 0

    def wait(self, now: float, amount: float = 1.0) -> float:
        """Seconds until ``amount`` may be taken; 0 for now."""
        if self.rate <= 0:
            return 0.0
        return max(0.0, (min(amount, self.size) - self._refill(now)) / self.rate)

    def spend(self, amount: float, now: float) -> None:
        """Take ``amount``, even if it is not there."""
        if self.rate > 0 and amount > 0:
            self._refill(now)
            self.level -= amount


class Rates(msgspec.Struct, frozen=True):
    """Events a second, for a network and for each of its devices; 0 means no limit."""

    network: float
    device: float


class Limits:
    """The buckets of this instance."""

    def __init__(self, size: int = MAX_BUCKETS) -> None:
        self._size = size
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, network: str, rates: Rates, devices: Sequence[tuple[str, str]], now: float) -> None:
        """Take a token for each event, or ApiError 429 and none at all if one is lacking.

        ``devices``: (alias key, device id) of each event. ``now`` is in seconds and never runs backwards.
        """
        if not devices:
            return
        wanted = [(self._bucket((network,), rates.network), len(devices), f"network {network}")]
        counts = Counter(devices) if len(devices) > 1 else {devices[0]: 1}
        for (key, device), count in counts.items():
            bucket = self._bucket((network, key, device), rates.device)
            wanted.append((bucket, count, f"device {device}"))
        for bucket, count, who in wanted:
            wait = bucket.wait(now, count)
            if wait > 0:
                raise ApiError(
                    429,
                    "rate.exceeded",
                    f"{who} sends more than {bucket.rate:g} events a second",
                    "send more slowly, or several events in one request; nothing of this one was taken",
                    retry_after=math.ceil(wait),
                )
        for bucket, count, _ in wanted:
            bucket.spend(count, now)
        while len(self._buckets) > self._size:
            del self._buckets[next(iter(self._buckets))]

    def _bucket(self, name: tuple[str, ...], rate: float) -> Bucket:
        bucket = self._buckets.pop(name, None)
        if bucket is None or bucket.rate != rate:
            bucket = Bucket(rate, max(rate, 1.0))
        # Last used, last dropped.
        self._buckets[name] = bucket
        return bucket
