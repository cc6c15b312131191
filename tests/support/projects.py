"""A project in which everything hangs on something, written straight into the store, and its deletion."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fulcrum.core import ids
from shared.model.base import Kind
from shared.store import cascade
from shared.store.audit import Actor
from shared.store.change import Change
from shared.store.scope import Scope
from tests.support.api import Api

_BATCH = 400


def write(api: Api, documents: Mapping[str, Mapping[str, Any]]) -> None:
    """Write documents, path → fields."""
    paths = list(documents)
    for start in range(0, len(paths), _BATCH):
        batch = api.documents.batch()
        for path in paths[start : start + _BATCH]:
            batch.set(api.documents.document(path), dict(documents[path]))
        batch.commit()


class Farm:
    """A project with two systems of greenhouses (parents) and sensors (children by two relations).

    The relation ``owns`` owns its children, ``sees`` does not, and both forward. Every sensor hangs below the
    greenhouse of its number, by both of them in turn, and has an alias, a token, a role and a timer.
    """

    def __init__(self, api: Api, greenhouses: int = 3, sensors: int = 4) -> None:
        self.project = api.project(ids.new_id())
        self.network = ids.new_id()
        self.names = {
            key: ids.new_id()
            for key in ("north", "south", "greenhouse", "sensor", "owns", "sees", "ownedBy", "seenBy")
        } | {
            key: ids.new_id()
            for key in ("route", "role", "user", "key", "dashboard", "view", "scenario", "script")
        }
        self.greenhouses = [ids.new_id() for _ in range(greenhouses)]
        self.sensors = {ids.new_id(): number for number in range(greenhouses * sensors)}
        write(api, dict(self._documents()))

    def below(self, *segments: str) -> str:
        """A path below the project."""
        return "/".join(("projects", self.project, *segments))

    def sensors_of(self, greenhouse: str, relation: str) -> list[str]:
        """The sensors below a greenhouse by a relation."""
        place = self.greenhouses.index(greenhouse)
        count = len(self.greenhouses)
        return [
            sensor
            for sensor, number in self.sensors.items()
            if number % count == place and self._relation(number) == relation
        ]

    def _relation(self, number: int) -> str:
        return ("owns", "sees")[number // len(self.greenhouses) % 2]

    def _documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        known = self.names
        for alias in ("north", "south"):
            system = known[alias]
            yield self._resource("systems", system, alias=alias)
            yield self.below("locks", ids.new_id()), {"kind": "system", "field": "alias", "holder": system}
        for blueprint in ("greenhouse", "sensor"):
            yield self._resource("blueprints", known[blueprint], messageRouteId=known["route"])
        for relation, mirror in (("owns", "ownedBy"), ("sees", "seenBy")):
            yield self._resource(
                "attributes",
                known[relation],
                blueprintId=known["greenhouse"],
                type="relationship",
                targetBlueprintId=known["sensor"],
                owned=relation == "owns",
                forwardData=True,
                mirrorId=known[mirror],
            )
            yield self._resource(
                "attributes",
                known[mirror],
                blueprintId=known["sensor"],
                type="parentRelationship",
                sourceBlueprintId=known["greenhouse"],
                mirrorId=known[relation],
            )
        yield self._resource("messageRoutes", known["route"], route=json.dumps({"x": ["writer"]}))
        permissions = [
            "device.read",
            f"device.create:{known['sensor']}",
            f"relationship.create:{known['owns']}",
        ]
        yield self._resource("roles", known["role"], permissions=permissions)
        waiting = {"issuer": "x", "perm": "role", "permValue": known["role"], "contextType": "system"}
        yield self._resource("pendingUsers", ids.new_id(), **waiting, contextId=known["north"])
        yield self._resource("scripts", known["script"], alias="tooWarm", code="")
        yield self._resource("timers", ids.new_id(), scriptId=known["script"], action="{}")
        yield from self._script(known["script"])
        reset = {"userId": known["user"], "projectId": self.project}
        yield f"passwordResets/{ids.new_id()}", reset
        yield self._resource("users", known["user"], username="jo", passwordHash="secret")
        yield self._resource("apiAccess", known["key"], secretHash="secret")
        yield self._resource("dashboards", known["dashboard"], scope="personal", owner=known["user"])
        yield self._resource("views", known["view"], scope="personal", owner=known["user"])
        yield self._resource("scenarios", known["scenario"], blueprintId=known["sensor"])
        yield self._role("user", known["user"], "system", known["north"])
        yield self._role("apiAccess", known["key"], "project", self.project)
        yield f"sessions/{ids.new_id()}", {"userId": known["user"], "projectId": self.project}
        yield (
            f"networks/{self.network}",
            {"projectId": self.project, "name": "lora", "keys": {}, "version": 1},
        )
        yield (
            self.below("unknownDevices", ids.new_id()),
            {"networkId": self.network, "aliasKey": "serial", "value": "x"},
        )
        yield from self._devices()

    def _script(self, script_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """What a script has once it was deployed and has run."""
        named = {"scriptId": script_id}
        yield (
            self.below("scriptVersions", f"{script_id}-1"),
            named | {"version": 1, "code": "", "files": "{}"},
        )
        yield self.below("scriptStates", script_id), named | {"state": "deployed", "version": 1}
        yield self.below("scriptDeployments", ids.new_id()), named | {"version": 1, "state": "done"}
        yield self.below("scriptCaches", script_id), named | {"value": "1"}
        for device in self.greenhouses:
            of_device = named | {"deviceId": device}
            yield self.below("caches", ids.digest(script_id, device)), of_device | {"value": "1"}
            yield self.below("runs", ids.new_id()), of_device | {"outcome": "{}"}

    def _devices(self) -> Iterator[tuple[str, dict[str, Any]]]:
        known = self.names
        for number, greenhouse in enumerate(self.greenhouses):
            system = known["north" if number % 2 == 0 else "south"]
            yield self._device(greenhouse, "greenhouse", system)
        for sensor, number in self.sensors.items():
            place = number % len(self.greenhouses)
            parent, relation = self.greenhouses[place], self._relation(number)
            links = [f"{known[relation]}:{parent}"]
            fields: dict[str, Any] = {"links": links, "forwardTo": [parent], "networkId": self.network}
            if relation == "owns":
                fields["parentDeviceId"] = parent
            fields["networkAliases"] = {self.network: {"serial": sensor}}
            yield self._device(sensor, "sensor", known["north" if place % 2 == 0 else "south"], **fields)
            alias = {"networkId": self.network, "aliasKey": "serial", "value": sensor}
            named = {"projectId": self.project, "deviceId": sensor}
            yield f"aliases/{ids.alias_id(self.network, 'serial', sensor)}", alias | named
            yield f"deviceTokens/{ids.new_id()}", {**named, "networkId": self.network, "hash": "h"}
            yield self._role("user", known["user"], "device", sensor)
            yield self._resource("timers", ids.new_id(), deviceId=sensor, action="{}")

    def _device(
        self, device_id: str, blueprint: str, system: str, **fields: Any
    ) -> tuple[str, dict[str, Any]]:
        given = {
            "blueprintId": self.names[blueprint],
            "systemId": system,
            "registers": b"{}",
            "data": {"a": 1},
        }
        route = {"messageRouteId": self.names["route"]}
        return self._resource("devices", device_id, **given, **route, **fields)

    def _resource(self, collection: str, resource_id: str, **fields: Any) -> tuple[str, dict[str, Any]]:
        return self.below(collection, resource_id), {"name": f"a {collection}", "version": 1} | fields

    def _role(self, subject: str, subject_id: str, kind: str, resource_id: str) -> tuple[str, dict[str, Any]]:
        return self._resource(
            "userRoles",
            ids.new_id(),
            subjectKind=subject,
            subjectId=subject_id,
            roleId=self.names["role"],
            resourceKind=kind,
            resourceId=resource_id,
        )


async def delete(project_id: str, kind: Kind[Any], resource_id: str) -> str | None:
    """Delete a resource as the API does, and publish its job; returns the job's id."""
    scope = Scope(project_id)
    stored = await scope.get(kind, resource_id)
    change = Change(scope, Actor("user", "u1", "jo"), "r1")
    job_id = await cascade.begin(change, stored)
    change.delete(stored)
    await change.commit()
    await cascade.publish(scope, job_id)
    return job_id
