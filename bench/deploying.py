"""How long a script takes from its deployment to the first event that it handled, on a whole local stack."""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import msgspec
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from bench.figures import Figure, Target, interleaved
from bench.fleet import store_client
from bench.load import Poster
from fulcrum.core import ids
from local import seed
from local.stack import Stack
from shared import clock, script_documents

_PROJECT, _SCRIPT, _NETWORK = "deploying", "marking", "gateways"
_CODE = """
def run(message, context):
    for write in message["data"]:
        write["value"] = {version}
    return message
"""
_ROUTE = [[{"topic": "reason", "options": {"reasoner": {"id": _SCRIPT, "targetFunction": "run"}}}, "writer"]]
_LONGEST = 120.0
_TARGET = Target(3.0, "value")


class _Workshop:
    """A project with a script in the route of its one device."""

    def __init__(self, stack: Stack, documents: Any) -> None:
        self._documents = documents
        self._project = documents.document(f"projects/{_PROJECT}")
        self._stack = stack
        made = seed.SeedProject(
            _PROJECT,
            (seed.SeedNetwork(_NETWORK),),
            {"room": _ROUTE},
            [seed.SeedDevice("room-1", "room", _NETWORK, "serial-1")],
        )
        self._key = seed.create(documents, made)[_NETWORK]

    def deploy(self, version: int) -> float:
        """Seconds from the message that asks for a version to the first event that it handled."""
        message = self._ask(version)
        began = time.perf_counter()
        self._publish(message)
        deployments = self._project.collection("scriptDeployments")
        _until(lambda: deployments.document(message.deployment_id).get().get("state") == "serving")
        self._send(version)
        device = self._project.collection("devices").document("room-1")
        _until(lambda: (device.get().to_dict() or {}).get("data") == {"mark": version})
        return time.perf_counter() - began

    def _ask(self, version: int) -> script_documents.Message:
        """Write a version and its deployment as the API does."""
        number, deployment_id = clock.now_ms(), ids.new_id()
        fields = {"scriptId": _SCRIPT, "version": version, "created": number}
        name = script_documents.version_id(_SCRIPT, version)
        self._project.collection("scriptVersions").document(name).set(
            {**fields, "code": _CODE.format(version=version), "files": "{}", "requirements": ""}
        )
        self._project.collection("scriptDeployments").document(deployment_id).set(
            {**fields, "action": "deploy", "state": "queued", "lastModified": number}
        )
        self._project.collection("scriptStates").document(_SCRIPT).set(
            {"scriptId": _SCRIPT, "deployment": deployment_id}, merge=True
        )
        return script_documents.Message(project_id=_PROJECT, deployment_id=deployment_id)

    def _publish(self, message: script_documents.Message) -> None:
        with grpc.insecure_channel(self._stack.env()["PUBSUB_EMULATOR_HOST"]) as channel:
            publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            topic = f"projects/{self._stack.project}/topics/{script_documents.TOPIC}"
            publisher.publish(topic=topic, messages=[{"data": msgspec.json.encode(message)}])

    def _send(self, number: int) -> None:
        front = http.client.HTTPConnection(urlsplit(self._stack.url).netloc, timeout=_LONGEST)
        event = {"deviceId": "serial-1", "id": str(number), "data": {"mark": 0}}
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        front.request("POST", f"/rcv/{_NETWORK}", json.dumps(event), headers)
        status = front.getresponse().status
        front.close()
        if status != 202:
            raise RuntimeError(f"ingest answered {status}")


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LONGEST
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing came of it within {_LONGEST:g} s")
        time.sleep(0.01)


def _sample() -> tuple[float, float]:
    """Seconds with every function cold, and of the next version."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), movable_clock=False) as stack,
        closing(store_client(stack.env()["FIRESTORE_EMULATOR_HOST"], stack.project)) as documents,
    ):
        workshop = _Workshop(stack, documents)
        return workshop.deploy(1), workshop.deploy(2)


def measure(poster: Poster, quick: bool) -> list[Figure]:
    """``script_deploy_first_event``: seconds, against deploying the next version."""
    taken = interleaved(1 if quick else 5, {"both": _sample})["both"]
    return [Figure("script_deploy_first_event", taken[0], taken[1], "s", _TARGET)]
