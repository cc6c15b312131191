"""API keys: how other servers act in a project."""

from __future__ import annotations

from pydantic import Field

from shared.model.base import Description, EpochMs, Kind, Metadata, Model, Name, Resource


class ApiAccessCreate(Model):
    """A new API key. Without roles it may do everything in the project, unless it is ``narrowed``."""

    name: Name
    desc: Description | None = None
    narrowed: bool = Field(
        default=False, description="It may do only what its roles allow, and nothing while it has none"
    )
    expires: EpochMs | None = Field(default=None, description="When it stops; never if left out")
    revoked: bool = Field(default=False, description="It is refused; can be taken back")
    metadata: Metadata = Field(default_factory=dict)


class ApiAccess(ApiAccessCreate, Resource):
    """An API key; its secret is never read again."""

    last_used: EpochMs | None = Field(default=None, description="Within a minute")


class ApiAccessSecret(Model):
    """A key with its secret, shown this once."""

    key: ApiAccess
    secret: str | None = Field(
        default=None,
        description="The HS256 key of tokens that the caller signs; absent where a creation was sent again",
    )
    token: str | None = Field(
        default=None, description="The whole key as a bearer token: fa_<id>_<secret>", examples=["fa_..."]
    )


API_ACCESS: Kind[ApiAccess] = Kind(
    name="apiAccess",
    collection="apiAccess",
    model=ApiAccess,
    create=ApiAccessCreate,
    patchable=frozenset({"name", "desc", "narrowed", "expires", "revoked", "metadata"}),
    secret=frozenset({"keyId", "secretHash", "sealedSecret"}),
)
