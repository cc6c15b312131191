"""Keys of networks and tokens of devices: made once, shown once, kept as a hash.

The text is ``fk_<id>_<secret>`` for a network's key, ``ft_<id>_<secret>`` for a device's token and
``fa_<id>_<secret>`` for an API key. The secret has 256 random bits, so a plain SHA-256 of it is as strong as
the secret; a slow password hash would only make every request slow.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Literal

import msgspec

from fulcrum.core import ids

Prefix = Literal["fk", "ft", "fa"]
_TEXT = re.compile(r"(fk|ft|fa)_([0-9A-Za-z]{8,22})_([0-9A-Za-z]{40,64})\Z")


class Credential(msgspec.Struct, frozen=True):
    """A key or token as presented. The secret never leaves this object in a log: ``repr`` hides it."""

    prefix: str
    id: str
    secret: str

    def __repr__(self) -> str:
        return f"Credential({self.prefix}_{self.id}_...)"

    @property
    def hash(self) -> str:
        """What is stored of the secret: 64 hexadecimal characters."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    @property
    def text(self) -> str:
        """The whole text, to be shown once."""
        return f"{self.prefix}_{self.id}_{self.secret}"

    def matches(self, stored_hash: str) -> bool:
        """Compare with a stored hash in constant time."""
        return hmac.compare_digest(self.hash, stored_hash)


def make(prefix: Prefix) -> Credential:
    """A new key (``fk``, ``fa``) or token (``ft``)."""
    return Credential(
        prefix, ids.encode(secrets.token_bytes(12), 17)[:17], ids.encode(secrets.token_bytes(32), 43)
    )


def parse(text: str) -> Credential | None:
    """A presented key or token; None if the text is none."""
    match = _TEXT.match(text)
    return Credential(match[1], match[2], match[3]) if match else None
