"""Devices: their definition, which the API writes, and their state, which events write."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from shared.model.base import EpochMs, Identifier, Kind, Metadata, Model, Name, Resource, Route, Tags

# An outside name as events carry it; ``functions/ingest`` takes no other.
OutsideName = Annotated[str, Field(min_length=1, max_length=128, examples=["SN-0042"])]
NetworkId = Annotated[
    str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]*$", examples=["farm-lora"])
]
Aliases = Annotated[
    dict[NetworkId, dict[OutsideName, OutsideName]],
    Field(
        max_length=20,
        description="Network → alias key → value: the names under which the device sends",
        examples=[{"farm-lora": {"serial": "SN-0042"}}],
    ),
]


class DeviceFields(Model):
    """What a device is created with, wherever it stands."""

    name: Name
    network_id: NetworkId | None = Field(default=None, description="The network that it sends through")
    network_aliases: Aliases = Field(default_factory=dict)
    message_route: Route | None = None
    message_route_id: Identifier | None = None
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    simulated: bool = Field(default=False, description="Whether scenarios may send data in its name")
    sim_network_id: NetworkId | None = Field(default=None, description="The network of simulated traffic")


class DeviceCreate(DeviceFields):
    """A new device of a system."""

    blueprint_id: Identifier
    parent_device_id: Identifier | None = Field(
        default=None, description="The device that it is a part of: who may read that one may read it"
    )


class Device(DeviceCreate, Resource):
    """A device with its current state. What events write (``data`` and the times) no request changes."""

    system_id: Identifier
    purpose: Literal["device", "organization"] = "device"
    links: list[str] = Field(
        default_factory=list,
        description="The devices above it by relation: '<attributeId>:<deviceId>'",
        examples=[["5kRt0bW1yLr7sXe23Vc8Qn:3Vc8Qn0kZ5tWb1yLr7sXe2"]],
    )
    forward_to: list[Identifier] = Field(
        default_factory=list, description="The devices that get a copy of its data, by relations that forward"
    )
    data: dict[str, Any] = Field(
        default_factory=dict, description="Its current state", examples=[{"engine": {"temperature": 81.5}}]
    )
    first_seen: EpochMs | None = Field(default=None, description="When its first event was received")
    last_seen: EpochMs | None = Field(default=None, description="When its last event was received")
    last_event_time: EpochMs | None = Field(default=None, description="The latest time of its events")


DEVICE: Kind[Device] = Kind(
    name="device",
    collection="devices",
    model=Device,
    create=DeviceCreate,
    patchable=frozenset(
        {
            *("name", "networkId", "networkAliases", "messageRoute", "messageRouteId", "metadata", "tags"),
            *("simulated", "simNetworkId", "parentDeviceId"),
        }
    ),
    json_text=frozenset({"messageRoute"}),
    # Only some of its fields are the event path's business: see functions/api/devices/definition.py.
    affects_events=False,
    mask=(
        *("name", "blueprintId", "systemId", "purpose", "networkId", "networkAliases", "messageRoute"),
        *("messageRouteId", "parentDeviceId", "forwardTo", "links", "metadata", "tags", "simulated"),
        *("simNetworkId", "created", "lastModified", "version", "deleted"),
        *("data", "firstSeen", "lastSeen", "lastEventTime"),
    ),
)
# What the way of an event knows of a device: a change of any of it increases the project's revision.
EVENT_FIELDS = frozenset(
    {
        *("name", "networkId", "networkAliases", "messageRoute", "messageRouteId", "parentDeviceId"),
        *("simulated", "simNetworkId"),
    }
)
