"""The emulators of a stack as processes: Fulcrum's own, or Google's where they are asked for."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import children, ports
from local.environment import FUNCTIONS_URL, Surroundings
from local.logs import Log
from local.processes import ROOT, StartError, python
from local.watchdog import MARK

EMBEDDED = (
    *("pubsub", "firestore", "bigquery", "logging", "functions", "tasks", "scheduler"),
    *("twilio", "sendgrid"),
)
# These may end and start again without anybody losing anything.
WITHOUT_STATE = frozenset({"logging"})
# What gcloud has; BigQuery has no emulator of Google's.
GOOGLE = ("pubsub", "firestore")
_READY_SECONDS = 60.0
GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class Address:
    """Where an emulator listens: host:port, and the URL of its HTTP side (empty for Google's)."""

    grpc: str
    http: str


@dataclass
class EmulatorProcess:
    """A running emulator."""

    name: str
    child: children.ChildProcess
    address: Address
    google: bool


# A query that the declared indexes do not answer would fail in the cloud: it fails here, too.
_OWN_OPTIONS = {"firestore": ("--strict", "--indexes", str(ROOT / "firestore.indexes.json"))}
# It forks to start scripts, and they become other programs at once: gRPC need not prepare for it.
_OWN_VARIABLES = {"functions": {"GRPC_ENABLE_FORK_SUPPORT": "0"}}
# Secrets that a stand-in shares with the functions that call it.
_OWN_SECRETS = {"twilio": ("TWILIO_AUTH_TOKEN",), "sendgrid": ("SENDGRID_API_KEY",)}


async def start_embedded(
    name: str, around: Surroundings, log: Log, data: Path | None, address: Address | None = None
) -> EmulatorProcess:
    """Start Fulcrum's own emulator; ``address``: where an earlier process of it listened."""
    command = python("-m", f"emulators.{name}")
    for option, url in (("--grpc-port", address and address.grpc), ("--http-port", address and address.http)):
        command += [option, url.rpartition(":")[2] if url else "0"]
    if data is not None:
        command += ["--data", str(data / name)]
    command += _OWN_OPTIONS.get(name, ())
    if name == "logging" and log.structured is not None:
        command += ["--log", str(log.structured.path)]
    if name in ("tasks", "scheduler"):
        command += ["--route", f"{FUNCTIONS_URL}={around.push_base}"]
    if name == "functions":
        command += ["--mark", f"{MARK}={around.mark}", "--idle-seconds", f"{around.idle_seconds:g}"]
    if name == "sendgrid":
        command += ["--callback", f"{around.public_url}/v1/callback/sendgrid"]
    ready: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
    environment = {**around.common(), **_OWN_VARIABLES.get(name, {})}
    shared = (secret for secret in _OWN_SECRETS.get(name, ()) if secret in around.secrets)
    environment |= {f"FULCRUM_{secret}": around.secrets[secret] for secret in shared}
    child = await children.start(name, command, environment, log, _ready_line(ready))
    waited: list[asyncio.Future[Any]] = [ready, child.ended]
    await asyncio.wait(waited, timeout=_READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        child.kill()
        raise StartError(f"the {name} emulator did not start (status {await child.ended})")
    found = ready.result()
    listening = Address(f"{ports.HOST}:{found['grpc']}", f"http://{ports.HOST}:{found['http']}")
    return EmulatorProcess(name, child, listening, False)


def _ready_line(ready: asyncio.Future[Mapping[str, Any]]) -> Callable[[str], bool]:
    def take(line: str) -> bool:
        if ready.done() or not line.startswith('{"ready"'):
            return False
        ready.set_result(json.loads(line))
        return True

    return take


async def start_google(name: str, around: Surroundings, log: Log) -> EmulatorProcess:
    """Start Google's emulator through gcloud (Java must be installed)."""
    if shutil.which("gcloud") is None or shutil.which("java") is None:
        raise StartError(
            f"Google's {name} emulator needs gcloud and Java: install both, or leave out EMULATORS=google"
        )
    port = ports.reserve()
    port.release()  # Java's server does not share a reserved port
    command = ["gcloud", "beta", "emulators", name, "start", "--quiet"]
    command += [f"--host-port={ports.HOST}:{port.port}", f"--project={around.project}"]
    child = await children.start(name, command, around.google_emulator(), log)
    listens = asyncio.create_task(ports.listening(port.port, _READY_SECONDS))
    waited: list[asyncio.Future[Any]] = [listens, child.ended]
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    if not (listens.done() and listens.result()):
        listens.cancel()
        child.kill()
        raise StartError(f"Google's {name} emulator did not start (status {await child.ended})")
    return EmulatorProcess(name, child, Address(f"{ports.HOST}:{port.port}", ""), True)
