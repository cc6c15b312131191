"""The three hot functions with emulators of their own, joined as ``functions/services.yaml`` says.

The Pub/Sub emulator pushes straight to the functions: no front proxy in between, and each function has
its own process tree, so that nothing else is in its CPU time.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.pubsub_v1.types import pubsub as pubsub_types

from bench.fleet import Fleet, create_fleet
from bench.names import CLOUD_PROJECT
from bench.server import Server, function, serving
from local import provision_bigquery, topology
from local.processes import python, read_ready_line, spawn

HOT = ("ingest", "message_processor", "transponder")
EMULATORS = ("pubsub", "firestore", "bigquery")
_DRAIN_SECONDS = 240.0
# The bench sends faster than a network may; the limits are checked all the same.
_UNLIMITED = {"FULCRUM_RATE_NETWORK_PER_SECOND": "1e9", "FULCRUM_RATE_DEVICE_PER_SECOND": "1e9"}


@dataclass(frozen=True)
class Emulators:
    """The three emulators: gRPC address and URL of the control routes, each by name."""

    grpc: Mapping[str, str]
    http: Mapping[str, str]

    @property
    def env(self) -> dict[str, str]:
        """The variables that point clients, Google's and ours, at them."""
        return {
            "GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT,
            "PUBSUB_EMULATOR_HOST": self.grpc["pubsub"],
            "FIRESTORE_EMULATOR_HOST": self.grpc["firestore"],
            "FULCRUM_BIGQUERY_STORAGE_ENDPOINT": self.grpc["bigquery"],
            "BIGQUERY_EMULATOR_HOST": self.http["bigquery"],
        }

    def forget_calls(self) -> None:
        """Set all counts of calls to nothing."""
        for name in EMULATORS:
            _ask("DELETE", f"{self.http[name]}/calls")

    def calls(self) -> dict[str, int]:
        """Calls since :meth:`forget_calls`, by ``service.method``."""
        return {
            f"{name}.{method}": int(count)
            for name in EMULATORS
            for method, count in _ask("GET", f"{self.http[name]}/calls").items()
        }

    def drain(self) -> None:
        """Wait until no subscription has a message left that is not acknowledged."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        while self._undone():
            if time.monotonic() > deadline:
                raise RuntimeError("messages are left undelivered; see build/bench/*.log")
            time.sleep(0.01)

    def _undone(self) -> int:
        backlog = _ask("GET", f"{self.http['pubsub']}/backlog")
        return sum(queue["undelivered"] + queue["outstanding"] for queue in backlog.values())


@dataclass(frozen=True)
class Rig:
    """Running functions, their emulators and a fleet in them."""

    emulators: Emulators
    fleet: Fleet
    functions: Mapping[str, Server] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where ingest takes the fleet's events."""
        return self.functions["ingest"].url + self.fleet.path

    def cpu_us(self) -> float:
        """CPU microseconds of the three functions' trees since their start."""
        return sum(server.cpu_ns() for server in self.functions.values()) / 1e3


def _ask(method: str, url: str) -> dict[str, Any]:
    request = urllib.request.Request(url, method=method)  # noqa: S310 a loopback address of ours
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        counts: dict[str, Any] = json.load(answer)
        return counts


@contextmanager
def emulators() -> Iterator[Emulators]:
    """The three emulators, in memory, with topics and tables."""
    with ExitStack() as stack:
        grpc_addresses, http_addresses = {}, {}
        for name in EMULATORS:
            child = spawn(f"bench-{name}", python("-m", f"emulators.{name}"))
            stack.callback(child.kill)
            ready = read_ready_line(child)
            grpc_addresses[name] = f"127.0.0.1:{ready['grpc']}"
            http_addresses[name] = f"http://127.0.0.1:{ready['http']}"
        started = Emulators(grpc_addresses, http_addresses)
        _create_topics(started)
        provision_bigquery.provision(CLOUD_PROJECT, started.http["bigquery"])
        yield started


@contextmanager
def rig(size: int) -> Iterator[Rig]:
    """The three functions on fresh emulators with a fleet of ``size`` devices."""
    with ExitStack() as stack:
        started = stack.enter_context(emulators())
        fleet = create_fleet(started.grpc["firestore"], size)
        services = topology.load().functions
        servers = {}
        for name in HOT:
            settings = {f"FULCRUM_{key}": value for key, value in services[name].settings.items()}
            servers[name] = stack.enter_context(
                serving(function(name), {**settings, **_UNLIMITED, **started.env})
            )
        for server in servers.values():
            server.wait()
        _subscribe(started, servers)
        yield Rig(started, fleet, servers)


def _create_topics(started: Emulators) -> None:
    topic = pubsub_types.Topic.pb()
    with grpc.insecure_channel(started.grpc["pubsub"]) as channel:
        create = channel.unary_unary(
            "/google.pubsub.v1.Publisher/CreateTopic", topic.SerializeToString, topic.FromString
        )
        for name in (*topology.load().topics, "naive"):
            create(topic(name=f"projects/{CLOUD_PROJECT}/topics/{name}"))


def _subscribe(started: Emulators, servers: Mapping[str, Server]) -> None:
    subscription = pubsub_types.Subscription.pb()
    with grpc.insecure_channel(started.grpc["pubsub"]) as channel:
        create = channel.unary_unary(
            "/google.pubsub.v1.Subscriber/CreateSubscription",
            subscription.SerializeToString,
            subscription.FromString,
        )
        for declared in topology.load().subscriptions.values():
            if declared.function not in servers:
                continue
            wanted = subscription(
                name=f"projects/{CLOUD_PROJECT}/subscriptions/{declared.name}",
                topic=f"projects/{CLOUD_PROJECT}/topics/{declared.topic}",
                ack_deadline_seconds=declared.ack_deadline_seconds,
            )
            wanted.push_config.push_endpoint = f"{servers[declared.function].url}/"
            wanted.retry_policy.minimum_backoff.seconds = declared.retry_minimum_seconds
            wanted.retry_policy.maximum_backoff.seconds = declared.retry_maximum_seconds
            create(wanted)
