"""Calls of scripts' functions against a server that answers as it is told."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared.clients import script_calls
from shared.errors import Rejected, Transient

Answer = tuple[int, bytes, float]


class Server:
    """Answers from a list (status, body, seconds until then); the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [(200, b"{}", 0.0)]
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.connections: set[Any] = set()
        self.headers: dict[str, str] = {}
        handler = _handler(self)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server.seen.append((self.path, dict(self.headers), body))
            server.connections.add(self.client_address)
            status, answer, pause = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
            time.sleep(pause)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(answer)

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    yield
    await script_calls.close()


async def test_calls_share_a_connection_and_bear_no_token_here(server: Server) -> None:
    for n in range(3):
        server.answers = [(200, b"answer %d" % n, 0)]
        assert await script_calls.call(server.url, b'{"n":1}', 5) == b"answer %d" % n
    assert len(server.connections) == 1
    _, headers, body = server.seen[0]
    assert (headers["Content-Type"], body) == ("application/json", b'{"n":1}')
    assert "Authorization" not in headers


@pytest.mark.parametrize("status", [0, 429, 503])
async def test_what_may_work_at_once_is_tried_again(server: Server, status: int) -> None:
    server.answers = [(status, b"", 0), (200, b"ok", 0)]
    assert await script_calls.call(server.url, b"{}", 5) == b"ok"
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (0, Transient),
        (429, Transient),
        (500, Transient),
        (503, Transient),
        (403, script_calls.Gone),
        (404, script_calls.Gone),
        (400, script_calls.Refused),
        (413, script_calls.TooLarge),
    ],
)
async def test_what_does_not_work_says_why(server: Server, status: int, error: type[Exception]) -> None:
    server.answers = [(status, b"for a reason", 0)]
    with pytest.raises(error) as raised:
        await script_calls.call(server.url, b"{}", 5)
    assert status == 0 or "for a reason" in str(raised.value)
    assert len(server.seen) == (3 if status in (0, 429, 503) else 1)


async def test_an_answer_that_does_not_come_in_time_is_not_waited_for(server: Server) -> None:
    server.answers = [(200, b"late", 0.5)]
    with pytest.raises(script_calls.TooSlow):
        await script_calls.call(server.url, b"{}", 0.1)


async def test_an_answer_without_end_is_not_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers = [(200, b"x" * 2_000_000, 0.0)]
    monkeypatch.setattr(script_calls, "MAX_BYTES", 1_000_000)
    with pytest.raises(script_calls.TooLarge, match="1000000 bytes"):
        await script_calls.call(server.url, b"{}", 5.0)


async def test_an_answer_that_is_not_packed_as_it_says_is_a_passing_fault(server: Server) -> None:
    server.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(Transient):
        await script_calls.call(server.url, b"{}", 5.0)
    assert len(server.seen) == 3


async def test_a_host_that_is_not_there_is_a_passing_fault() -> None:
    with pytest.raises(Transient) as raised:
        await script_calls.call("http://127.0.0.1:9", b"{}", 5)
    assert not isinstance(raised.value, Rejected)


async def test_what_no_function_takes_is_not_sent(server: Server) -> None:
    with pytest.raises(script_calls.TooLarge):
        await script_calls.call(server.url, b"x" * (script_calls.MAX_BYTES + 1), 5)
    assert server.seen == []


def _token(expires_in: float) -> bytes:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": int(time.time() + expires_in)}).encode())
    return b"e30." + claims.rstrip(b"=") + b".x"


@pytest.fixture
def outside(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """The server is elsewhere, and the metadata server too; how many tokens were asked for."""
    monkeypatch.setattr(script_calls, "_LOOPBACK", ())
    monkeypatch.setattr(script_calls, "_METADATA", f"{server.url}/identity")
    return lambda: sum("identity" in path for path, _, _ in server.seen)


async def test_outside_a_call_bears_a_token_for_its_function(
    server: Server, outside: Callable[[], int]
) -> None:
    token = _token(3600)
    server.answers = [(200, token, 0), (200, b"one", 0), (200, b"two", 0)]
    assert await script_calls.call(f"{server.url}/run", b"{}", 5) == b"one"
    assert await script_calls.call(f"{server.url}/run", b"{}", 5) == b"two"
    asked, *called = server.seen
    assert f"audience={server.url.replace(':', '%3A').replace('/', '%2F')}" in asked[0]
    assert asked[1]["Metadata-Flavor"] == "Google"
    assert [headers["Authorization"] for _, headers, _ in called] == [f"Bearer {token.decode()}"] * 2


async def test_a_token_is_fetched_anew_before_it_ends(server: Server, outside: Callable[[], int]) -> None:
    server.answers = [(200, _token(200), 0), (200, b"", 0), (200, _token(3600), 0), (200, b"", 0)]
    for _ in range(3):
        await script_calls.call(server.url, b"{}", 5)
    assert outside() == 2


async def test_a_token_that_is_refused_is_fetched_anew(server: Server, outside: Callable[[], int]) -> None:
    server.answers = [(200, _token(3600), 0), (401, b"", 0), (200, _token(3600), 0), (200, b"ok", 0)]
    assert await script_calls.call(server.url, b"{}", 5) == b"ok"
    assert outside() == 2


async def test_without_a_token_the_call_is_made_later(server: Server, outside: Callable[[], int]) -> None:
    server.answers = [(500, b"", 0)]
    with pytest.raises(Transient, match="gave no token"):
        await script_calls.call(server.url, b"{}", 5)
    server.answers = [(200, _token(3600), 0), (200, b"ok", 0)]
    assert await script_calls.call(server.url, b"{}", 5) == b"ok"
