"""Every function runs from its zip, with its own requirements alone, as the cloud starts it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.cloud import firestore
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import types
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local import package, ports, seed
from local.processes import spawn
from local.stack import Stack
from local.topology import Function, load

TOPOLOGY = load()
PIP = ("--disable-pip-version-check", "--quiet")
PROJECT = seed.SeedProject(
    id="packed",
    networks=(seed.SeedNetwork("gateways"),),
    blueprints={"room": None},
    devices=[seed.SeedDevice("room-1", "room", "gateways", "serial-1")],
)


def pins(requirements: Path) -> frozenset[str]:
    """The packages of a requirements file."""
    lines = (line.split("#")[0].strip() for line in requirements.read_text().splitlines())
    return frozenset(line for line in lines if line)


def ran(*words: str | Path) -> None:
    """Run a command of this interpreter that must end well."""
    command = [sys.executable, *(str(word) for word in words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}"


def fetch(lists: Iterable[frozenset[str]], wheels: Path) -> None:
    """Fetch what is in any of the lists into a folder, each package once: lists share most of theirs."""
    fetched: set[str] = set()
    for packages in sorted(lists, key=len, reverse=True):
        if missing := sorted(packages - fetched):
            ran("-m", "pip", *PIP, "wheel", "--no-deps", "--wheel-dir", wheels, *missing)
            fetched |= packages


def environment(folder: Path, requirements: Path, wheels: Path) -> Path:
    """A virtual environment with just these packages; returns its bin folder.

    ``--no-deps`` and ``pip check`` together show that the list is complete.
    """
    ran("-m", "venv", "--without-pip", folder)
    inside = ("-m", "pip", "--python", folder, *PIP)
    from_wheels = ("--no-index", "--find-links", wheels, "--no-compile")
    ran(*inside, "install", "--no-deps", *from_wheels, "-r", requirements)
    ran(*inside, "check")
    return folder / "bin"


@dataclass(frozen=True)
class Unpacked:
    """A function's zip, unpacked, and the bin folder of its environment."""

    function: Function
    folder: Path
    bin: Path


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> list[Unpacked]:
    """All functions, each unpacked; equal lists of packages share one environment."""
    root = tmp_path_factory.mktemp("packages")
    folders: dict[str, Path] = {}
    for name, function in TOPOLOGY.functions.items():
        made = package.write(function, root / "zips")
        folders[name] = root / name
        with zipfile.ZipFile(made.path) as archive:
            archive.extractall(folders[name])
    lists = {pins(folder / "requirements.txt"): folder / "requirements.txt" for folder in folders.values()}
    fetch(lists, root / "wheels")
    with ThreadPoolExecutor(2) as threads:
        made_bins = {
            packages: threads.submit(environment, root / f"venv{number}", requirements, root / "wheels")
            for number, (packages, requirements) in enumerate(lists.items())
        }
        bins = {packages: future.result() for packages, future in made_bins.items()}
    return [
        Unpacked(TOPOLOGY.functions[name], folder, bins[pins(folder / "requirements.txt")])
        for name, folder in folders.items()
    ]


@contextmanager
def running(item: Unpacked, stack: Stack) -> Iterator[str]:
    """The function's process, started in its folder by bare functions-framework; gives its URL."""
    name = item.function.name
    port = ports.reserve()
    command = [str(item.bin / "functions-framework"), "--target", name]
    command += ["--host", ports.HOST, "--port", str(port.port)]
    env = {**stack.env(), "PATH": f"{item.bin}:/usr/bin:/bin", "HOME": str(item.folder), "K_SERVICE": name}
    with open(item.folder / "log", "wb") as log:
        # Nothing of this process's environment, PYTHONPATH above all.
        child = spawn(
            name,
            ["env", "-i", *(f"{k}={v}" for k, v in env.items()), *command],
            cwd=item.folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while ports.is_free(port.port):
            assert child.alive(), (item.folder / "log").read_text()
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.02)
        yield f"http://{ports.HOST}:{port.port}"
    finally:
        child.stop()
        port.release()


def push_to(stack: Stack, urls: dict[str, str]) -> None:
    """Point all subscriptions at the packed functions instead of the stack's own."""
    with grpc.insecure_channel(stack.env()["PUBSUB_EMULATOR_HOST"]) as channel:
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        for item in TOPOLOGY.subscriptions.values():
            name = f"projects/{stack.project}/subscriptions/{item.name}"
            config = types.PushConfig(push_endpoint=urls[item.function])
            subscriber.update_subscription(
                subscription=types.Subscription(name=name, push_config=config),
                update_mask=FieldMask(paths=["push_config"]),
            )


def publish(stack: Stack, topic: str, data: bytes) -> None:
    """Publish one message through Google's client."""
    with grpc.insecure_channel(stack.env()["PUBSUB_EMULATOR_HOST"]) as channel:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        publisher.publish(topic=f"projects/{stack.project}/topics/{topic}", messages=[{"data": data}])


@pytest.mark.slow
def test_functions_run_from_their_zips(
    unpacked: list[Unpacked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Stack(tmp_path, movable_clock=False) as stack, ExitStack() as processes:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", stack.env()["FIRESTORE_EMULATOR_HOST"])
        client = firestore.Client(project=stack.project)
        keys = seed.create(client, PROJECT)
        urls = {item.function.name: processes.enter_context(running(item, stack)) for item in unpacked}
        push_to(stack, urls)

        event = json.dumps({"deviceId": "serial-1", "id": "1", "data": {"temperature": 21.5}}).encode()
        headers = {"Authorization": f"Bearer {keys['gateways']}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{urls['ingest']}/rcv/gateways", event, headers)  # noqa: S310 loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 loopback
            assert answer.status == 202
        publish(stack, "default-processor", b"no JSON at all")
        publish(stack, "email", b"no mail")
        publish(stack, "deploy", b"no deployment")
        publish(stack, "reason", b"no script")
        publish(stack, "messenger", b"no text message")
        publish(stack, "scheduler", b"no timer")
        publish(stack, "outbound", b"no message to a device")
        publish(stack, "simulator", b"no simulation")
        publish(stack, "curation", b"no curation")
        publish(stack, "jobs", b'{"projectId": "packed", "jobId": "none"}')
        with urllib.request.urlopen(f"{urls['api']}/v1/about", timeout=60) as answer:  # noqa: S310 loopback
            assert answer.status == 200
        stack.drain()

        device = client.document("projects/packed/devices/room-1").get().to_dict()
        assert device is not None
        assert device["data"] == {"temperature": 21.5}
        set_aside = {entry.get("data") for entry in client.collection_group("quarantine").stream()}
        assert set_aside == {
            *(b"no JSON at all", b"no mail", b"no deployment", b"no script", b"no text message", b"no timer"),
            *(b"no message to a device", b"no simulation", b"no curation"),
        }
        client.close()
        # What a schedule asks for, the stack asks of its own functions.
        scheduled = {schedule.function for schedule in TOPOLOGY.schedules.values()}
        started = {name for name, process in stack.processes().items() if process.starts}
        assert started <= scheduled, "the packed ones must serve"
        for item in unpacked:
            # A line about a request is written after its answer.
            said, deadline = re.compile(rf'"service":"{item.function.name}"'), time.monotonic() + 30
            while not said.search(log := (item.folder / "log").read_text()):
                assert time.monotonic() < deadline, f"{item.function.name}: {log}"
                time.sleep(0.05)
