"""Dashboards: what people see first, for everybody, a page, a blueprint, a role, or one person alone."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from shared.model.base import Description, JsonObject, Kind, Model, Name, Resource, Tags

DashboardScope = Literal["personal", "role", "page", "blueprint", "default"]
# Whose dashboard comes first where several fit.
ORDER: tuple[DashboardScope, ...] = ("personal", "role", "page", "blueprint", "default")


class DashboardCreate(Model):
    """A new dashboard.

    ``scope`` says for whom it is: ``personal`` (who made it, alone), ``role``, ``page`` or ``blueprint``
    (``scopeId`` says which), or ``default``. A personal one may name a page in ``scopeId``.
    """

    name: Name
    desc: Description | None = None
    scope: DashboardScope = "default"
    scope_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Which role, page or blueprint",
        examples=["map"],
    )
    layout: JsonObject = Field(
        default_factory=dict, description="The sections and what is in them", examples=[{"main": ["table"]}]
    )
    tags: Tags = Field(default_factory=list)

    @model_validator(mode="after")
    def _which(self) -> DashboardCreate:
        if self.scope in ("role", "page", "blueprint") and self.scope_id is None:
            raise ValueError(f"scopeId is missing: say which {self.scope}")
        if self.scope == "default" and self.scope_id is not None:
            raise ValueError("scopeId is not for the scope 'default': leave it out")
        return self


class Dashboard(DashboardCreate, Resource):
    """A dashboard. ``owner`` is the person whose alone it is; nothing for a shared one."""

    owner: str = Field(default="", description="The id of the one who alone sees it; empty for a shared one")


DASHBOARD: Kind[Dashboard] = Kind(
    name="dashboard",
    collection="dashboards",
    model=Dashboard,
    create=DashboardCreate,
    patchable=frozenset({"name", "desc", "scopeId", "layout", "tags"}),
    json_text=frozenset({"layout"}),
)
