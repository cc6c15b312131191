"""Unknown devices: outside names that sent events and belong to no device yet."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.model.base import EpochMs, Identifier, Kind, Metadata, Model, Name, Resource, Tags


class UnknownDevice(Resource):
    """An outside name that no device has. Its events are dropped until it is adopted."""

    network_id: str | None = None
    alias_key: str | None = None
    value: str | None = None
    first_seen: EpochMs | None = None
    last_seen: EpochMs | None = None
    count: int = Field(default=0, description="How many events it has sent")
    sample: Any = Field(default=None, description="The last of its events that was kept")


class Adoption(Model):
    """What an unknown device becomes: a device with that outside name."""

    blueprint_id: Identifier
    system_id: Identifier
    name: Name | None = Field(default=None, description="The outside name if left out")
    parent_device_id: Identifier | None = None
    message_route_id: Identifier | None = None
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)


class UnknownDeviceCreate(Model):
    """They come from events alone: there is no body that makes one."""


UNKNOWN_DEVICE: Kind[UnknownDevice] = Kind(
    name="unknownDevice",
    collection="unknownDevices",
    model=UnknownDevice,
    create=UnknownDeviceCreate,
    patchable=frozenset(),
)
