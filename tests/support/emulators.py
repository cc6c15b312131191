"""Starts emulators for tests: ours, and Google's own where gcloud has them."""

from __future__ import annotations

import atexit
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from local import watchdog
from local.processes import python, read_ready_line, spawn


@dataclass(frozen=True)
class Address:
    """Where an emulator listens. ``http`` is empty for Google's (no control routes there)."""

    kind: str
    grpc: str
    http: str


@cache
def _marked() -> dict[str, str]:
    """A mark for children of this process, and a watchdog that ends them should this process be killed."""
    mark = f"tests-{uuid.uuid4()}"
    leash = spawn(
        "watchdog", python("-m", "local.watchdog", mark), stdout=None, stdin=subprocess.PIPE
    ).process
    # Its standard input is a pipe that this process alone holds, and holds until its end.
    atexit.register(leash.communicate)
    return {watchdog.MARK: mark}


@contextmanager
def embedded(name: str, *args: str, env: dict[str, str] | None = None) -> Iterator[Address]:
    """Our emulator ``name`` (pubsub, firestore, bigquery) as a process of its own."""
    child = spawn(name, python("-m", f"emulators.{name}", *args), {**_marked(), **(env or {})})
    try:
        ready = read_ready_line(child)
        yield Address("embedded", f"127.0.0.1:{ready['grpc']}", f"http://127.0.0.1:{ready['http']}")
    finally:
        child.kill()


@cache
def google_missing(name: str) -> str:
    """Why Google's emulator of that name cannot be used here; empty if it can."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return "gcloud is not installed"
    if shutil.which("java") is None:
        return "java is not installed"
    component = {"pubsub": "pubsub-emulator", "firestore": "cloud-firestore-emulator"}[name]
    root = Path(gcloud).resolve().parent.parent / "platform" / component
    return "" if root.is_dir() else f"gcloud has no component {component}"


@contextmanager
def google(name: str) -> Iterator[Address]:
    """Google's emulator ``name`` (pubsub or firestore) as a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        "gcloud",
        "beta",
        "emulators",
        name,
        "start",
        f"--host-port=127.0.0.1:{port}",
        "--project=test",
    ]
    child = spawn(name, command, _marked(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                if time.monotonic() > deadline or not child.alive():
                    raise
                time.sleep(0.1)
        yield Address("google", f"127.0.0.1:{port}", "")
    finally:
        child.kill()
