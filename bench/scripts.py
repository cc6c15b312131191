"""What a script costs an event: ``reason`` and the script's function together, by hundreds and one by one."""

from __future__ import annotations

import base64
import io
import itertools
import json
import random
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from bench.figures import Figure, Target, interleaved
from bench.fleet import Fleet, create_fleet, write
from bench.load import Poster
from bench.pushes import PUSH_HEADERS
from bench.rig import Emulators, emulators
from bench.server import Server, Source, function, serving
from fulcrum.script import loading
from functions.deployer import host
from local.processes import ROOT
from shared import script_package

ARRAY = 100
_DEVICES = 100
_EXAMPLE = ROOT / "examples" / "scripts" / "threshold_hysteresis" / "main.py"
_SCRIPT = "hysteresis"
# Of a hundred events some four make it say something.
_PARAMS = {"high": 8.8, "low": 2.5, "recipients": ["+4712345678"]}
# Deploying changes nothing of what an event costs.
_VERSION = 1


class Sender:
    """Pushes events to ``reason`` as Pub/Sub does, and takes the CPU time that they cost."""

    def __init__(self, poster: Poster, fleet: Fleet, reason: Server, script: Server) -> None:
        self._poster = poster
        self._fleet = fleet
        self._servers = (reason, script)
        self._url = f"{reason.url}/"
        self._numbers = itertools.count()

    def send(self, count: int, size: int) -> tuple[float, float, float]:
        """CPU microseconds an event of both, of ``reason`` and of the script's function, ``size`` a push."""
        bodies = [self._push(size) for _ in range(count // size)]
        before = [server.cpu_ns() for server in self._servers]
        self._poster.post(self._url, bodies, PUSH_HEADERS)
        spent = [
            (server.cpu_ns() - start) / 1e3 / count
            for server, start in zip(self._servers, before, strict=True)
        ]
        return sum(spent), spent[0], spent[1]

    def _push(self, size: int) -> bytes:
        now = time.time_ns() // 1_000_000
        events = [self._event(number, now) for number in itertools.islice(self._numbers, size)]
        routed = {
            "type": "routeMsg",
            "message": events,
            "options": {"reasoner": {"id": _SCRIPT, **_PARAMS}},
            "route": ["writer"],
        }
        message = {
            "data": base64.b64encode(json.dumps(routed).encode()).decode(),
            "messageId": str(next(self._numbers)),
            "attributes": {"v": "1", "hops": "2", "projectId": self._fleet.project},
            "publishTime": "2026-01-01T00:00:00Z",
        }
        return json.dumps({"message": message, "subscription": "bench", "deliveryAttempt": 1}).encode()

    def _event(self, number: int, now: int) -> dict[str, object]:
        chance = random.Random(number)
        values = {
            "temperature": round(chance.uniform(2, 9), 2),
            "humidity": round(chance.uniform(60, 80), 1),
            "engine/rpm": chance.randrange(700, 3200),
        }
        return {
            "type": "deviceDataEventMsg",
            "id": f"{now}-{number}",
            "hash": f"{number:022d}",
            "time": now,
            "receivedTime": now,
            "projectId": self._fleet.project,
            "deviceId": f"device{number % _DEVICES:06d}",
            "systemId": "main",
            "blueprintId": "sensor",
            "networkId": "bench",
            "data": [{"path": path, "value": value} for path, value in values.items()],
        }


def measure(poster: Poster, quick: bool) -> list[Figure]:
    """``script_call_per_event_in_batch_of_100`` and what it is made of."""
    repetitions, many, few = (2, 1_000, 20) if quick else (9, 5_000, 100)
    with emulators() as running, _script(running) as (fleet, reason, script):
        sender = Sender(poster, fleet, reason, script)
        measures: dict[str, Callable[[], tuple[float, float, float]]] = {
            "batch": lambda: sender.send(many, ARRAY),
            "single": lambda: sender.send(few, 1),
        }
        for once in measures.values():
            once()  # warm: clients made, the script known
        medians = interleaved(repetitions, measures)
    batch, single = medians["batch"], medians["single"]
    unit = "us CPU an event"
    return [
        Figure("script_call_per_event_in_batch_of_100", batch[0], single[0], unit, Target(0.05)),
        Figure("script_call_in_batch_reason", batch[1], single[1], unit),
        Figure("script_call_in_batch_function", batch[2], single[2], unit),
    ]


@contextmanager
def _script(running: Emulators) -> Iterator[tuple[Fleet, Server, Server]]:
    """A fleet, ``reason`` and the function of an example's script, packed as it is deployed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fulcrum-bench-")))
        fleet = create_fleet(running.grpc["firestore"], _DEVICES)
        source = script_package.Source(fleet.project, _SCRIPT, _VERSION, _EXAMPLE.read_text())
        package = script_package.build(source, host.files(), host.requirements())
        zipfile.ZipFile(io.BytesIO(package)).extractall(folder)
        own = {"PYTHONPATH": str(folder)}
        script = stack.enter_context(serving(Source(str(folder / "main.py"), "script"), own))
        reason = stack.enter_context(serving(function("reason"), running.env))
        script.wait()
        reason.wait()
        state = {
            "scriptId": _SCRIPT,
            "state": "deployed",
            "version": _VERSION,
            "url": script.url,
            "entries": _entries(folder / "code"),
        }
        write(running.grpc["firestore"], f"projects/{fleet.project}/scriptStates/{_SCRIPT}", state)
        yield fleet, reason, script


def _entries(folder: Path) -> str:
    code = loading.load(folder, _VERSION)
    loading.deactivate()
    return msgspec.json.encode(list(code.entries.values())).decode()
