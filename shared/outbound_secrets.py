"""Secret headers of networks: sealed by the API, opened by who sends the requests, under OUTBOUND_KEY.

``OUTBOUND_KEY`` may hold several keys, separated by commas: the first seals, all open.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared import sealed
from shared.config import settings
from shared.errors import Transient

MIN_KEY_LENGTH = 32
# What is shorter is no secret, but stands in many texts by chance.
_MIN_HIDDEN = 8


def seal(network_id: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as they are kept, by name."""
    keys = _keys()
    return {name: sealed.seal(value, _context(network_id, name), keys) for name, value in headers.items()}


def unseal(network_id: str, kept: Mapping[str, str]) -> dict[str, str]:
    """Headers as they are sent; Transient where a key is lacking: it may be given back."""
    if not kept:
        return {}
    keys = _keys()
    opened: dict[str, str] = {}
    for name, text in kept.items():
        value = sealed.unseal(text, _context(network_id, name), keys)
        if value is None:
            raise Transient(f"no key of OUTBOUND_KEY opens the header {name} of the network {network_id}")
        opened[name] = value
    return opened


def hidden(text: str, secrets: Mapping[str, str]) -> str:
    """A text of whoever got secret headers, without them: some answer with what they were sent."""
    words = {
        word for value in secrets.values() for word in (value, *value.split()) if len(word) >= _MIN_HIDDEN
    }
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "***")
    return text


def _context(network_id: str, name: str) -> str:
    return f"network {network_id} header {name}"


def _keys() -> list[str]:
    keys = [key.strip() for key in settings().text("OUTBOUND_KEY", "").split(",") if key.strip()]
    if not keys or min(map(len, keys)) < MIN_KEY_LENGTH:
        raise ValueError(
            f"FULCRUM_OUTBOUND_KEY: a secret of {MIN_KEY_LENGTH} characters or more, or several with commas"
        )
    return keys
