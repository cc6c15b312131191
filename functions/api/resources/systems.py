"""Systems. Roles can be held on one system alone, so that its holders see that one."""

from __future__ import annotations

from functions.api.resources import crud
from shared.model.system import SYSTEM

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
