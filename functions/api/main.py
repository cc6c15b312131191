"""``/v1``: everything that people and programs do with the platform."""

from __future__ import annotations

from typing import Any

import functions_framework.aio
from starlette.requests import Request

from functions.api import groups


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def api(request: Request) -> Any:
    """Answer a request by the application of its group of routes, which serves the connection itself."""
    return groups.application(request.scope["path"])
