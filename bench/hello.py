"""Baseline of start-up and memory: functions-framework's own hello world."""

from __future__ import annotations

import functions_framework


@functions_framework.http  # type: ignore[untyped-decorator]  # the framework has no types
def hello(request: object) -> str:
    """Answer every request with one line."""
    return "Hello world!"
