"""The resources that are stored and answered alike."""

from __future__ import annotations

from fastapi import APIRouter

from functions.api.resources import crud
from shared.model.blueprint import BLUEPRINT

router = APIRouter()
router.include_router(
    crud.routes(BLUEPRINT, "blueprints", {"name": "Cold store", "alias": "coldStore", "tags": ["is:root"]})
)
