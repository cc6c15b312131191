"""The five verbs of a kind of resource, made from the kind's description."""

from __future__ import annotations

from typing import Any

from functions.api.resources import collection, items
from functions.api.resources.collection import Owner
from functions.api.resources.rules import Rules
from functions.api.router import Router
from shared.model.base import Kind

NO_RULES = Rules()
__all__ = ["Owner", "Rules", "routes"]


def routes(
    kind: Kind[Any],
    plural: str,
    example: dict[str, Any],
    rules: Rules = NO_RULES,
    owner: Owner | None = None,
) -> Router:
    """A router with ``POST|GET /project/{p}/<plural>`` and ``GET|PATCH|DELETE /<kind>/{id}``.

    With an ``owner`` the first two stand below it: ``/blueprint/{b}/attributes``.
    """
    router = Router(kind.name)
    collection.add(router, kind, plural, example, rules, owner)
    items.add(router, kind, rules)
    return router
