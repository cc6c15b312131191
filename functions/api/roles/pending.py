"""Roles for people who have not signed in yet: ``/v1/project/{p}/pendingUsers``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.api.needs import Call
from functions.api.resources import crud
from functions.api.resources.rules import Extra, Rules
from functions.api.roles import giving
from shared.model.role import PENDING_USER, ROLE
from shared.store.change import Change
from shared.store.scope import not_found

_EXAMPLE = {"issuer": "https://id.example.com", "emailOrName": "ada@example.com", "permValue": "member"}


async def _creating(call: Call, change: Change, fields: Mapping[str, Any]) -> Extra:
    role = await call.scope.find(ROLE, fields["permValue"])
    if role is None:
        raise not_found("role", fields["permValue"])
    place_id = fields.get("contextId") or call.scope.project_id
    at = await giving.place(call.scope, fields["contextType"], place_id)
    giving.require_place(call, giving.ASSIGN, at)
    giving.require_all(call, role.fields.get("permissions") or [], at)
    return {"contextId": at.id}


router = crud.routes(PENDING_USER, "pendingUsers", _EXAMPLE, Rules(creating=_creating))
