"""The function that deploys scripts, in this process, on a Firestore and a Cloud Functions of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import functions_framework.aio
import httpx
import msgspec
import pytest

from functions.deployer import host
from local.processes import ROOT
from shared import script_documents
from shared.clients import firestore, functions, pubsub, script_calls
from shared.script_documents import Message
from tests.support.api import Topics
from tests.support.functions_api import FunctionsApi
from tests.support.processing import push

# A host that loads the code in its own process: what is tried here is deploying.
_SERVE = b"""
import importlib.util, inspect, json, pathlib
import functions_framework

root = pathlib.Path(__file__).parents[2]
manifest = json.loads((root / "manifest.json").read_text())
spec = importlib.util.spec_from_file_location("main_of_script", root / "code" / "main.py")
code = importlib.util.module_from_spec(spec)
spec.loader.exec_module(code)


@functions_framework.http
def script(request):
    call = request.get_json()
    if call.get("describe"):
        found = [{"name": name} for name, value in vars(code).items() if inspect.isfunction(value)]
        return {
            "v": 1,
            "scriptVersion": manifest["version"],
            "entries": found,
            "isolation": ["limits"],
            "missing": ["landlock: this kernel has none"],
        }
    return {"v": 1, "scriptVersion": manifest["version"], "outcomes": [], "said": code.run({}, None)}
"""
HOST = {"fulcrum/__init__.py": b"", "fulcrum/script/__init__.py": b"", "fulcrum/script/serve.py": _SERVE}


@dataclass
class Deployer:
    """The function and its surroundings."""

    client: httpx.AsyncClient
    topics: Topics
    api: FunctionsApi

    async def post(self, data: bytes, project: str = "workshop") -> int:
        """Push a message; the status of the answer."""
        attributes = {"projectId": project}
        body = push(data, attributes, "m1", "projects/p/subscriptions/deploy-deployer")
        return (await self.client.post("/", content=body)).status_code

    async def deliver(self, message: Message) -> int:
        """Push the message of a deployment."""
        return await self.post(msgspec.json.encode(message))

    async def finish(self, message: Message) -> None:
        """Push a message, and those that it publishes to itself, until there is none."""
        assert await self.deliver(message) == 204
        while waiting := self.topics.take(script_documents.TOPIC):
            for data in waiting:
                assert await self.post(data) == 204


@asynccontextmanager
async def deployer_function(
    api: FunctionsApi, patch: pytest.MonkeyPatch, files: dict[str, bytes] | None = None
) -> AsyncIterator[Deployer]:
    """The function on the stand-in of ``api`` and on the Firestore that the environment names."""
    patch.setenv("FULCRUM_FUNCTIONS_ENDPOINT", api.address.grpc)
    made: Any = Topics()
    packed = HOST if files is None else files
    with pytest.MonkeyPatch.context() as inner:
        inner.setattr(host, "files", lambda: packed)
        inner.setattr(pubsub, "publish", made.publish)
        app = functions_framework.aio.create_asgi_app(
            target="deployer", source=str(ROOT / "functions/deployer/main.py"), signature_type="http"
        )
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://deployer") as client:
            yield Deployer(client, made, api)
    await script_calls.close()
    await functions.close()
    await firestore.close()
