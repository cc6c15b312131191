"""Keys of networks and tokens of devices: how senders prove who they are. Only hashes are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.model.base import EpochMs, Identifier, Kind, Model, Name, Resource

MAX_OVERLAP_SECONDS = 90 * 86_400
Expires = Annotated[
    EpochMs, Field(description="From when on it is refused, epoch ms", examples=[1_900_000_000_000])
]


class KeyCreate(Model):
    """A new key of a network. Several may be valid at once."""

    name: Name | None = None
    expires: Expires | None = None


class Rotation(Model):
    """A new key or token in place of another, which stays valid for a while."""

    overlap_seconds: int = Field(
        default=86_400,
        ge=0,
        le=MAX_OVERLAP_SECONDS,
        description="For how long the old one stays valid, so that senders can be changed over",
    )
    expires: Expires | None = Field(default=None, description="From when on the new one is refused, epoch ms")


class Key(Model):
    """A key of a network, without its secret."""

    id: Identifier
    name: str | None = None
    created: EpochMs
    expires: EpochMs | None = None
    revoked: bool = False
    valid: bool = Field(description="Whether ingest takes it at this moment")


class NewKey(Key):
    """A key with its text, which is shown this once and kept nowhere."""

    text: str = Field(
        description="What senders send as 'Authorization: Bearer <text>'; never shown again",
        examples=["fk_1RmtUYkSKZ5qQvQ0o_0ZfKJ2pXo7yWcLqT5nB8rVhD3sMgEeUaXi4jPtRw1Y6"],
    )


class Keys(Model):
    """The keys of a network or the tokens of a device, the latest first."""

    count: int
    items: list[Key]


class TokenCreate(Model):
    """A new token, with which one device speaks for itself on one network."""

    network_id: str | None = Field(
        default=None, max_length=128, description="On which network; the device's own if left out"
    )
    name: Name | None = None
    expires: Expires | None = None


class Token(Resource):
    """A device's token, without its secret."""

    device_id: str
    network_id: str
    name: str | None = None
    expires: EpochMs | None = None
    revoked: bool = False
    valid: bool = Field(default=False, description="Whether ingest takes it at this moment")


class NewToken(Token):
    """A token with its text, which is shown this once and kept nowhere."""

    text: str = Field(
        description="What the device sends as 'Authorization: Bearer <text>'; never shown again",
        examples=["ft_1RmtUYkSKZ5qQvQ0o_0ZfKJ2pXo7yWcLqT5nB8rVhD3sMgEeUaXi4jPtRw1Y6"],
    )


class Tokens(Model):
    """The tokens of a device, the latest first."""

    count: int
    items: list[Token]


TOKEN: Kind[Token] = Kind(
    name="deviceToken",
    collection="deviceTokens",
    model=Token,
    create=TokenCreate,
    patchable=frozenset({"name", "expires"}),
    top_level=True,
    secret=frozenset({"hash"}),
)
