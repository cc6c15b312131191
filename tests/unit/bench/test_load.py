"""A load that does not succeed measures nothing, and says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.load import UnexpectedAnswer, poster


@contextmanager
def _server(statuses: list[int]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers with the statuses in turn, the last one for ever, and keeps what it got."""
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("concurrent", [1, 4])
def test_every_body_is_posted_once(concurrent: int) -> None:
    with _server([202]) as (url, got), poster() as running:
        running.post(url, [b"%d" % number for number in range(20)], {}, concurrent)
        running.post(url, [b"again"], {})
    assert sorted(got) == sorted([b"%d" % number for number in range(20)] + [b"again"])


@pytest.mark.parametrize("status", [207, 400, 429, 500, 503])
def test_an_answer_that_is_no_full_success_ends_the_run(status: int) -> None:
    with (
        _server([202, status]) as (url, _),
        poster() as running,
        pytest.raises(UnexpectedAnswer, match=str(status)),
    ):
        running.post(url, [b"1", b"2", b"3"], {})
