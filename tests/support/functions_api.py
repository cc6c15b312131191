"""The stand-in of Cloud Functions as a process of its own, driven by Google's unmodified clients."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
from google.cloud import functions_v2, run_v2
from google.cloud.functions_v2.services.function_service.transports import FunctionServiceGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.longrunning import operations_pb2

from tests.support.emulators import Address, embedded

PARENT = "projects/fulcrum-local/locations/europe-west1"
INVOKER = "serviceAccount:reason@fulcrum-local.iam.gserviceaccount.com"
HELLO = """
import functions_framework

@functions_framework.http
def hello(request):
    return {greeting!r}
"""


def zipped(files: Mapping[Any, str | bytes]) -> bytes:
    """A zip of files by path, or by what a zip says of a file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return target.getvalue()


def hello(greeting: str, **further: str) -> bytes:
    """The zip of a function that says a greeting."""
    return zipped({"main.py": HELLO.format(greeting=greeting), **further})


@dataclass
class FunctionsApi:
    """Google's clients on the stand-in, and what tests do with them again and again."""

    address: Address
    functions: Any
    run: Any

    def uploaded(self, archive: bytes) -> Any:
        """Upload a zip; where it is."""
        place = self.functions.generate_upload_url(request={"parent": PARENT})
        answer = httpx.put(place.upload_url, content=archive, headers={"content-type": "application/zip"})
        assert answer.status_code == 200, answer.text
        return place.storage_source

    def wanted(self, archive: bytes, target: str = "hello", **service: Any) -> Any:
        """A function with a zip that is uploaded for it."""
        return functions_v2.Function(
            build_config={
                "runtime": "python312",
                "entry_point": target,
                "source": {"storage_source": self.uploaded(archive)},
            },
            service_config=service,
        )

    def create(self, name: str, archive: bytes, target: str = "hello", **service: Any) -> str:
        """Begin to create a function; the operation's name."""
        function = self.wanted(archive, target, **service)
        begun = self.functions.create_function(parent=PARENT, function=function, function_id=name)
        return str(begun.operation.name)

    def update(self, name: str, archive: bytes, target: str = "hello", **service: Any) -> str:
        """Begin to update a function; the operation's name."""
        function = self.wanted(archive, target, **service)
        function.name = f"{PARENT}/functions/{name}"
        return str(self.functions.update_function(function=function).operation.name)

    def finished(self, operation: str, seconds: float = 120) -> Any:
        """The operation once it is done."""
        deadline = time.monotonic() + seconds
        while True:
            request = operations_pb2.GetOperationRequest(name=operation)
            found = self.functions.get_operation(request)
            if found.done:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.02)

    def get(self, name: str) -> Any:
        """A function by its id."""
        return self.functions.get_function(name=f"{PARENT}/functions/{name}")

    def allow(self, name: str, *members: str) -> None:
        """Give members (one: reason) the right to call a function."""
        policy = policy_pb2.Policy()
        policy.bindings.add(role="roles/run.invoker", members=members or [INVOKER])
        resource = f"{PARENT}/services/{name}"
        self.run.set_iam_policy(iam_policy_pb2.SetIamPolicyRequest(resource=resource, policy=policy))

    def call(self, name: str, **how: Any) -> httpx.Response:
        """Call a function at its URL."""
        return httpx.post(f"{self.address.http}/{name}", timeout=60, **how)

    def serve(self, name: str, archive: bytes, **service: Any) -> None:
        """Create a function that anybody may call, and wait until it serves."""
        done = self.finished(self.create(name, archive, **service))
        assert not done.HasField("error"), done.error
        self.allow(name)

    def pid(self, name: str) -> int | None:
        """The process of a function; None for one that is cold."""
        found: int | None = httpx.get(f"{self.address.http}/_processes").json()[name]
        return found

    def calls(self) -> dict[str, int]:
        """How often each method was called since the last look."""
        found: dict[str, int] = httpx.get(f"{self.address.http}/calls").json()
        httpx.delete(f"{self.address.http}/calls").raise_for_status()
        return found

    def status(self, url: str) -> int:
        """The status with which a URL answers a call."""
        return httpx.post(url, json={}, timeout=60).status_code

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """Replace the fault rules; none without rules."""
        httpx.post(f"{self.address.http}/faults", json={"rules": list(rules)}).raise_for_status()


@contextmanager
def clients(address: Address) -> Iterator[FunctionsApi]:
    """Google's clients on a stand-in that runs."""
    with grpc.insecure_channel(address.grpc) as channel:
        yield FunctionsApi(
            address,
            functions_v2.FunctionServiceClient(transport=FunctionServiceGrpcTransport(channel=channel)),
            run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel)),
        )


@contextmanager
def functions_api(*args: str) -> Iterator[FunctionsApi]:
    """A stand-in of its own with clients; ``args``: its options."""
    with (
        embedded("functions", *args, env={"GRPC_ENABLE_FORK_SUPPORT": "0"}) as address,
        clients(address) as made,
    ):
        yield made
