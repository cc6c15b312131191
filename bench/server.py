"""A functions-framework process of its own, started as the cloud starts one, and what it costs."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import proctree
from local.processes import ROOT, Child, StartError, spawn

# What the served functions print, by name.
LOGS = ROOT / "build" / "bench"
_HOST = "127.0.0.1"
_DEADLINE_SECONDS = 60.0


@dataclass(frozen=True)
class Source:
    """What to serve: a file, the function in it, and how it is called."""

    path: str
    target: str
    signature: str = "http"


HELLO = Source("bench/hello.py", "hello")
NOOP = Source("bench/noop.py", "noop", "cloudevent")
NAIVE = Source("bench/naive.py", "naive")


def function(name: str) -> Source:
    """A function of Fulcrum's."""
    return Source(f"functions/{name}/main.py", name)


@dataclass(frozen=True)
class Request:
    """One request, and the statuses that count as its answer."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    expected: frozenset[int]
    method: str = "POST"


@dataclass(frozen=True)
class Server:
    """A started server; it may not listen yet."""

    child: Child
    port: int

    @property
    def url(self) -> str:
        """Its root, without a slash at the end."""
        return f"http://{_HOST}:{self.port}"

    def cpu_ns(self) -> int:
        """CPU time of the whole tree, gunicorn's master and workers, since the start."""
        return proctree.cpu_ns(self.child.process.pid)

    def memory_kib(self) -> int:
        """PSS of the whole tree."""
        return proctree.memory_kib(self.child.process.pid)

    def ask(self, request: Request) -> bytes:
        """Send one request as soon as the server listens; the body of its answer."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while True:
            connection = http.client.HTTPConnection(_HOST, self.port, timeout=_DEADLINE_SECONDS)
            try:
                connection.request(request.method, request.path, request.body, dict(request.headers))
                answer = connection.getresponse()
                text = answer.read()
                break
            except ConnectionRefusedError:
                if not self.child.alive() or time.monotonic() > deadline:
                    raise StartError(f"{self.child.name} does not listen") from None
                time.sleep(0.005)
            finally:
                connection.close()
        if answer.status not in request.expected:
            raise StartError(f"{self.child.name} answered {answer.status}: {text[:300]!r}")
        return text

    def wait(self) -> None:
        """Wait until it answers anything at all."""
        self.ask(Request("/", b"", {}, frozenset(range(200, 600))))


@contextmanager
def serving(source: Source, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start bare ``functions-framework``, which finds out by itself whether a function is asynchronous."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("functions-framework")),
        f"--source={source.path}",
        f"--target={source.target}",
        f"--signature-type={source.signature}",
        f"--host={_HOST}",
        f"--port={port}",
    ]
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / f"{source.target}.log").open("ab") as log:
        child = spawn(
            source.target,
            command,
            {
                "PYTHONPATH": str(ROOT),
                # The cloud's build compiles a function's source; so does the first start here, whatever
                # the caller's environment says.
                "PYTHONDONTWRITEBYTECODE": "",
                "K_SERVICE": source.target,
                **(env or {}),
            },
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield Server(child, port)
    finally:
        child.kill()
