"""Schedulers as processes on Pub/Sub, Firestore and Cloud Tasks, all on one clock that a test moves."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.processes import ROOT, Child, python, spawn
from shared import clock, names
from tests.support.emulators import Address, embedded
from tests.support.push_stack import CLOUD_PROJECT, _documents, _free_port, _listens

_PREFIX = f"projects/{CLOUD_PROJECT}"
_LOCATION = f"{_PREFIX}/locations/europe-west1"
TOPICS = ("scheduler", "reason", "writer", "quarantine", "alarms")
LOOKED = ("reason", "writer", "quarantine", "alarms")


@dataclass
class Scheduler:
    """One process of the function. All that is set comes to each of them: a redelivery to the others."""

    name: str
    port: int
    environment: dict[str, str]
    log: Path
    child: Child | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it and wait until it listens."""
        source = "functions/scheduler/main.py"
        command = python("-m", "functions_framework", "--source", source, "--target", "scheduler")
        env = {**self.environment, "PYTHONPATH": str(ROOT), "HOST": "127.0.0.1", "K_SERVICE": "scheduler"}
        with self.log.open("ab") as stream:
            self.child = spawn(self.name, [*command, "--port", str(self.port)], env, stream, stream)
        eventually(lambda: _listens(self.port), 60)

    def kill(self) -> None:
        """SIGKILL."""
        if self.child is not None:
            self.child.kill()


@dataclass
class TimerStack:
    """The schedulers, and what is behind them."""

    pubsub: Address
    firestore: Address
    tasks: Address
    clock_file: Path
    documents: Any
    publisher: Any
    subscriber: Any
    schedulers: list[Scheduler] = field(default_factory=list)
    # One for all requests: each client of httpx loads the system's certificates anew.
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False))
    _stamps: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # The clock

    def now(self) -> int:
        """Epoch ms by the clock of all processes."""
        offset = int.from_bytes(self.clock_file.read_bytes(), "little", signed=True)
        return (time.time_ns() + offset) // 1_000_000

    def advance(self, seconds: float) -> None:
        """Move it."""
        clock.advance(self.clock_file, seconds)

    # Timers

    def stamp(self) -> list[Any]:
        """A stamp that is greater than all before."""
        return [self.now(), f"s{next(self._stamps):06d}"]

    def send(self, *messages: dict[str, Any], **attributes: str) -> None:
        """Publish messages to the topic of timers, in one message."""
        data = json.dumps(list(messages)).encode()
        message = types.PubsubMessage(data=data, attributes=attributes)
        self.publisher.publish(topic=f"{_PREFIX}/topics/scheduler", messages=[message])

    def set(self, project: str, timer_id: str, timer: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A message that sets a timer; without an action it publishes to ``alarms``."""
        action = {"type": "publishTopic", "topic": "alarms", "message": {"timer": timer_id}}
        message = {"type": "setTimerMsg", "id": timer_id, "stamp": self.stamp(), "projectId": project}
        return {**message, "timer": timer, "action": action, **more}

    def cancel(self, project: str, timer_id: str, **more: Any) -> dict[str, Any]:
        """A message that cancels a timer."""
        return {
            "type": "cancelTimerMsg",
            "id": timer_id,
            "stamp": self.stamp(),
            "projectId": project,
            **more,
        }

    def device(self, project: str, device_id: str) -> Any:
        """Make a device, for timers to be for; its document."""
        made = self.documents.document(f"projects/{project}/devices/{device_id}")
        made.set({"projectId": project, "name": device_id})
        return made

    def timers(self, project: str) -> dict[str, dict[str, Any]]:
        """What is known of a project's timers, by their ids."""
        found = self.documents.collection(f"projects/{project}/runningTimers").stream()
        return {document.get("timerId"): document.to_dict() for document in found}

    def some_timers(self, project: str, timer_ids: list[str]) -> dict[str, dict[str, Any]]:
        """What is known of some of them."""
        paths = [names.running_timer(project, one).partition("/documents/")[2] for one in timer_ids]
        found = self.documents.get_all([self.documents.document(path) for path in paths])
        return {document.get("timerId"): document.to_dict() for document in found}

    def sweep(self, *to: Scheduler) -> None:
        """What Cloud Scheduler posts once a minute, to each scheduler that is up, or to some."""
        for scheduler in to or self.schedulers:
            with contextlib.suppress(httpx.HTTPError):
                self.http.post(scheduler.url, content=b'{"type":"sweepMsg"}', timeout=60)

    # What came of it

    def pull(self, topic: str) -> list[tuple[Any, dict[str, str]]]:
        """What was published to a topic since the last look: data (decoded) and attributes."""
        name = f"{_PREFIX}/subscriptions/look-{topic}"
        request = types.PullRequest(subscription=name, max_messages=500, return_immediately=True)
        found: list[tuple[Any, dict[str, str]]] = []
        while True:
            answer = self.subscriber.transport.pull(request)
            if not answer.received_messages:
                return found
            for received in answer.received_messages:
                found.append((json.loads(received.message.data), dict(received.message.attributes)))
            ids = [received.ack_id for received in answer.received_messages]
            self.subscriber.acknowledge(subscription=name, ack_ids=ids)

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until all that was sent is taken, and no task is due."""
        eventually(lambda: not self._left(), seconds)

    def _left(self) -> int:
        messages = self.http.get(f"{self.pubsub.http}/backlog").json()
        left = [
            counts["undelivered"] + counts["outstanding"]
            for name, counts in messages.items()
            if "/look-" not in name
        ]
        tasks = self.http.get(f"{self.tasks.http}/backlog").json()
        due = [queue["running"] + queue["due"] + queue["waiting"] for queue in tasks.values()]
        return int(sum(left) + sum(due))

    def faults(self, address: Address, *rules: dict[str, Any]) -> None:
        """Replace the fault rules of an emulator; none without rules."""
        body = {"rules": list(rules), "seed": 7}
        self.http.post(f"{address.http}/faults", json=body).raise_for_status()

    def log(self) -> list[dict[str, Any]]:
        """The log lines of all schedulers."""
        lines = [line for one in self.schedulers for line in one.log.read_text().splitlines()]
        return [json.loads(line) for line in lines if line.startswith('{"severity"')]


def eventually(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true value that ``check`` gives; AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, f"still {value!r}"
        time.sleep(0.02)
    return value


@contextmanager
def timer_stack(folder: Path, schedulers: int = 1, networks: str = "") -> Iterator[TimerStack]:
    """Run schedulers on emulators of their own. ``networks``: private ones that timers may call."""
    clock_file = folder / "clock"
    clock.create(clock_file)
    env = {"FULCRUM_CLOCK_FILE": str(clock_file)}
    indexes = ("--strict", "--indexes", str(ROOT / "firestore.indexes.json"))
    with contextlib.ExitStack() as stack:
        pubsub = stack.enter_context(embedded("pubsub", env=env))
        store = stack.enter_context(embedded("firestore", *indexes, env=env))
        tasks = stack.enter_context(embedded("tasks", env=env))
        channel = stack.enter_context(grpc.insecure_channel(pubsub.grpc))
        documents = _documents(store.grpc)
        stack.callback(documents.close)
        made = TimerStack(
            pubsub,
            store,
            tasks,
            clock_file,
            documents,
            PublisherClient(transport=PublisherGrpcTransport(channel=channel)),
            SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)),
        )
        stack.callback(made.http.close)
        _provision(made, stack)
        for number in range(schedulers):
            port = _free_port()
            environment = {
                "PUBSUB_EMULATOR_HOST": pubsub.grpc,
                "FIRESTORE_EMULATOR_HOST": store.grpc,
                "FULCRUM_TASKS_ENDPOINT": tasks.grpc,
                "FULCRUM_TASKS_TARGET": f"http://127.0.0.1:{port}/",
                "FULCRUM_CUSTOM_TOPICS": "alarms",
                "FULCRUM_URL_NETWORKS": networks,
                "GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT,
                **env,
            }
            name = f"scheduler-{number}"
            one = Scheduler(name, port, environment, folder / f"{name}.log")
            one.start()
            stack.callback(one.kill)
            made.schedulers.append(one)
            _subscribe(made, one)
        yield made


def _provision(made: TimerStack, stack: contextlib.ExitStack) -> None:
    for topic in TOPICS:
        made.publisher.create_topic(name=f"{_PREFIX}/topics/{topic}")
    for topic in LOOKED:
        made.subscriber.create_subscription(
            name=f"{_PREFIX}/subscriptions/look-{topic}", topic=f"{_PREFIX}/topics/{topic}"
        )
    channel = stack.enter_context(grpc.insecure_channel(made.tasks.grpc))
    client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
    retry = {"min_backoff": {"nanos": 50_000_000}, "max_backoff": {"nanos": 200_000_000}}
    client.create_queue(parent=_LOCATION, queue={"name": f"{_LOCATION}/queues/timers", "retry_config": retry})


def _subscribe(made: TimerStack, one: Scheduler) -> None:
    made.subscriber.create_subscription(
        request=types.Subscription(
            name=f"{_PREFIX}/subscriptions/scheduler-{one.name}",
            topic=f"{_PREFIX}/topics/scheduler",
            push_config=types.PushConfig(push_endpoint=one.url),
            retry_policy=types.RetryPolicy(
                minimum_backoff=Duration(nanos=50_000_000), maximum_backoff=Duration(nanos=100_000_000)
            ),
        )
    )
