"""What tests of joining share: a project with a system, a blueprint and a network."""

from __future__ import annotations

from dataclasses import dataclass

from fulcrum.core import ids
from shared import clock
from tests.support.api import Api


@dataclass(frozen=True)
class Site:
    """A project ready for devices."""

    project: str
    network: str
    system: str = "north"
    blueprint: str = "store"

    @property
    def query(self) -> dict[str, str]:
        """What names the project in requests of a platform user."""
        return {"projectId": self.project}

    def unknown(self, api: Api, value: str, **fields: object) -> str:
        """Have an outside name been seen; returns the id of the record."""
        unknown_id = ids.alias_id(self.network, "serial", value)
        api.documents.document(f"projects/{self.project}/unknownDevices/{unknown_id}").set(
            {
                "networkId": self.network,
                "aliasKey": "serial",
                "value": value,
                "firstSeen": clock.now_ms() - 1000,
                "lastSeen": clock.now_ms(),
                "count": 3,
                "sample": '{"data": [{"path": "a", "value": 1}]}',
            }
            | fields
        )
        return unknown_id


def site(api: Api) -> Site:
    """A new project with a system (alias ``northWing``), a blueprint (``coldStore``) and a network."""
    made = Site(api.project(ids.new_id()), f"net-{ids.new_id().lower()}")
    where = api.documents.document(f"projects/{made.project}")
    where.collection("systems").document(made.system).set(
        {"name": "North", "alias": "northWing", "version": 1}
    )
    where.collection("blueprints").document(made.blueprint).set(
        {"name": "Cold store", "alias": "coldStore", "purpose": "device", "version": 1}
    )
    api.documents.document(f"networks/{made.network}").set(
        {"projectId": made.project, "name": "lora", "aliasKeys": ["serial", "eui"], "keys": {}, "version": 1}
    )
    return made
