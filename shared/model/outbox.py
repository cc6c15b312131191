"""Messages to people as they stand in the outbox: mail and text messages, and what became of them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from shared.model.base import EpochMs, Kind, Model, Resource

MessageKind = Literal["email", "sms"]
State = Literal["kept", "sending", "waiting", "sent", "delivered", "undelivered", "failed", "limited"]


class SendingProblem(Model):
    """Why a message has not arrived, or not yet."""

    code: str = Field(examples=["twilio.21211"])
    text: str = Field(default="", examples=["The 'To' number is not a valid phone number."])


class MailDelivery(Model):
    """How far a mail is to one of its recipients, as the provider tells it."""

    to: str = Field(examples=["ada@example.com"])
    state: Literal["processed", "deferred", "delivered", "bounced", "dropped"] = Field(
        description="deferred: tried again; bounced: sent back; dropped: not even tried, because it would be"
    )
    time: EpochMs
    text: str | None = Field(default=None, examples=["550 5.1.1 unknown recipient"])


class OutboxMessage(Resource):
    """A message to people, without what it says."""

    kind: MessageKind
    state: State = Field(
        default="kept",
        description="kept: nobody is set to send it; sending; waiting for another try; sent: the provider "
        "has it; delivered, undelivered, failed: as the provider reports, or after three tries; limited: its "
        "own limits hold it back",
    )
    time: EpochMs = Field(default=0, description="When it was asked for")
    sent_time: EpochMs | None = Field(default=None, description="When the provider took it")
    report_time: EpochMs | None = Field(default=None, description="When the provider told of it last")
    next_try: EpochMs | None = Field(
        default=None, description="Of one that waited: when it was to be tried again"
    )
    attempt: int | None = Field(default=None, description="How often it was tried", examples=[1])
    error: SendingProblem | None = None
    provider_id: str | None = Field(default=None, description="What the provider calls it")
    first_limited: bool | None = Field(
        default=None, description="It is the first that its limits held back since they last let one through"
    )
    recipients: list[str] | None = Field(
        default=None, description="Of a text message", examples=[["+4791234567"]]
    )
    to: list[str] | None = Field(default=None, description="Of a mail", examples=[["ada@example.com"]])
    cc: list[str] | None = None
    bcc: list[str] | None = None
    deliveries: list[MailDelivery] | None = Field(
        default=None, description="Of a mail: what was told of each recipient"
    )
    template: str | None = Field(default=None, description="The template that it was filled from")
    source: str | None = Field(default=None, description="The id of the message that asked for it")
    confidential: bool | None = Field(default=None, description="What it says is not shown")

    @model_validator(mode="after")
    def _created_when_asked_for(self) -> OutboxMessage:
        # No part of the API makes one, and so nothing else has said when.
        self.created = self.created or self.time
        self.last_modified = self.last_modified or self.time
        return self


class OutboxFile(Model):
    """A file that goes with a mail, without its bytes."""

    filename: str = ""
    url: str | None = None
    content_type: str | None = None


class OutboxContent(OutboxMessage):
    """A message with what it says, unless it is confidential."""

    sender: str | None = Field(default=None, alias="from", description="Of a mail that says so")
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    message: str | None = Field(default=None, description="The text of a text message")
    context: dict[str, Any] | None = Field(default=None, description="What filled the template")
    attachments: list[OutboxFile] | None = None
    limit_options: dict[str, Any] | None = None


class OutboxCreate(Model):
    """Messages come from services alone: there is no body that makes one."""


_SHOWN = (
    *("kind", "state", "time", "sentTime", "reportTime", "nextTry", "attempt", "error", "providerId"),
    *("firstLimited", "recipients", "to", "cc", "bcc", "deliveries", "template", "source"),
    "confidential",
)
_SAID = ("from", "subject", "text", "html", "message", "context", "attachments", "limitOptions")

OUTBOX: Kind[OutboxMessage] = Kind(
    name="outbox",
    collection="outbox",
    model=OutboxMessage,
    create=OutboxCreate,
    patchable=frozenset(),
    mask=_SHOWN,
)
OUTBOX_CONTENT: Kind[OutboxContent] = Kind(
    name="outbox",
    collection="outbox",
    model=OutboxContent,
    create=OutboxCreate,
    patchable=frozenset(),
    json_text=frozenset({"context", "attachments", "limitOptions"}),
    mask=(*_SHOWN, *_SAID),
)
# What a confidential message never shows.
HIDDEN = frozenset(_SAID)
