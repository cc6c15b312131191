"""A server that answers as it is told, for tests of what the command does with answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Seen:
    """One request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.content)


@dataclass(frozen=True)
class Answer:
    """What is answered; ``body`` is JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeApi:
    """Where the server is, what came, and what it answers: by (method, path), or 404."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    answers: dict[tuple[str, str], Callable[[Seen], Answer]] = field(default_factory=dict)

    def on(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> None:
        """Answer one operation always the same."""
        self.answers[method, path] = lambda seen: Answer(status, body, headers)

    def refuse(self, method: str, path: str, status: int, error: str) -> None:
        """Answer one operation with an error."""
        self.on(method, path, problem(status, error), status)


def problem(status: int, error: str) -> dict[str, Any]:
    """An error in the API's shape."""
    return {
        "status": status,
        "error": error,
        "message": "it was refused",
        "description": "do it otherwise",
        "requestId": "r-17",
    }


def signed_in(name: str, expires: int) -> dict[str, Any]:
    """What signing in and refreshing answer."""
    return {
        "profile": {"id": "u1", "username": "ada"},
        "sessionId": "s1",
        "idToken": f"id-{name}",
        "refreshToken": f"refresh-{name}",
        "expires": expires,
        "refreshExpires": 4_102_444_800_000,
    }


@contextmanager
def serving() -> Iterator[FakeApi]:
    """A server on a port of its own."""
    api = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {key.lower(): value for key, value in self.headers.items()}
            seen = Seen(self.command, parts.path, dict(parse_qsl(parts.query)), headers, content)
            api.seen.append(seen)
            found = api.answers.get((self.command, parts.path))
            answer = found(seen) if found else Answer(404, problem(404, "route.notFound"))
            is_raw = isinstance(answer.body, bytes)
            body = answer.body if is_raw else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Length", answer.headers.get("Content-Length") or str(len(body)))
            for key, value in (
                {} if is_raw else {"Content-Type": "application/json"} | answer.headers
            ).items():
                self.send_header(key, value)
            if is_raw:
                for key, value in answer.headers.items():
                    if key == "Content-Length":
                        continue
                    self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

        def log_message(self, *args: Any) -> None:
            """Tests say what they need."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
