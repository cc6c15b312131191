"""Secrets that the server itself must read again: encrypted under a key that is derived from a secret.

AES-256-GCM with a random nonce; the context (whose secret it is) is authenticated with it, so that a sealed
secret moved to another document opens nothing. Sealed under the first of some keys, opened with whichever it
was sealed under, as long as that still stands among them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import Any

_NONCE = 12
_PURPOSE = b"fulcrum seal v1"


def seal(secret: str, context: str, keys: Sequence[str]) -> str:
    """The sealed text of a secret: which key, and the encrypted bytes in base64."""
    key = _derived(keys[0])
    nonce = os.urandom(_NONCE)
    sealed = _cipher(key).encrypt(nonce, secret.encode(), context.encode())
    return f"{_mark(key)}.{base64.b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, context: str, keys: Sequence[str]) -> str | None:
    """The secret; None if none of the keys opens it in that context."""
    from cryptography.exceptions import InvalidTag

    mark, _, text = sealed.partition(".")
    for secret in keys:
        key = _derived(secret)
        if _mark(key) != mark:
            continue
        data = base64.b64decode(text)
        try:
            opened: bytes = _cipher(key).decrypt(data[:_NONCE], data[_NONCE:], context.encode())
            return opened.decode()
        except InvalidTag:
            return None
    return None


def _derived(secret: str) -> bytes:
    # The secret is random and long: one HMAC makes an independent key of it (HKDF's expansion).
    return hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).digest()


def _mark(key: bytes) -> str:
    """Names a key without saying anything of it."""
    return hashlib.sha256(b"mark" + key).hexdigest()[:8]


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
