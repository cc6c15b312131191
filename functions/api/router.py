"""Where operations are declared: routers whose routes an application takes as they are.

A router that is included in another one has each of its routes built again, with all its fields, when the
first request comes; these stand below their prefix from the start, and an application only lists them.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute

PREFIX = "/v1"


class Operation(APIRoute):
    """A route. What is not there is left out of its answer, not said to be null."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"response_model_exclude_none": True})


class Router(APIRouter):
    """Operations below ``/v1``, all under one tag if one is given."""

    def __init__(self, tag: str | None = None) -> None:
        super().__init__(prefix=PREFIX, tags=[tag] if tag else None, route_class=Operation)

    def take(self, other: Router) -> None:
        """Have another router's operations, too."""
        self.routes.extend(other.routes)
