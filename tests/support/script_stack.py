"""The way of an event through scripts: real functions on real emulators, and a script's function."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from fulcrum.script import loading
from functions.deployer import host
from local.processes import ROOT, Child, python, read_ready_line, spawn
from local.provision_bigquery import provision
from shared import script_package
from tests.support.emulators import Address, embedded
from tests.support.functions_api import FunctionsApi, functions_api
from tests.support.push_stack import CLOUD_PROJECT, PushStack, push_stack

PROJECT = "farm"
SCRIPT = "counting"
MORE_TOPICS = ("email", "messenger", "scheduler", "audit")
# Who takes which topic.
SUBSCRIBED = {
    "default-processor": "message_processor",
    "reason": "reason",
    "writer": "transponder",
    "email": "emailer",
    "messenger": "messenger",
}


@dataclass
class ScriptStack:
    """The functions, and what tests do with them."""

    stack: PushStack
    warehouse: Address
    folder: Path
    url: str
    # How a version comes to be served, as Cloud Functions does it from one moment to the next.
    serve: Callable[[int], None]
    port: int
    log: Path
    child: Child | None = None
    kills: int = 0
    versions: dict[int, list[Any]] = field(default_factory=dict)

    def write(self, version: int, text: str) -> None:
        """Have a version to be served."""
        target = self.folder / str(version)
        target.mkdir()
        (target / "main.py").write_text(text)
        self.versions[version] = list(loading.load(target, version).entries.values())
        loading.deactivate()

    def tell(self, version: int) -> None:
        """Say in the script's state what is served, as the deployer does."""
        entries = msgspec.json.encode(self.versions[version]).decode()
        state = {"scriptId": SCRIPT, "state": "deployed", "version": version, "url": self.url}
        self.stack.put(f"projects/{PROJECT}/scriptStates/{SCRIPT}", **state, entries=entries)

    def device(self, device_id: str, route: Any = None, **fields: Any) -> None:
        """Make a device, with a route of its own for its events."""
        known = {"name": device_id, "systemId": "s1", "blueprintId": "b1", **fields}
        if route is not None:
            known["messageRoute"] = json.dumps({"deviceDataEventMsg": route})
        self.stack.put(f"projects/{PROJECT}/devices/{device_id}", **known)

    def start(self) -> None:
        """Start reason and wait until it listens."""
        command = python("-m", "functions_framework", "--source", "functions/reason/main.py")
        command += ["--target", "reason", "--port", str(self.port)]
        with self.log.open("ab") as stream:
            own = {"PYTHONPATH": str(ROOT), "HOST": "127.0.0.1", "K_SERVICE": "reason"}
            environment = {**self.stack.environment, **own, "FULCRUM_CUSTOM_TOPICS": "audit"}
            self.child = spawn("reason", command, environment, stream, stream)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
                return
            assert self.child.alive(), self.log.read_text()[-2000:]
            assert time.monotonic() < deadline, "not listening"
            time.sleep(0.05)

    def stop(self) -> None:
        """End reason at once, wherever it is."""
        if self.child is not None:
            self.child.kill()

    def kill(self) -> None:
        """End reason at once, and start it again."""
        self.stop()
        self.kills += 1
        self.start()

    def faults(self, store: str, *rules: Mapping[str, Any]) -> None:
        """Have a store fail (pubsub, firestore, bigquery), or work again without rules."""
        stores = {"pubsub": self.stack.pubsub, "firestore": self.stack.firestore, "bigquery": self.warehouse}
        body = {"rules": list(rules), "seed": len(store)}
        httpx.post(f"{stores[store].http}/faults", json=body).raise_for_status()

    def drain(self, seconds: float = 120.0) -> None:
        """Wait until every message that somebody takes is acknowledged."""
        taken = {f"{topic}-{service.replace('_', '-')}" for topic, service in SUBSCRIBED.items()}

        def done() -> bool:
            backlog = httpx.get(f"{self.stack.pubsub.http}/backlog").json()
            return not any(
                queue["undelivered"] + queue["outstanding"]
                for name, queue in backlog.items()
                if name.rpartition("/")[2] in taken
            )

        self.until(done, seconds)

    def until(self, check: Callable[[], Any], seconds: float = 60.0) -> Any:
        """The first true value of a check."""
        deadline = time.monotonic() + seconds
        while not (value := check()):
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)
        return value

    def rows(self, table: str, time_column: str) -> list[dict[str, Any]]:
        """The rows of a table of the history, repeats included."""
        where = f"project_id = '{PROJECT}' AND {time_column} > TIMESTAMP '2020-01-01'"
        return self.query(f"SELECT * FROM history.{table} WHERE {where}")

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        client = bigquery.Client(
            project=CLOUD_PROJECT,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": self.warehouse.http},
        )
        try:
            return [dict(row) for row in client.query(sql).result()]
        finally:
            client.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _doubled(scripts: Path, fail: float) -> Iterator[tuple[str, Callable[[int], None]]]:
    """A function that runs versions without isolation: where it is, and what has it serve one of them."""
    function = spawn(
        "script", python("-m", "tests.support.script_function", str(scripts), "--fail", str(fail))
    )

    def serve(version: int) -> None:
        fresh = scripts / "next"
        fresh.write_text(str(version))
        fresh.replace(scripts / "current")

    try:
        yield f"http://127.0.0.1:{read_ready_line(function)['http']}", serve
    finally:
        function.kill()


@contextmanager
def _confined(scripts: Path, fail: float) -> Iterator[tuple[str, Callable[[int], None]]]:
    """The same as it is deployed: packed, built, and run in its sandbox."""
    with functions_api() as api:
        yield f"{api.address.http}/{SCRIPT}", lambda version: _deploy(api, scripts, version, fail)


def _deploy(api: FunctionsApi, scripts: Path, version: int, fail: float) -> None:
    source = script_package.Source(PROJECT, SCRIPT, version, (scripts / str(version) / "main.py").read_text())
    archive = script_package.build(source, host.files(), host.requirements())
    begin = api.create if version == 1 else api.update
    done = api.finished(begin(SCRIPT, archive, script_package.ENTRY_POINT))
    assert not done.HasField("error"), done.error
    api.allow(SCRIPT)
    api.faults({"method": "Call", "error_rate": fail / 2, "drop_answer_rate": fail / 2})


@contextmanager
def script_stack(folder: Path, fail: float = 0.0, *, confined: bool = False) -> Iterator[ScriptStack]:
    """Run it all. ``fail``: how many calls of the script's function fail; ``confined``: in its sandbox."""
    scripts = folder / "scripts"
    scripts.mkdir()
    with contextlib.ExitStack() as open_:
        warehouse = open_.enter_context(embedded("bigquery"))
        provision(CLOUD_PROJECT, warehouse.http)
        further = {
            "BIGQUERY_EMULATOR_HOST": warehouse.http,
            "FULCRUM_BIGQUERY_STORAGE_ENDPOINT": warehouse.grpc,
        }
        services = [service for service in SUBSCRIBED.values() if service != "reason"]
        stack = open_.enter_context(push_stack(folder, *services, further=further))
        serving = _confined if confined else _doubled
        url, serve = open_.enter_context(serving(scripts, fail))
        made = ScriptStack(stack, warehouse, scripts, url, serve, _free_port(), folder / "reason.log")
        made.start()
        open_.callback(made.stop)
        stack.urls["reason"] = f"http://127.0.0.1:{made.port}/"
        prefix = f"projects/{CLOUD_PROJECT}"
        for topic in MORE_TOPICS:
            stack.publisher.create_topic(name=f"{prefix}/topics/{topic}")
            stack.subscriber.create_subscription(
                name=f"{prefix}/subscriptions/look-{topic}", topic=f"{prefix}/topics/{topic}"
            )
        for topic, service in SUBSCRIBED.items():
            stack.subscribe(topic, service)
        yield made
