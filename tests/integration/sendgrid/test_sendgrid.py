"""The stand-in of SendGrid, driven by SendGrid's own library as it is."""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_http_client import exceptions
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook
from sendgrid.helpers.mail import Attachment, Bcc, Cc, CustomArg, Mail

from emulators.sendgrid import signing
from tests.support.emulators import Address, embedded

KEY = "SG.key"


class Webhook:
    """Takes what is posted to it, and answers ``statuses`` in turn, then 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((dict(self.headers.items()), body))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.end_headers()

            def log_message(self, *given: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/callback"

    def events(self) -> list[dict[str, Any]]:
        """All events, in the order in which they came."""
        return [event for _, body in list(self.requests) for event in json.loads(body)]

    def wait(self, requests: int) -> None:
        """Until so many requests have come."""
        deadline = time.monotonic() + 20
        while len(self.requests) < requests:
            assert time.monotonic() < deadline, f"{len(self.requests)} requests came"
            time.sleep(0.01)

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    yield made
    made.close()


@pytest.fixture(scope="module")
def started() -> Iterator[Address]:
    with embedded("sendgrid", "--key", KEY, "--sender", "farm.example") as address:
        yield address


@pytest.fixture
def emulator(started: Address) -> Address:
    httpx.post(f"{started.http}/reset").raise_for_status()
    return started


def client(address: Address, key: str = KEY) -> SendGridAPIClient:
    made = SendGridAPIClient(key, host=address.http)
    made.client.timeout = 20
    return made


def mail(to: str = "ada@example.com", **changes: Any) -> Any:
    given = {"from_email": "a@farm.example", "subject": "Hello", "plain_text_content": "Text"}
    return Mail(to_emails=to, **{**given, **changes})


def outbox(address: Address) -> list[dict[str, Any]]:
    found = httpx.get(f"{address.http}/outbox").json()
    assert isinstance(found, list)
    return found


def test_a_mail_with_all_that_it_may_have_is_taken(emulator: Address) -> None:
    sent = mail(html_content="<p>Text</p>")
    sent.add_cc(Cc("c@example.com", "C"))
    sent.add_bcc(Bcc("b@example.com"))
    sent.add_custom_arg(CustomArg("id", "m1"))
    content = base64.b64encode(b"a,b\n").decode()
    sent.add_attachment(Attachment(content, "a.csv", "text/csv", "attachment"))
    answer = client(emulator).send(sent)
    assert answer.status_code == 202
    (kept,) = outbox(emulator)
    assert kept["id"] == answer.headers["X-Message-Id"]
    assert [block["type"] for block in kept["mail"]["content"]] == ["text/plain", "text/html"]
    assert kept["mail"]["personalizations"][0]["cc"] == [{"email": "c@example.com", "name": "C"}]
    assert kept["mail"]["attachments"][0]["filename"] == "a.csv"


def _errors(caught: pytest.ExceptionInfo[Any]) -> list[dict[str, Any]]:
    return list(caught.value.to_dict["errors"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"cc": [{"email": "a@x.de"}]}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "nobody"}]}]}, "personalizations.0.to.0.email"),
        (
            {"personalizations": [{"to": [{"email": "a@x.de"}], "cc": [{"email": "A@x.de"}]}]},
            "personalizations.0",
        ),
        ({"personalizations": [{"to": [{"email": f"a{n}@x.de"} for n in range(1001)]}]}, "personalizations"),
        ({"from": {}}, "from.email"),
        ({"from": {"email": "nobody"}}, "from.email"),
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        (
            {"content": [{"type": "text/html", "value": "a"}, {"type": "text/plain", "value": "b"}]},
            "content",
        ),
        ({"attachments": [{"filename": "a"}]}, "attachments.0.content"),
        ({"attachments": [{"filename": "a", "content": "no base64"}]}, "attachments.0.content"),
        ({"attachments": [{"content": "YQ=="}]}, "attachments.0.filename"),
        ({"attachments": [{"filename": "a", "content": "YQ==", "type": "a/b; c"}]}, "attachments.0.type"),
        ({"custom_args": {"a": 1}}, "custom_args"),
        ({"custom_args": {"a": "x" * 10_000}}, "custom_args"),
    ],
)
def test_what_is_wrong_with_a_mail_is_said_with_its_field(
    emulator: Address, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(exceptions.BadRequestsError) as caught:
        client(emulator).send({**mail().get(), **change})
    assert [error["field"] for error in _errors(caught)] == [field]
    assert outbox(emulator) == []


def test_each_refusal_is_the_exception_that_the_library_has_for_it(emulator: Address) -> None:
    with pytest.raises(exceptions.UnauthorizedError) as caught:
        client(emulator, "SG.other").send(mail())
    assert _errors(caught)[0]["message"].startswith("The provided authorization grant is invalid")
    with pytest.raises(exceptions.ForbiddenError) as caught:
        client(emulator).send(mail(from_email="a@elsewhere.example"))
    assert _errors(caught)[0]["field"] == "from"
    large = {**mail().get(), "content": [{"type": "text/plain", "value": "x" * 30_000_001}]}
    with pytest.raises(exceptions.PayloadTooLargeError):
        client(emulator).send(large)
    with pytest.raises(exceptions.HTTPError) as caught:
        client(emulator).send({**mail().get(), "template_id": "d-1"})
    assert (caught.value.status_code, "template_id" in _errors(caught)[0]["message"]) == (501, True)
    with pytest.raises(exceptions.HTTPError) as caught:
        client(emulator).client.templates.get()
    assert caught.value.status_code == 501
    assert outbox(emulator) == []


def test_requests_a_minute_are_limited(tmp_path: Path) -> None:
    with embedded("sendgrid", "--rate", "2") as address:
        for _ in range(2):
            client(address).send(mail())
        with pytest.raises(exceptions.TooManyRequestsError) as caught:
            client(address).send(mail())
        headers = caught.value.headers
        assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("2", "0")
        assert 0 <= int(headers["X-RateLimit-Reset"]) - time.time() <= 61


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("INVALID_ARGUMENT", exceptions.BadRequestsError),
        ("UNAUTHENTICATED", exceptions.UnauthorizedError),
        ("PERMISSION_DENIED", exceptions.ForbiddenError),
        ("OUT_OF_RANGE", exceptions.PayloadTooLargeError),
        ("RESOURCE_EXHAUSTED", exceptions.TooManyRequestsError),
        ("INTERNAL", exceptions.InternalServerError),
        ("UNAVAILABLE", exceptions.ServiceUnavailableError),
        ("DEADLINE_EXCEEDED", exceptions.GatewayTimeoutError),
    ],
)
def test_a_fault_shows_as_the_service_shows_it(emulator: Address, code: str, kind: type[Exception]) -> None:
    rules = {"rules": [{"method": "MailSend", "error_rate": 1, "code": code}]}
    httpx.post(f"{emulator.http}/faults", json=rules).raise_for_status()
    with pytest.raises(kind):
        client(emulator).send(mail())
    httpx.delete(f"{emulator.http}/faults").raise_for_status()
    assert client(emulator).send(mail()).status_code == 202


def test_an_answer_may_be_lost_behind_the_work(emulator: Address) -> None:
    rules = {"rules": [{"method": "MailSend", "drop_answer_rate": 1}]}
    httpx.post(f"{emulator.http}/faults", json=rules).raise_for_status()
    with pytest.raises(OSError, match=r"closed|reset"):
        client(emulator).send(mail())
    assert len(outbox(emulator)) == 1


def test_events_are_signed_and_verified_by_the_library(webhook: Webhook) -> None:
    with embedded("sendgrid", "--key", KEY, "--callback", webhook.url) as address:
        outcomes = {"b@example.com": "bounce", "d@example.com": "deferred"}
        httpx.post(f"{address.http}/outcomes", json=outcomes).raise_for_status()
        for to in ("ada@example.com", "b@example.com", "b@example.com", "d@example.com"):
            client(address).send({**mail(to).get(), "custom_args": {"id": to[0]}})
        webhook.wait(4)
        ids = {kept["id"] for kept in outbox(address)}
    told = [(event["id"], event["event"]) for event in webhook.events()]
    assert sorted(told) == sorted(
        [
            *(("a", "processed"), ("a", "delivered"), ("b", "processed"), ("b", "bounce"), ("b", "dropped")),
            *(("d", "processed"), ("d", "deferred"), ("d", "delivered")),
        ]
    )
    assert {event["sg_message_id"].partition(".")[0] for event in webhook.events()} == ids
    verifier = EventWebhook(signing.public_key(KEY))
    for headers, body in webhook.requests:
        signature, timestamp = headers[signing.SIGNATURE], headers[signing.TIMESTAMP]
        assert verifier.verify_signature(body.decode(), signature, timestamp)
        assert not verifier.verify_signature(body.decode() + " ", signature, timestamp)
        assert not EventWebhook(signing.public_key("other")).verify_signature(
            body.decode(), signature, timestamp
        )


def test_events_come_again_until_they_are_taken_and_outlive_the_process(
    webhook: Webhook, tmp_path: Path
) -> None:
    webhook.statuses = [500]
    options = ("--key", KEY, "--callback", webhook.url, "--data", str(tmp_path))
    with embedded("sendgrid", *options) as address:
        client(address).send(mail())
        webhook.wait(1)
    with embedded("sendgrid", *options) as address:
        webhook.wait(2)
        assert webhook.requests[0][1] == webhook.requests[1][1]
        assert len(outbox(address)) == 1
        httpx.post(f"{address.http}/reset").raise_for_status()
        assert outbox(address) == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"12", b"[" * 100_000], ids=["empty", "cut", "list", "number", "deep"]
)
def test_what_is_no_mail_is_a_bad_request(emulator: Address, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    answer = httpx.post(f"{emulator.http}/v3/mail/send", content=body, headers=headers)
    assert (answer.status_code, list(answer.json())) == (400, ["errors"])
    assert httpx.post(f"{emulator.http}/outcomes", content=body).status_code == 400
