"""One request before it is sent, and how often it may be sent again. Pure."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

TRIES = 5
# What the API answers when the same request may do better a moment later.
_AGAIN = frozenset({429, 503})
_LONGEST_WAIT = 20.0


@dataclass(frozen=True)
class Request:
    """``path`` has its parameters filled in; ``content`` is a body that is no JSON, of ``content_type``."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: Any = None
    content: bytes | str | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    # A creation that takes an Idempotency-Key.
    once: bool = False

    def parameters(self) -> dict[str, Any]:
        """The query as it is sent: what is None is left out, booleans are written as JSON has them."""
        return {
            key: str(value).lower() if isinstance(value, bool) else value
            for key, value in self.query.items()
            if value is not None
        }

    def sent_headers(self) -> dict[str, str]:
        """The headers as they are sent; a creation without a key gets one, so that it may be sent again."""
        made = {key: value for key, value in self.headers.items() if value is not None}
        if self.once and "Idempotency-Key" not in made:
            made["Idempotency-Key"] = str(uuid.uuid4())
        made["Accept"] = self.accept
        if self.content is not None:
            made["Content-Type"] = self.content_type
        return made

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does no more than sending it once."""
        return self.once or self.method in ("GET", "PUT", "DELETE", "HEAD")


def wait_before_next(
    request: Request, tries: int, status: int | None, retry_after: str | None
) -> float | None:
    """Seconds to wait before the request is sent again; None if it is not.

    ``status`` None: no answer came, and nobody knows whether the request arrived.
    """
    if tries >= TRIES:
        return None
    if status is None and not request.repeatable:
        return None
    if status is not None and status not in _AGAIN:
        return None
    asked = float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
    if asked > _LONGEST_WAIT:
        return None
    return max(asked, 0.2 * float(2**tries) * (0.5 + random.random()))


def segment(value: str | int) -> str:
    """A parameter of a path, so that no character of it is read as part of the path."""
    return quote(str(value), safe="")
