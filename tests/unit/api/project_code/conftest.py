"""A project that tests change by documents, and the document that they start from."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from tests.support.api import Api

WARM = {"type": "attribute", "path": "msg/data/air/temperature", "op": "gt", "value": 8}
ROUTE = {"name": "Alarms", "route": {"deviceDataEventMsg": [{"topic": "writer", "condition": WARM}]}}
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "project": {"name": "Greenhouses"},
    "messageRoutes": [ROUTE],
    "blueprints": [
        {
            "alias": "coldStore",
            "name": "Cold store",
            "checkMode": "strict",
            "messageRouteName": "Alarms",
            "attributes": [
                {"path": "air/temperature", "name": "Temperature", "type": "temperature", "unit": "degC"},
                {
                    "path": "shelves",
                    "name": "Shelves",
                    "type": "relationship",
                    "targetBlueprint": "shelf",
                    "relationshipType": "oneToMany",
                },
            ],
        },
        {"alias": "shelf", "name": "Shelf"},
    ],
    "networks": [],
    "systems": [{"alias": "north", "name": "North wing"}],
    "templates": [{"alias": "tooWarm", "name": "Too warm", "sms": "{{name}} is too warm"}],
    "scripts": [],
    "roles": [{"name": "operator", "permissions": ["device.create:coldStore", "device.read"]}],
}


class Project:
    """A project under test, seen through the API."""

    def __init__(self, api: Api, http: httpx.AsyncClient, project_id: str) -> None:
        self.api, self.http, self.id = api, http, project_id
        # What is applied, with the role by which the caller may do so.
        self.document = DOCUMENT
        self.path = f"/v1/project/{project_id}"

    async def export(self) -> dict[str, Any]:
        answer = await self.http.get(f"{self.path}/export")
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def apply(self, document: dict[str, Any], **more: Any) -> httpx.Response:
        return await self.http.post(f"{self.path}/apply", json={"document": document, **more})

    async def plan(self, document: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = await self.http.post(f"{self.path}/plan", json={"document": document, **more})
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def devices(self, blueprint_id: str, values: list[Any]) -> list[str]:
        """Write devices with these temperatures; their ids."""
        made = []
        for number, value in enumerate(values):
            made.append(ids.new_id())
            self.api.documents.document(f"projects/{self.id}/devices/{made[-1]}").set(
                {"name": f"d{number}", "blueprintId": blueprint_id, "data": {"air": {"temperature": value}}}
            )
        return made

    async def blueprint(self, alias: str) -> dict[str, Any]:
        listed = await self.http.get(f"{self.path}/blueprints", params={"alias": alias})
        found: dict[str, Any] = listed.json()["items"][0]
        return found

    def documents(self, collection: str) -> list[dict[str, Any]]:
        return [
            {**d.to_dict(), "id": d.id}
            for d in self.api.documents.collection(f"projects/{self.id}/{collection}").stream()
        ]


@pytest.fixture
async def project(api: Api) -> AsyncIterator[Project]:
    project_id = api.project(ids.new_id().lower().replace("_", "a"))
    async with api.client(api.user(project_id, "*")) as http:
        made = Project(api, http, project_id)
        own = (await made.export())["document"]["roles"]
        made.document = DOCUMENT | {"roles": [*DOCUMENT["roles"], *own]}
        yield made


def edited(document: dict[str, Any], alias: str = "coldStore") -> tuple[dict[str, Any], dict[str, Any]]:
    """A copy of a document, and one of its blueprints to change."""
    made = copy.deepcopy(document)
    return made, next(one for one in made["blueprints"] if one["alias"] == alias)
