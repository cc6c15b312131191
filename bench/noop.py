"""Baseline of a push: functions-framework's own CloudEvent function, doing nothing."""

from __future__ import annotations

import functions_framework


@functions_framework.cloud_event  # type: ignore[untyped-decorator]  # the framework has no types
def noop(event: object) -> None:
    """Take a CloudEvent and do nothing with it."""
