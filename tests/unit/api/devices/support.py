"""A project with what devices need, for tests: documents as the API writes them."""

from __future__ import annotations

import json
from typing import Any

from fulcrum.core import ids
from shared import history, history_wire
from tests.support.api import Api

DEVICE_ALL = tuple(
    f"device.{verb}"
    for verb in (
        *("create", "read", "update", "delete", "list", "readData", "readHistory", "readEvents"),
        *("updateEvents", "sendMessage", "runSimulation", "readByNetworkAlias", "createRelationship"),
        *("deleteRelationship", "updateData", "updateAnyData"),
    )
)


def latest_definition(api: Api, device: str) -> dict[str, Any]:
    """What counts of a device in the history of definitions."""
    message: Any = history_wire.row_class(history.schema())
    rows = [row for data in api.topics.rows if (row := message.FromString(data)).device_id == device]
    texts = [(json.loads(row.data), row.time) for row in rows]
    found: dict[str, Any] = max(texts, key=lambda pair: (pair[0]["version"], pair[1]))[0]
    return found


class World:
    """A project, and makers of what devices need in it."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.project = api.project(ids.new_id())
        self.network = f"net-{ids.new_id().lower()}"
        self.put(f"networks/{self.network}", projectId=self.project, name="n", aliasKeys=["serial", "mac"])
        self.system = self.add_system()
        self.blueprint = self.add_blueprint("coldStore")

    def put(self, place: str, /, **fields: Any) -> None:
        """Write a document."""
        self.api.documents.document(place).set(fields)

    def get(self, path: str) -> dict[str, Any] | None:
        """A document's fields."""
        found: dict[str, Any] | None = self.api.documents.document(path).get().to_dict()
        return found

    def add_system(self, alias: str = "") -> str:
        """A system; its id."""
        system = ids.new_id()
        self.put(f"projects/{self.project}/systems/{system}", name="s", version=1, alias=alias or system)
        if alias:
            self._lock("system", "alias", alias, holder=system)
        return system

    def add_blueprint(self, alias: str) -> str:
        """A blueprint; its id."""
        blueprint = ids.new_id()
        self.put(f"projects/{self.project}/blueprints/{blueprint}", name=alias, alias=alias, version=1)
        self._lock("blueprint", "alias", alias, holder=blueprint)
        return blueprint

    def add_attribute(self, blueprint: str, path: str, **fields: Any) -> str:
        """An attribute; its id."""
        attribute = ids.new_id()
        self.put(
            f"projects/{self.project}/attributes/{attribute}",
            **{"name": path, "path": path, "blueprintId": blueprint, "version": 1} | fields,
        )
        return attribute

    def relation(self, parent: str, path: str, child: str, kind: str = "oneToMany", **fields: Any) -> str:
        """A relationship between two blueprints; its id."""
        return self.add_attribute(
            parent,
            path,
            **{"type": "relationship", "targetBlueprintId": child, "relationshipType": kind} | fields,
        )

    def add_device(self, blueprint: str = "", system: str = "", **fields: Any) -> str:
        """A device written past the API; its id."""
        device = ids.new_id()
        made = {
            "name": device,
            "blueprintId": blueprint or self.blueprint,
            "systemId": system or self.system,
            "links": [],
            "version": 1,
            "created": 1,
        }
        self.put(f"projects/{self.project}/devices/{device}", **made | fields)
        return device

    def device(self, device: str) -> dict[str, Any]:
        """A device's document."""
        found = self.get(f"projects/{self.project}/devices/{device}")
        assert found is not None
        return found

    def body(self, **fields: Any) -> dict[str, Any]:
        """The body of a creation."""
        return {"name": "Cold store 4", "blueprintId": self.blueprint} | fields

    def aliased(self, value: str, **fields: Any) -> dict[str, Any]:
        """The body of a creation with an alias."""
        aliases = {self.network: {"serial": value}}
        return self.body(networkId=self.network, networkAliases=aliases, **fields)

    @property
    def revision(self) -> int:
        """The project's revision."""
        found = self.get(f"projects/{self.project}")
        assert found is not None
        return int(found["revision"])

    def user(self, *permissions: str, on: tuple[str, str] | None = None) -> str:
        """A token of a user with these permissions; of all of a device without any."""
        return self.api.user(self.project, *(permissions or DEVICE_ALL), on=on)

    def _lock(self, kind: str, field: str, *parts: str, holder: str) -> None:
        lock = ids.digest(kind, field, *parts)
        self.put(f"projects/{self.project}/locks/{lock}", kind=kind, field=field, holder=holder)
