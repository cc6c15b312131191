"""Answers that are not SendGrid's, by its own library against a server that answers as it is told."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functions.emailer import attachments, provider
from local import topology
from shared import send_requests, sending
from shared.config import settings
from shared.sending import Busy, Message

MAIL = Message("farm", "m1", 1, {"to": ["ada@example.com"], "subject": "Too warm", "text": "9 °C"})


@dataclass
class Told:
    """What the server answers to a POST, and what that bore; a GET is always found."""

    status: int = 202
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"X-Message-Id": "X1"})
    authorization: str = ""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            told.authorization = self.headers["Authorization"]
            self._answer(told.status, told.headers, told.body)

        def do_GET(self) -> None:
            self._answer(200, {}, b"<html>welcome</html>")

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *given: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("FULCRUM_SENDGRID_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("FULCRUM_SENDGRID_API_KEY", "SG.key")
    monkeypatch.setenv("FULCRUM_MAIL_FROM", "alerts@farm.example")
    settings.cache_clear()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


async def _send() -> str:
    found = provider.provider()
    assert found is not None
    return await found.send(MAIL)


async def test_what_was_taken_has_sendgrids_id(told: Told) -> None:
    assert await _send() == "X1"


@pytest.mark.parametrize(
    ("status", "headers", "code"),
    [
        (200, {}, "sendgrid.answer"),
        (204, {}, "sendgrid.answer"),
        # The library goes there, and asks for what it finds.
        (302, {"Location": "/login"}, "sendgrid.answer"),
        (503, {}, "sendgrid.503"),
    ],
)
async def test_a_mail_that_something_else_answers_is_tried_again(
    told: Told, status: int, headers: dict[str, str], code: str
) -> None:
    told.status, told.headers = status, headers
    with pytest.raises(Busy) as busy:
        await _send()
    assert busy.value.code == code


@pytest.mark.parametrize("key", ["SG.a\nX: secret", "SG.\u20ac-secret"])
async def test_what_no_key_holds_is_not_told_on(
    told: Told, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("FULCRUM_SENDGRID_API_KEY", key)
    settings.cache_clear()
    with pytest.raises(Busy) as busy:
        await _send()
    assert busy.value.code == "sendgrid.settings"
    assert "secret" not in "".join(traceback.format_exception(busy.value))


async def test_a_line_break_behind_the_key_is_no_part_of_it(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULCRUM_SENDGRID_API_KEY", "SG.key\n")
    settings.cache_clear()
    assert await _send() == "X1"
    assert told.authorization == "Bearer SG.key"


def test_a_mail_that_is_begun_comes_to_its_end_before_its_lease_and_the_function_do() -> None:
    mail = attachments.TURN_SECONDS + attachments.SECONDS + provider.SECONDS
    assert mail < sending.LEASE_MS / 1000
    for name in ("emailer", "messenger"):
        assert send_requests.SECONDS + mail < topology.load().functions[name].timeout_seconds
