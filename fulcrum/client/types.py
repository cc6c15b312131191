"""The objects that the API takes and answers, as typed dictionaries.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class About(TypedDict):
    """What answers here."""

    name: str
    version: str


class Blueprint(TypedDict):
    """A blueprint; its attributes are resources of their own."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    alias: str
    desc: NotRequired[str]
    purpose: NotRequired[Literal["device", "organization"]]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    messageRoute: NotRequired[dict[str, Any]]
    messageRouteId: NotRequired[str]
    checkMode: NotRequired[Literal["off", "warn", "strict"]]


class BlueprintCreate(TypedDict):
    """A new blueprint."""

    name: str
    alias: str
    desc: NotRequired[str]
    purpose: NotRequired[Literal["device", "organization"]]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    messageRoute: NotRequired[dict[str, Any]]
    messageRouteId: NotRequired[str]
    checkMode: NotRequired[Literal["off", "warn", "strict"]]


class Deleted(TypedDict):
    """A deletion: the resource is gone; ``jobId`` names the job that clears what hung on it."""

    status: str
    id: str
    systemId: NotRequired[str]
    jobId: NotRequired[str]


class ErrorBody(TypedDict):
    """The one shape of every error."""

    status: int
    error: str
    message: str
    description: str
    requestId: str


class PageBlueprint(TypedDict):
    """Page[Blueprint]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Blueprint]
    refs: NotRequired[dict[str, dict[str, Any]]]


class PatchOperation(TypedDict):
    """One change. ``path`` has ``/`` between its segments."""

    path: str
    value: NotRequired[Any]
    op: NotRequired[Literal["set", "remove", "add"]]
