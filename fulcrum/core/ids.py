"""Identifiers: base62 text of bytes, new ids, and digests of parts that cannot be confused.

Alphabet ``0-9a-zA-Z``, big-endian. A new id is a version 4 UUID in 22 characters.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
UUID_LENGTH = 22
_INDEX = {letter: value for value, letter in enumerate(ALPHABET)}


def encode(data: bytes, length: int = 0) -> str:
    """Bytes, read as one big-endian number, to base62, left-padded with ``0`` to ``length``."""
    number = int.from_bytes(data, "big")
    table = _pairs()
    pairs: list[str] = []
    while number:
        number, rest = divmod(number, 3844)
        pairs.append(table[rest])
    pairs.reverse()
    return "".join(pairs).lstrip("0").rjust(length, "0")


@cache
def _pairs() -> list[str]:
    # Dividing a long number is what costs: by 62 * 62 it is divided half as often.
    return [first + second for first in ALPHABET for second in ALPHABET]


def decode(text: str) -> bytes:
    """Base62 to the shortest bytes that hold the number; ValueError for a foreign character."""
    number = 0
    for letter in text:
        if letter not in _INDEX:
            raise ValueError(f"{letter!r} is not a base62 character")
        number = number * 62 + _INDEX[letter]
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def new_id() -> str:
    """A new random id of 22 characters."""
    number = int.from_bytes(os.urandom(16), "big")
    # The version, 4, and the variant stand where a UUID has them (RFC 9562).
    number = number & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62
    return encode(number.to_bytes(16, "big"), UUID_LENGTH)


def digest(*parts: str | bytes) -> str:
    """A 22-character id that depends on every part and on where each one ends (length-prefixed)."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        hasher.update(len(data).to_bytes(4, "big"))
        hasher.update(data)
    return encode(hasher.digest(), UUID_LENGTH)


def alias_id(network_id: str, alias_key: str, value: str) -> str:
    """The document id of an alias triple."""
    return digest(network_id, alias_key, value)
