"""Templates of mail and text messages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.model.base import Description, JsonObject, Kind, Model, Name, Resource, Tags, Unique

MAX_SUBJECT = 900
MAX_SMS = 1600

TemplateAlias = Annotated[
    str, Field(pattern=r"^[a-z][A-Za-z0-9]{0,99}$", description="camelCase", examples=["resetPassword"])
]


class Email(Model):
    """A mail with placeholders such as ``{{name}}``: Jinja2's language, in a sandbox."""

    subject: str = Field(min_length=1, max_length=MAX_SUBJECT, examples=["Cold store 4 is too warm"])
    html: str | None = Field(default=None, max_length=200_000, examples=["<p>It has {{temperature}} °C.</p>"])
    text: str | None = Field(default=None, max_length=100_000, examples=["It has {{temperature}} °C."])


class TemplateCreate(Model):
    """A new template: for mail, for text messages, or for both."""

    name: Name
    alias: TemplateAlias
    desc: Description | None = None
    email: Email | None = None
    sms: str | None = Field(default=None, min_length=1, max_length=MAX_SMS, examples=["{{name}} is too warm"])
    tags: Tags = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_something(self) -> TemplateCreate:
        if self.email is None and self.sms is None:
            raise ValueError("a template has neither email nor sms: give it one of them, or both")
        return self


class Template(TemplateCreate, Resource):
    """A template."""


class TemplateSample(Model):
    """What a template is filled from to be looked at, and a draft in place of what is stored."""

    context: JsonObject = Field(default_factory=dict, examples=[{"name": "Cold store 4", "temperature": 9.5}])
    email: Email | None = None
    sms: str | None = Field(default=None, min_length=1, max_length=MAX_SMS, examples=["{{name}} is too warm"])


class TemplateProblem(Model):
    """What is wrong with a part of a template."""

    part: Literal["subject", "html", "text", "sms"]
    message: str = Field(examples=["line 3: the context has no 'temperature'"])


class TemplatePreview(Model):
    """What a template comes to: the parts that could be filled, and what is wrong with the others."""

    subject: str | None = Field(default=None, examples=["Cold store 4 is too warm"])
    html: str | None = Field(default=None, examples=["<p>It has 9.5 °C.</p>"])
    text: str | None = Field(default=None, examples=["It has 9.5 °C."])
    sms: str | None = Field(default=None, examples=["Cold store 4 is too warm"])
    names: list[str] = Field(
        default_factory=list,
        description="What it takes from the context",
        examples=[["name", "temperature"]],
    )
    problems: list[TemplateProblem] = Field(default_factory=list)


TEMPLATE: Kind[Template] = Kind(
    name="template",
    collection="templates",
    model=Template,
    create=TemplateCreate,
    patchable=frozenset({"name", "alias", "desc", "email", "sms", "tags"}),
    unique=(Unique("alias"),),
)
