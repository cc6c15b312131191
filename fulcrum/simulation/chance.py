"""Chance that can be repeated: numbers that follow from a key and a place, in whatever order asked for."""

from __future__ import annotations

import math
from hashlib import blake2b
from struct import Struct

_PLACE = Struct("<qqqq")
_PAIR = Struct("<QQ")
_WHOLE = float(2**64)


def key_of(seed: int, device_id: str) -> bytes:
    """The key of a device under a seed."""
    return blake2b(device_id.encode(), digest_size=16, key=seed.to_bytes(8, "little", signed=True)).digest()


def number_of(text: str) -> int:
    """A place for a text, as a path: another text, another place."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def _pair(key: bytes, what: int, a: int, b: int, c: int) -> tuple[float, float]:
    digest = blake2b(_PLACE.pack(what, a, b, c), digest_size=16, key=key).digest()
    first, second = _PAIR.unpack(digest)
    return first / _WHOLE, second / _WHOLE


def uniform(key: bytes, what: int, a: int, b: int = 0, c: int = 0) -> float:
    """A number from 0 to 1, for the place (a, b, c) of a purpose."""
    return _pair(key, what, a, b, c)[0]


def gauss(key: bytes, what: int, a: int, b: int = 0, c: int = 0) -> float:
    """A normally distributed number around 0, standard deviation 1."""
    return gauss_pair(key, what, a, b, c)[0]


def gauss_pair(key: bytes, what: int, a: int, b: int = 0, c: int = 0) -> tuple[float, float]:
    """Two of them, independent of each other (Box and Muller)."""
    first, second = _pair(key, what, a, b, c)
    length = math.sqrt(-2.0 * math.log(1.0 - first)) if first < 1.0 else 0.0
    return length * math.cos(math.tau * second), length * math.sin(math.tau * second)
