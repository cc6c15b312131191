"""What the API says of itself: that it is up, its OpenAPI document and its documentation page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from functions.api.needs import Call, public
from functions.api.openapi import document
from shared.model.base import Model

router = APIRouter(tags=["about"])


class About(Model):
    """What answers here."""

    name: str = Field(examples=["fulcrum"])
    version: str = Field(examples=["1"])


@router.get("/about", operation_id="about_get", summary="Say what answers here")
async def about_get(call: Annotated[Call, public("says nothing of any project")]) -> About:
    """Answer that the API is up, and which version of it."""
    return About(name="fulcrum", version="1")


@router.get("/openapi.json", operation_id="about_openapi", summary="The OpenAPI 3.1 document")
async def about_openapi(call: Annotated[Call, public("describes the API, not a project")]) -> dict[str, Any]:
    """Answer the description of every operation, from which clients are generated."""
    return document()
