"""Answers that are not resources themselves: pages, deletions, errors."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import Field

from shared.model.base import Identifier, Model

T = TypeVar("T")


class Page(Model, Generic[T]):
    """One page of a list. ``next`` is the cursor of the next page, absent on the last one."""

    count: int = Field(description="How many items this page has", examples=[1])
    per_page: int = Field(description="How many items a page has at most", examples=[50])
    total: int | None = Field(default=None, description="How many there are in all, if asked by total=true")
    next: str | None = Field(default=None, description="Cursor of the next page; absent on the last one")
    items: list[T]
    refs: dict[str, dict[str, Any]] | None = Field(
        default=None, description="Resources that the items refer to, by kind and id, if asked by refs=true"
    )


class Deleted(Model):
    """A deletion: the resource is gone; ``jobId`` names the job that clears what hung on it."""

    status: str = Field(examples=["deleted"])
    id: str
    system_id: str | None = None
    job_id: str | None = Field(default=None, description="See /v1/job/{jobId}; absent if nothing hung on it")


class DeletedMany(Model):
    """Several deletions at once; ``jobIds`` names the jobs that clear what hung on them."""

    status: str = Field(examples=["deleted"])
    ids: list[str] = Field(examples=[["3Vc8Qn0kZ5tWb1yLr7sXe2"]])
    job_ids: list[str] = Field(default_factory=list, description="See /v1/job/{jobId}")


class ErrorBody(Model):
    """The one shape of every error."""

    status: int = Field(examples=[404])
    error: str = Field(description="A stable name", examples=["device.notFound"])
    message: str = Field(description="What is wrong", examples=["there is no device '3Vc8'"])
    description: str = Field(
        description="What to do about it",
        examples=["check the id, and that the token is of the right project"],
    )
    request_id: str = Field(description="Names this request in the logs", examples=["6b1f0c2d9a7e4f53"])


class Verified(Model):
    """What a check of a resource found."""

    id: Identifier
    ok: bool
    problems: list[str] = Field(default_factory=list, examples=[["its network 'farm-lora' is gone"]])
