"""``/v1``: everything that people and programs do with the platform."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import functions_framework.aio
from starlette.requests import Request

from shared import collector


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def api(request: Request) -> Any:
    """Answer a request by the application of its group of routes, which serves the connection itself."""
    return _groups().application(request.scope["path"])


@cache
def _groups() -> ModuleType:
    # At the first request, so that the process listens before it pays for the framework.
    with collector.paused():
        from functions.api import groups
    return groups
