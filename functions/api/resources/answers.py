"""Pieces of answers that many operations share."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from shared.model.page import ErrorBody
from shared.store.scope import Stored


def problem(description: str) -> dict[str, Any]:
    """The declaration of an error that an operation may answer."""
    return {"model": ErrorBody, "description": description}


GONE: dict[int | str, dict[str, Any]] = {
    404: problem("There is none such in this project"),
    410: problem("It was deleted"),
}


def etag(response: Response, stored: Stored[Any]) -> None:
    """Say the version of a resource in the answer's headers."""
    response.headers["ETag"] = stored.etag


def with_article(name: str) -> str:
    """``a device``, ``an attribute``: the name of a kind in a sentence."""
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
