"""One line for one handled batch: JSON that Cloud Logging understands, or readable text on a laptop."""

from __future__ import annotations

import json
import sys
from typing import Any, Literal

from shared import clock
from shared.config import settings

Severity = Literal["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"]


def log(severity: Severity, message: str, *, trace: str | None = None, **fields: Any) -> None:
    """Write one line to standard error. ``trace`` is the value of ``X-Cloud-Trace-Context``, if any."""
    config = settings()
    if config.log_format == "text":
        extra = " ".join(f"{key}={_short(value)}" for key, value in fields.items())
        stamp = clock.now().strftime("%H:%M:%S.%f")[:-3]
        line = f"{stamp} {severity:<7} {config.service}: {message} {extra}".rstrip()
    else:
        entry = {"severity": severity, "message": message, "service": config.service, **fields}
        if trace:
            name = f"projects/{config.cloud_project}/traces/{trace.split('/', 1)[0]}"
            entry["logging.googleapis.com/trace"] = name
        line = json.dumps(entry, default=str, separators=(",", ":"))
    sys.stderr.write(line + "\n")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:199] + "…"
