"""A script's function without its isolation, as a process of its own (``python -m`` this module).

It runs the version that the file ``current`` of its folder names (``<folder>/<version>/main.py``), so that a
new one is deployed by writing that file; and fails one call in ``fail``, before or after running it.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

from fulcrum.script import loading, running, wire


class Function:
    """The versions of a folder."""

    def __init__(self, folder: Path, fail: float) -> None:
        self._folder = folder
        self._fail = fail
        self._random = random.Random(5)
        self._lock = threading.Lock()
        self._runner = cache(self._load)

    def _load(self, version: int) -> running.Runner:
        return running.Runner(loading.load(self._folder / str(version), version))

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to a request."""
        with self._lock:
            if self._random.random() < self._fail / 2:
                return 500, b"before"
            runner = self._runner(int((self._folder / "current").read_text()))
            made: Any
            if json.loads(body).get("describe"):
                code = runner.code
                made = wire.Description(script_version=code.version, entries=list(code.entries.values()))
            else:
                made = runner.run(msgspec.json.decode(body, type=wire.Call))
            if self._random.random() < self._fail / 2:
                return 503, b"after"
            return 200, msgspec.json.encode(made)


def _handler(function: Function) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            status, body = function.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler


def main(arguments: list[str]) -> None:
    """Serve until killed; prints the port as JSON once it listens."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fail", type=float, default=0.0)
    options = parser.parse_args(arguments)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(Function(options.folder, options.fail)))
    print(json.dumps({"ready": True, "http": server.server_port}), flush=True)  # noqa: T201 whoever starts it reads this
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
