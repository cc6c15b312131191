"""What Twilio answers, told apart; by its own library against a server that answers as it is told."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest

from functions.messenger import by_twilio
from shared.config import settings
from shared.errors import Rejected
from shared.sending import Busy, Message

ACCOUNT, TOKEN = "AC" + "1" * 32, "0123456789abcdef"
SERVICE = "MG" + "a" * 32


class Answer(NamedTuple):
    """What the server answers."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


class Server:
    """Answers ``answer``; without one it takes the message, its id its text, after some ms."""

    def __init__(self) -> None:
        self.came: list[dict[str, str]] = []
        self.answer: Answer | None = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(text).items()}
                server.came.append(form)
                time.sleep(random.uniform(0, 0.05))
                answer = server.answer or Answer(201, {"sid": form["Body"]})
                body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *given: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    for name, value in (
        ("TWILIO_ACCOUNT_SID", ACCOUNT),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_FROM", "+15005550006"),
        ("TWILIO_ENDPOINT", made.url),
    ):
        monkeypatch.setenv(f"FULCRUM_{name}", value)
    # Of another account: the library would take it, were it let.
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    settings.cache_clear()
    yield made
    made.close()


async def _send(text: str = "Hello") -> str:
    provider = by_twilio.provider()
    assert provider is not None
    fields = {"recipients": ["+4791234567"], "message": text}
    return await provider.send(Message("farm", "m 1&2", 1, fields))


async def test_a_message_is_one_request(server: Server) -> None:
    assert await _send() == "Hello"
    assert server.came == [{"To": "+4791234567", "From": "+15005550006", "Body": "Hello"}]


async def test_a_messaging_service_and_an_address_for_reports_go_with_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULCRUM_TWILIO_FROM", SERVICE)
    monkeypatch.setenv("FULCRUM_CALLBACK_URL", "https://fulcrum.example.com/")
    settings.cache_clear()
    await _send()
    callback = "https://fulcrum.example.com/v1/callback/twilio?projectId=farm&messageId=m+1%262"
    sent = {"To": "+4791234567", "MessagingServiceSid": SERVICE, "Body": "Hello", "StatusCallback": callback}
    assert server.came == [sent]


@pytest.mark.parametrize("missing", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"])
def test_without_account_token_or_sender_there_is_no_provider(
    server: Server, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setenv(f"FULCRUM_{missing}", "")
    settings.cache_clear()
    assert by_twilio.provider() is None


async def test_a_name_that_begins_as_the_sid_of_a_service_is_a_name(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULCRUM_TWILIO_FROM", "MG Farms")
    settings.cache_clear()
    await _send()
    assert server.came == [{"To": "+4791234567", "From": "MG Farms", "Body": "Hello"}]


async def test_messages_that_go_at_once_get_each_its_own_id(server: Server) -> None:
    texts = [f"text {number}" for number in range(40)]
    assert await asyncio.gather(*map(_send, texts)) == texts


@pytest.mark.parametrize(
    ("answer", "code", "wait_ms"),
    [
        (
            Answer(429, {"code": 20429, "message": "Too Many Requests"}, (("Retry-After", "120"),)),
            "20429",
            120_000,
        ),
        (Answer(429, {"code": 20429, "message": "Too Many Requests"}), "20429", None),
        (Answer(503, {"code": 20503, "message": "x"}, (("Retry-After", "Mon, 30 Nov 2026"),)), "20503", None),
        (Answer(503, "<html>no Twilio</html>"), "503", None),
        (Answer(500, {}), "500", None),
        (Answer(408, {}), "408", None),
        (Answer(201, "<html>a proxy</html>"), "answer", None),
        (Answer(201, ""), "answer", None),
        (Answer(200, {}), "answer", None),
        (Answer(201, {"sid": None}), "answer", None),
        (Answer(200, ["a proxy"]), "answer", None),
        (Answer(503, ["a proxy"]), "503", None),
    ],
)
async def test_what_may_work_later_is_to_be_tried_again(
    server: Server, answer: Answer, code: str, wait_ms: int | None
) -> None:
    server.answer = answer
    with pytest.raises(Busy) as busy:
        await _send()
    assert (busy.value.code, busy.value.wait_ms) == (f"twilio.{code}", wait_ms)
    assert TOKEN not in str(busy.value)
    assert len(server.came) == 1


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (Answer(400, {"code": 21211, "message": "no number", "status": 400}), "21211", "no number"),
        (Answer(401, {"code": 20003, "message": "Authenticate"}), "20003", "Authenticate"),
        (Answer(403, {"code": 21408, "message": "no region"}), "21408", "no region"),
        (Answer(404, {"code": 20404, "message": "not found"}), "20404", "not found"),
        (Answer(400, "no JSON"), "400", ""),
        (Answer(302, "", (("Location", "http://127.0.0.1:9/"),)), "302", ""),
        (
            Answer(400, {"type": "about:x", "title": "Bad", "status": 400, "code": 30001, "detail": "queue"}),
            "30001",
            "queue",
        ),
    ],
)
async def test_what_never_works_is_refused_with_twilios_code(
    server: Server, answer: Answer, code: str, said: str
) -> None:
    server.answer = answer
    with pytest.raises(Rejected) as refused:
        await _send()
    assert refused.value.error_type == f"twilio.{code}"
    assert said in refused.value.message
    assert TOKEN not in refused.value.message
    assert len(server.came) == 1


async def test_whose_number_is_refused_is_not_said(server: Server) -> None:
    said = "The 'To' number +4791234567 is not valid; 4791234567, error 21211"
    server.answer = Answer(400, {"code": 21211, "message": said, "status": 400})
    with pytest.raises(Rejected) as refused:
        await _send()
    assert "91234567" not in refused.value.message
    assert "The 'To' number … is not valid; …, error 21211" in refused.value.message


async def test_when_nobody_listens_it_is_to_be_tried_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULCRUM_TWILIO_ENDPOINT", "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(Busy) as busy:
        await _send()
    assert busy.value.code == "twilio.noAnswer"
