"""What the API says of itself: that it is up, its OpenAPI document and its documentation page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from functions.api.needs import Call, public
from functions.api.openapi import document
from functions.api.router import Router
from shared.model.base import Model

router = Router("about")

_PAGES = Path(__file__).parent / "pages"
# The page is of three files, and talks to its own server alone.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}


class About(Model):
    """What answers here."""

    name: str = Field(examples=["fulcrum"])
    version: str = Field(examples=["1"])


@router.get("/about", operation_id="about_get", summary="Say what answers here")
async def about_get(call: Annotated[Call, public("says nothing of any project")]) -> About:
    """Answer that the API is up, and which version of it."""
    return About(name="fulcrum", version="1")


@router.get(
    "/openapi.json",
    operation_id="about_openapi",
    summary="The OpenAPI 3.1 document",
    responses={
        200: {
            "content": {"application/json": {"example": {"openapi": "3.1.0", "info": {"title": "Fulcrum"}}}}
        }
    },
)
async def about_openapi(call: Annotated[Call, public("describes the API, not a project")]) -> dict[str, Any]:
    """Answer the description of every operation, from which clients are generated."""
    return document()


@router.get("/docs", include_in_schema=False)
async def docs_page(call: Annotated[Call, public("describes the API, not a project")]) -> Response:
    """The documentation page; it draws the OpenAPI document, and needs nothing from elsewhere."""
    return HTMLResponse(_read("docs.html"), headers=_HEADERS)


@router.get("/docs.js", include_in_schema=False)
async def docs_script(call: Annotated[Call, public("is the same for everybody")]) -> Response:
    """The page's script."""
    return Response(_read("docs.js"), media_type="text/javascript", headers=_HEADERS)


@router.get("/docs.css", include_in_schema=False)
async def docs_style(call: Annotated[Call, public("is the same for everybody")]) -> Response:
    """The page's style."""
    return Response(_read("docs.css"), media_type="text/css", headers=_HEADERS)


@cache
def _read(name: str) -> bytes:
    return (_PAGES / name).read_bytes()
