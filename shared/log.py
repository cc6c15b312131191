"""One line for one handled batch: JSON that Cloud Logging understands, or readable text on a laptop."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from shared import clock
from shared.config import settings

Severity = Literal["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"]
# So many ids a line lists at most.
LISTED = 100
# Made once: json.dumps() with settings makes one for each line.
_encode = json.JSONEncoder(default=str, separators=(",", ":")).encode


def log(severity: Severity, message: str, *, trace: str | None = None, **fields: Any) -> None:
    """Write one line to standard error. ``trace`` is the value of ``X-Cloud-Trace-Context``, if any."""
    config = settings()
    now = clock.now()
    if config.log_format == "text":
        line = readable(now, severity, config.service, message, fields)
    else:
        # Cloud Logging takes severity, message, time and the trace out; what remains is the jsonPayload.
        entry = {"severity": severity, "time": now.isoformat(), "message": message}
        entry |= {"service": config.service, **fields}
        if trace:
            name = f"projects/{config.cloud_project}/traces/{trace.split('/', 1)[0]}"
            entry["logging.googleapis.com/trace"] = name
        line = _encode(entry)
    sys.stderr.write(line + "\n")


def readable(time: datetime, severity: str, service: str, message: str, fields: Mapping[str, Any]) -> str:
    """A line for people."""
    extra = " ".join(f"{key}={_short(value)}" for key, value in fields.items())
    return (
        f"{time:%H:%M:%S}.{time.microsecond // 1000:03d} {severity:<7} {service}: {message} {extra}".rstrip()
    )


def listed(ids: Iterable[str]) -> list[str]:
    """Ids as a line may list them: at most :data:`LISTED`, so that no line grows with its batch."""
    return list(islice(ids, LISTED))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:199] + "…"
