"""What one query may cost: bytes by the server's setting, and seconds."""

from __future__ import annotations

from shared.config import settings

SECONDS = 60.0
_DEFAULT_MAX_BYTES = 10 * 2**30


def max_bytes() -> int:
    """How many bytes one query may read: the setting HISTORY_MAX_BYTES."""
    return int(settings().number("HISTORY_MAX_BYTES", _DEFAULT_MAX_BYTES))
