"""Systems. Roles can be held on one system alone, so that its holders see that one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from functions.api.needs import Call, needs
from functions.api.resources import crud
from functions.api.resources.answers import GONE
from shared.model.page import Page
from shared.model.system import SYSTEM, Contact

router = crud.routes(
    SYSTEM,
    "systems",
    {
        "name": "North wing",
        "alias": "north-wing",
        "contacts": [{"name": "Ada", "email": "ada@example.com"}],
        "metadata": {"floor": 2},
    },
    crud.Rules(reach="alone"),
)


@router.get(
    "/system/{system_id}/contacts",
    operation_id="system_contacts_list",
    summary="List whom to ask about a system",
    description="All its contacts, at most 100. They are changed with the system, by the path 'contacts'.",
    responses=GONE,
)
async def contacts_list(
    system_id: Annotated[str, Path(max_length=200, description="The id of the system")],
    call: Annotated[Call, needs("system.read", anywhere=True)],
) -> Page[Contact]:
    """Answer a system's contacts."""
    call.require("system.read", system=system_id)
    found = (await call.scope.get(SYSTEM, system_id)).model().contacts
    return Page(count=len(found), per_page=len(found), items=found)
