"""Messages to devices, and how a network carries them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from shared import outbound, outbound_request
from shared.model.base import EpochMs, Identifier, Json, Kind, Model, Resource

MAX_HEADERS = 50
# What lets somebody in stands with the secret ones.
_SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9\-_]{1,100}$", examples=["X-Tenant"])]
HeaderValue = Annotated[str, Field(max_length=4000, pattern=r"^[\t -~]*$", examples=["north"])]
MessageId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9\-][A-Za-z0-9_\-]*$",
        description="Names the message in its project; the same again is the same message",
        examples=["open-valve-7"],
    ),
]
Key = Annotated[
    str,
    Field(
        min_length=1,
        max_length=outbound.MAX_KEY,
        description="Of a device's messages with one key only the newest waits",
        examples=["setpoint"],
    ),
]


def _open(headers: dict[str, str]) -> dict[str, str]:
    if found := sorted(name for name in headers if name.lower() in _SECRET):
        raise ValueError(f"{found[0]} is a secret: set it by the network's secretHeaders")
    return headers


def _body(template: Json) -> Json:
    if found := outbound_request.body_problem(template):
        raise ValueError(found)
    return template


def _url(template: str) -> str:
    if found := outbound_request.url_problem(template):
        raise ValueError(found)
    return template


class Outbound(Model):
    """How messages reach a network's devices.

    ``rest``: by HTTP requests to ``urlTemplate``. ``poll``: devices fetch them. ``custom``: a server of the
    user's own takes them from the topic ``outbound``.
    """

    transport: Literal["rest", "poll", "custom"]
    url_template: Annotated[str, AfterValidator(_url)] | None = Field(
        default=None,
        max_length=2000,
        pattern=r"^https?://[^\s]+$",
        description="With {alias}, {alias:<key>}, {deviceId}, {msgId}, {networkId} or {projectId}",
        examples=["https://lora.example.com/devices/{alias}/down"],
    )
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: Annotated[dict[HeaderName, HeaderValue], AfterValidator(_open)] = Field(
        default_factory=dict,
        max_length=MAX_HEADERS,
        description="Without secrets: these have their own place",
    )
    body: Annotated[Json, AfterValidator(_body)] = Field(
        default=None,
        description="What is sent, with placeholders and {message}; without it the message itself",
        examples=[{"payload": "{message}", "id": "{msgId}"}],
    )
    expects_ack: bool = Field(
        default=False,
        description="Whether devices acknowledge: what is sent and not acknowledged in time then expires",
    )

    @model_validator(mode="after")
    def _whole(self) -> Outbound:
        if self.transport == "rest" and self.url_template is None:
            raise ValueError("the transport rest needs a urlTemplate")
        if self.transport != "rest" and (self.url_template is not None or self.headers or self.body):
            raise ValueError("urlTemplate, headers and body are for the transport rest")
        return self


class SecretHeaders(Model):
    """Headers whose values nobody reads again: they are kept sealed."""

    headers: dict[HeaderName, HeaderValue] = Field(
        max_length=MAX_HEADERS, examples=[{"Authorization": "Bearer 3Vc8Qn0kZ5tWb1yL"}]
    )


class SecretHeaderNames(Model):
    """The names of a network's secret headers."""

    names: list[str] = Field(examples=[["Authorization"]])


class DeviceMessageCreate(Model):
    """A message to a device. It is given up at ``expireTime``, or after ``ttl`` ms; else after a day."""

    message: Json = Field(examples=[{"valve": "open"}])
    msg_id: MessageId | None = None
    expire_time: EpochMs | None = None
    ttl: int | None = Field(
        default=None, ge=1000, le=outbound.MAX_TTL_MS, description="In ms", examples=[3_600_000]
    )
    key: Key | None = None

    @model_validator(mode="after")
    def _one(self) -> DeviceMessageCreate:
        if self.expire_time is not None and self.ttl is not None:
            raise ValueError("say expireTime or ttl, not both")
        return self


class DeviceMessage(Resource):
    """A message to a device, and what became of it."""

    device_id: Identifier
    network_id: str
    transport: Literal["rest", "poll", "custom"]
    message: Json
    state: Literal["queued", "sent", "acked", "failed", "expired", "replaced", "cancelled"]
    expire_time: EpochMs = Field(description="From then on it is not handed over any more")
    changed: EpochMs = Field(description="When its state changed last")
    attempts: int = Field(default=0, description="How often it was tried to hand it over")
    next_try: EpochMs | None = None
    sent_time: EpochMs | None = None
    sent_info: Json = Field(default=None, description="What was said when it was handed over")
    response: Json = Field(default=None, description="What the device answered")
    error: str | None = Field(default=None, description="Why the last attempt did not succeed")
    key: str | None = None
    by: str | None = Field(default=None, description="The message that replaced it")
    source: str | None = None
    user_id: str | None = None

    @model_validator(mode="after")
    def _modified_when_changed(self) -> DeviceMessage:
        self.last_modified = self.last_modified or self.changed
        return self


DEVICE_MESSAGE: Kind[DeviceMessage] = Kind(
    name="deviceMessage",
    collection="outbound",
    model=DeviceMessage,
    create=DeviceMessageCreate,
    patchable=frozenset(),
    json_text=frozenset({"message", "sentInfo", "response"}),
)
