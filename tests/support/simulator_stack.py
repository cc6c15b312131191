"""A simulator on Pub/Sub, Firestore, Cloud Tasks and Cloud Scheduler, all on one movable clock."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
from google.cloud.scheduler_v1 import CloudSchedulerClient, HttpMethod
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.processes import ROOT, Child, python, spawn
from shared import clock
from tests.support.emulators import Address, embedded
from tests.support.push_stack import CLOUD_PROJECT, _documents, _free_port, _listens, eventually

_PREFIX = f"projects/{CLOUD_PROJECT}"
_LOCATION = f"{_PREFIX}/locations/europe-west1"
LOOKED = ("default-processor", "quarantine")


@dataclass
class SimulatorStack:
    """One simulator, which may be killed and started again, and what is behind it."""

    pubsub: Address
    firestore: Address
    tasks: Address
    scheduler: Address
    clock_file: Path
    log_file: Path
    port: int
    environment: dict[str, str]
    documents: Any
    publisher: Any
    subscriber: Any
    child: Child | None = None
    _stamps: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # The process

    def start(self) -> None:
        """Start it and wait until it listens."""
        source = "functions/simulator/main.py"
        command = python("-m", "functions_framework", "--source", source, "--target", "simulator")
        env = {**self.environment, "PYTHONPATH": str(ROOT), "HOST": "127.0.0.1", "K_SERVICE": "simulator"}
        with self.log_file.open("ab") as stream:
            self.child = spawn("simulator", [*command, "--port", str(self.port)], env, stream, stream)
        eventually(lambda: _listens(self.port), 60)

    def kill(self) -> None:
        """SIGKILL."""
        if self.child is not None:
            self.child.kill()

    def post(self, message: dict[str, Any]) -> int:
        """Post a task's or the tick's body to it."""
        url = f"http://127.0.0.1:{self.port}/"
        return httpx.post(url, content=json.dumps(message).encode(), timeout=60).status_code

    # The clock

    def now(self) -> int:
        """Epoch ms by the clock of all processes."""
        offset = int.from_bytes(self.clock_file.read_bytes(), "little", signed=True)
        return (time.time_ns() + offset) // 1_000_000

    def advance(self, seconds: float) -> None:
        """Move it, and wait until what comes due by that is done."""
        clock.advance(self.clock_file, seconds)
        self.settle()

    # What is there

    def device(self, project: str, device_id: str, **fields: Any) -> str:
        """Make a device, a simulated one if nothing else is said."""
        made = {"name": device_id, "simulated": True, "simNetworkId": "sim-net", "networkId": "net"} | fields
        self.documents.document(f"projects/{project}/devices/{device_id}").set(made)
        return device_id

    def scenario(self, project: str, scenario_id: str, **fields: Any) -> str:
        """Make a scenario, as the API stores it."""
        tracks = json.dumps(fields.pop("tracks"))
        made = {"name": scenario_id, "duration": 60_000, "loop": False} | fields | {"tracks": tracks}
        self.documents.document(f"projects/{project}/scenarios/{scenario_id}").set(made)
        return scenario_id

    def simulation(self, project: str, device_id: str) -> dict[str, Any]:
        """What is stored of a device's simulation."""
        found = self.documents.document(f"projects/{project}/simulations/{device_id}").get().to_dict()
        return found or {}

    def command(self, project: str, action: str, *devices: str, **more: Any) -> dict[str, Any]:
        """A command, later than all before."""
        stamp = [self.now(), f"s{next(self._stamps):06d}"]
        message = {"type": "simulateMsg", "action": action, "stamp": stamp, "projectId": project}
        return {**message, "deviceIds": list(devices), **more}

    def send(self, *messages: Any, **attributes: str) -> None:
        """Publish messages to the topic ``simulator``, in one, and wait until they are taken."""
        data = json.dumps(list(messages)).encode()
        message = types.PubsubMessage(data=data, attributes=attributes)
        self.publisher.publish(topic=f"{_PREFIX}/topics/simulator", messages=[message])
        self.settle()

    def job(self) -> dict[str, Any]:
        """The job of the tick: ``state``, ``next``..."""
        jobs: dict[str, Any] = httpx.get(f"{self.scheduler.http}/jobs").json()
        return dict(next(iter(jobs.values())))

    # What came of it

    def pull(self, topic: str) -> list[tuple[bytes, dict[str, str]]]:
        """What was published to a topic since the last look: data and attributes."""
        name = f"{_PREFIX}/subscriptions/look-{topic}"
        request = types.PullRequest(subscription=name, max_messages=500, return_immediately=True)
        found: list[tuple[bytes, dict[str, str]]] = []
        while True:
            answer = self.subscriber.transport.pull(request)
            if not answer.received_messages:
                return found
            found += [(one.message.data, dict(one.message.attributes)) for one in answer.received_messages]
            ids = [received.ack_id for received in answer.received_messages]
            self.subscriber.acknowledge(subscription=name, ack_ids=ids)

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until all that was sent is taken, and no task is due."""
        eventually(lambda: not self._left(), seconds)

    def _left(self) -> int:
        messages = httpx.get(f"{self.pubsub.http}/backlog").json()
        left = [
            counts["undelivered"] + counts["outstanding"]
            for name, counts in messages.items()
            if "/look-" not in name
        ]
        tasks = httpx.get(f"{self.tasks.http}/backlog").json()
        due = [queue["running"] + queue["due"] + queue["waiting"] for queue in tasks.values()]
        jobs = httpx.get(f"{self.scheduler.http}/jobs").json()
        now = self.now()
        out = [job["out"] or (job["next"] is not None and job["next"] <= now) for job in jobs.values()]
        return int(sum(left) + sum(due) + sum(out))

    def faults(self, address: Address, *rules: dict[str, Any]) -> None:
        """Replace the fault rules of an emulator; none without rules."""
        body = {"rules": list(rules), "seed": 7}
        httpx.post(f"{address.http}/faults", json=body).raise_for_status()

    def calls(self, address: Address) -> dict[str, int]:
        """The calls that an emulator has seen since the last look."""
        found: dict[str, int] = httpx.get(f"{address.http}/calls").json()
        httpx.delete(f"{address.http}/calls").raise_for_status()
        return found

    def log(self) -> list[dict[str, Any]]:
        """The log lines of the simulator."""
        lines = self.log_file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"severity"')]


@contextmanager
def simulator_stack(folder: Path) -> Iterator[SimulatorStack]:
    """Run a simulator on emulators of its own."""
    clock_file = folder / "clock"
    clock.create(clock_file)
    env = {"FULCRUM_CLOCK_FILE": str(clock_file)}
    indexes = ("--strict", "--indexes", str(ROOT / "firestore.indexes.json"))
    port = _free_port()
    with contextlib.ExitStack() as stack:
        pubsub = stack.enter_context(embedded("pubsub", env=env))
        store = stack.enter_context(embedded("firestore", *indexes, env=env))
        tasks = stack.enter_context(embedded("tasks", env=env))
        scheduler = stack.enter_context(embedded("scheduler", env=env))
        channel = stack.enter_context(grpc.insecure_channel(pubsub.grpc))
        documents = _documents(store.grpc)
        stack.callback(documents.close)
        environment = {
            "PUBSUB_EMULATOR_HOST": pubsub.grpc,
            "FIRESTORE_EMULATOR_HOST": store.grpc,
            "FULCRUM_TASKS_ENDPOINT": tasks.grpc,
            "FULCRUM_SCHEDULER_ENDPOINT": scheduler.grpc,
            "FULCRUM_TASKS_TARGET": f"http://127.0.0.1:{port}/",
            "GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT,
            **env,
        }
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        made = SimulatorStack(
            *(pubsub, store, tasks, scheduler, clock_file, folder / "simulator.log", port, environment),
            *(documents, publisher, subscriber),
        )
        _provision(made, stack)
        made.start()
        stack.callback(made.kill)
        yield made


def _provision(made: SimulatorStack, stack: contextlib.ExitStack) -> None:
    for topic in ("simulator", *LOOKED):
        made.publisher.create_topic(name=f"{_PREFIX}/topics/{topic}")
    for topic in LOOKED:
        made.subscriber.create_subscription(
            name=f"{_PREFIX}/subscriptions/look-{topic}", topic=f"{_PREFIX}/topics/{topic}"
        )
    url = f"http://127.0.0.1:{made.port}/"
    made.subscriber.create_subscription(
        request=types.Subscription(
            name=f"{_PREFIX}/subscriptions/simulator-simulator",
            topic=f"{_PREFIX}/topics/simulator",
            push_config=types.PushConfig(push_endpoint=url),
            retry_policy=types.RetryPolicy(
                minimum_backoff=Duration(nanos=50_000_000), maximum_backoff=Duration(nanos=100_000_000)
            ),
        )
    )
    channel = stack.enter_context(grpc.insecure_channel(made.tasks.grpc))
    tasks = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
    retry = {"min_backoff": {"nanos": 50_000_000}, "max_backoff": {"nanos": 200_000_000}}
    queue = {"name": f"{_LOCATION}/queues/simulation", "retry_config": retry}
    tasks.create_queue(parent=_LOCATION, queue=queue)
    channel = stack.enter_context(grpc.insecure_channel(made.scheduler.grpc))
    jobs = CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel))
    target = {"uri": url, "http_method": HttpMethod.POST, "body": b'{"type":"tickMsg"}'}
    name = f"{_LOCATION}/jobs/simulate"
    job: dict[str, Any] = {"name": name, "schedule": "* * * * *", "time_zone": "UTC", "http_target": target}
    job["retry_config"] = {"retry_count": 3, "min_backoff_duration": {"seconds": 5}}
    jobs.create_job(parent=_LOCATION, job=job)
    jobs.pause_job(name=name)
