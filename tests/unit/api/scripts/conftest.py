"""The API with projects that have a script, on an embedded Firestore."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from shared import script_documents
from tests.support.api import Api

CODE = "def run(message, context):\n    return None\n"


@dataclass
class Life:
    """A project with a script, whose caller may do everything; and a deployer, played by hand."""

    api: Api
    http: httpx.AsyncClient
    project: str
    script: str

    async def post(self, verb: str, body: Any = None, **headers: str) -> httpx.Response:
        """``POST /v1/script/{s}/<verb>``."""
        path = f"/v1/script/{self.script}/{verb}"
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(
            path, json={} if body is None else body, params={"projectId": self.project}, headers=more
        )

    async def get(self, verb: str = "", **params: Any) -> httpx.Response:
        """``GET /v1/script/{s}[/<verb>]``."""
        path = f"/v1/script/{self.script}" + (f"/{verb}" if verb else "")
        return await self.http.get(path, params={"projectId": self.project} | params)

    def document(self, collection: str, name: str) -> Any:
        """A document of the project, seen from outside."""
        return self.api.documents.document(f"projects/{self.project}/{collection}/{name}")

    def asked(self) -> list[script_documents.Message]:
        """What was asked of the deployer since the last look."""
        return [*map(script_documents.decode, self.api.topics.take(script_documents.TOPIC))]

    def deployed(self, deployment: dict[str, Any]) -> None:
        """Carry out a deployment, as the deployer writes it."""
        is_deploy = deployment["action"] == "deploy"
        self.document("scriptDeployments", deployment["id"]).update(
            {"state": "serving" if is_deploy else "done", "progress": 100}
        )
        state = {"state": "deployed", "version": deployment["version"], "url": "http://x", "function": "f"}
        state["entries"] = '[{"name": "run", "needs": {"deviceData": ["air/temperature"]}}]'
        self.document("scriptStates", self.script).update(state if is_deploy else {"state": "undeployed"})

    async def deploy(self, **body: Any) -> dict[str, Any]:
        """Deploy, all the way."""
        answer = await self.post("deploy", body)
        assert answer.status_code == 202, answer.text
        made: dict[str, Any] = answer.json()
        self.deployed(made)
        self.asked()
        return made


@pytest.fixture
async def life(api: Api) -> AsyncIterator[Life]:
    project = api.project(ids.new_id())
    api.topics.messages.clear()
    async with api.client(api.admin()) as http:
        body = {"name": "Warm", "alias": "tooWarm", "code": CODE}
        answer = await http.post(f"/v1/project/{project}/scripts", json=body)
        assert answer.status_code == 201, answer.text
        yield Life(api, http, project, answer.json()["id"])
