"""Identifiers: base62 text of bytes, new ids, and digests of parts that cannot be confused.

Alphabet ``0-9a-zA-Z``, big-endian. A new id is a version 4 UUID in 22 characters.
"""

from __future__ import annotations

import hashlib
import uuid

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
UUID_LENGTH = 22
_INDEX = {letter: value for value, letter in enumerate(ALPHABET)}


def encode(data: bytes, length: int = 0) -> str:
    """Bytes, read as one big-endian number, to base62, left-padded with ``0`` to ``length``."""
    number = int.from_bytes(data, "big")
    letters: list[str] = []
    while number:
        number, rest = divmod(number, 62)
        letters.append(ALPHABET[rest])
    return "".join(reversed(letters)).rjust(length, "0")


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
    return encode(uuid.uuid4().bytes, UUID_LENGTH)


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
