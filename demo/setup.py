"""The demo's project: two blueprints, two networks, fifty devices."""

from __future__ import annotations

from collections.abc import Sequence

from demo.fleet import DemoDevice
from local.seed import SeedDevice, SeedNetwork, SeedProject

PROJECT = "demo"


def project(fleet: Sequence[DemoDevice]) -> SeedProject:
    """What :func:`local.seed.create` writes for a fleet."""
    return SeedProject(
        id=PROJECT,
        networks=(SeedNetwork("warehouse-gateways", ("serial",)), SeedNetwork("truck-modems", ("imei",))),
        blueprints={"coldRoom": None, "truck": ["writer"]},
        devices=[
            SeedDevice(device.id, device.blueprint, device.network, device.value, device.alias_key)
            for device in fleet
        ],
    )
