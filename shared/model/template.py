"""Templates of mail and text messages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from shared.model.base import Description, Kind, Model, Name, Resource, Tags, Unique

TemplateAlias = Annotated[
    str, Field(pattern=r"^[a-z][A-Za-z0-9]{0,99}$", description="camelCase", examples=["resetPassword"])
]


class Email(Model):
    """A mail with placeholders such as ``{{name}}``."""

    subject: str = Field(min_length=1, max_length=900, examples=["Cold store 4 is too warm"])
    html: str | None = Field(default=None, max_length=200_000, examples=["<p>It has {{temperature}} °C.</p>"])
    text: str | None = Field(default=None, max_length=100_000, examples=["It has {{temperature}} °C."])


class TemplateCreate(Model):
    """A new template: for mail, for text messages, or for both."""

    name: Name
    alias: TemplateAlias
    desc: Description | None = None
    email: Email | None = None
    sms: str | None = Field(default=None, min_length=1, max_length=1600, examples=["{{name}} is too warm"])
    tags: Tags = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_something(self) -> TemplateCreate:
        if self.email is None and self.sms is None:
            raise ValueError("a template has neither email nor sms: give it one of them, or both")
        return self


class Template(TemplateCreate, Resource):
    """A template."""


TEMPLATE: Kind[Template] = Kind(
    name="template",
    collection="templates",
    model=Template,
    create=TemplateCreate,
    patchable=frozenset({"name", "alias", "desc", "email", "sms", "tags"}),
    unique=(Unique("alias"),),
)
