"""Secrets that the API itself must read again, sealed under the keys of SIGNING_KEY (``shared.sealed``)."""

from __future__ import annotations

from functions.api.access.tokens import signing_keys
from shared import sealed


def seal(secret: str, context: str) -> str:
    """The sealed text of a secret."""
    return sealed.seal(secret, context, signing_keys())


def unseal(text: str, context: str) -> str | None:
    """The secret; None if no key of today opens it in that context."""
    return sealed.unseal(text, context, signing_keys())
