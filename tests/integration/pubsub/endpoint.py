"""A push endpoint for tests: records what comes, answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One POST."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The wrapped push."""
        value: dict[str, Any] = json.loads(self.body)
        return value


@dataclass
class Endpoint:
    """``statuses`` are the answers to come, then ``status`` for all others, with ``headers`` and ``answer``;
    ``gate`` holds them back."""

    status: int = 200
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""
    received: list[Received] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self.gate.set()
        self._lock = threading.Lock()
        self._now = 0
        self._server = _server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}/push"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def accept(self, item: Received) -> int:
        """Record a request; the status to answer."""
        with self._lock:
            self.received.append(item)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            status = self.statuses.pop(0) if self.statuses else self.status
        self.gate.wait(20)
        with self._lock:
            self._now -= 1
        return status

    def wait(self, count: int, seconds: float = 15.0) -> list[Received]:
        """Wait until ``count`` requests have come."""
        deadline = time.monotonic() + seconds
        while len(self.received) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(self.received)} pushes after {seconds} s, {count} expected")
            time.sleep(0.01)
        return list(self.received)

    def close(self) -> None:
        """Stop listening."""
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _server(endpoint: Endpoint) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {key.lower(): value for key, value in self.headers.items()}
            status = endpoint.accept(Received(self.path, headers, body))
            try:
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", str(len(endpoint.answer)))
                for name, value in endpoint.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if status != 204:
                    self.wfile.write(endpoint.answer)
            except OSError:
                self.close_connection = True  # the emulator gave up waiting, which some tests want

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    return Server(("127.0.0.1", 0), Handler)
