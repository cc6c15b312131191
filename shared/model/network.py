"""Networks: outside namings of devices, each with keys of its own."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.model.base import Description, Kind, Metadata, Model, Name, Resource, Tags
from shared.model.outbound import Outbound

NetworkId = Annotated[
    str,
    Field(
        min_length=3,
        max_length=63,
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        description="kebab-case, 3 to 63 characters; unique on the whole server, never changes",
        examples=["greenhouse-lora"],
    ),
]
AliasKey = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_\-]{0,63}$", examples=["devEui"])]


def _once_each(keys: list[str]) -> list[str]:
    if len(set(keys)) < len(keys):
        raise ValueError("it names one key twice: name each once")
    return keys


PerSecond = Annotated[int, Field(ge=1, le=1_000_000)]


class RateLimit(Model):
    """How many events a second ingest takes; the deployment's own limits hold where nothing is said."""

    network_per_second: PerSecond | None = Field(default=None, examples=[500])
    device_per_second: PerSecond | None = Field(default=None, examples=[10])


class NetworkCreate(Model):
    """A new network. Its keys are made afterwards, and shown once."""

    id: NetworkId
    name: Name
    desc: Description | None = None
    alias_keys: Annotated[list[AliasKey], AfterValidator(_once_each)] = Field(
        default_factory=list,
        max_length=20,
        description="By which names it knows devices",
        examples=[["devEui"]],
    )
    rate_limit: RateLimit | None = None
    outbound: Outbound | None = Field(default=None, description="How messages reach its devices, if they do")
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)


class Network(Resource):
    """A network, without its keys."""

    id: NetworkId
    name: Name
    desc: Description | None = None
    alias_keys: list[AliasKey] = Field(default_factory=list)
    rate_limit: RateLimit | None = None
    outbound: Outbound | None = Field(default=None, description="How messages reach its devices, if they do")
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)


NETWORK: Kind[Network] = Kind(
    name="network",
    collection="networks",
    model=Network,
    create=NetworkCreate,
    patchable=frozenset({"name", "desc", "aliasKeys", "rateLimit", "outbound", "tags", "metadata"}),
    affects_events=True,
    top_level=True,
    secret=frozenset({"keys", "secretHeaders"}),
)
