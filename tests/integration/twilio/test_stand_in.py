"""The stand-in of Twilio, by Twilio's own library as it is."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from local.processes import python, spawn
from shared import clock
from tests.support.emulators import embedded

ACCOUNT, TOKEN = "AC" + "1" * 32, "0123456789abcdef0123456789abcdef"
FROM, TO = "+15005550006", "+4791234567"
SERVICE = "MG" + "a" * 32


class StandIn:
    """The stand-in, and Twilio's client of it."""

    def __init__(self, url: str, clock_file: Path) -> None:
        self.url = url
        self.clock_file = clock_file
        self.client = self.as_(ACCOUNT, TOKEN)

    def as_(self, account: str, token: str) -> Any:
        """A client of some account."""
        client = Client(account, token, environment={"": ""})
        client.api.base_url = self.url
        return client

    def send(self, **changes: Any) -> Any:
        """A message; whatever is None is left out."""
        asked = {"to": TO, "from_": FROM, "body": "Hello", **changes}
        return self.client.messages.create(
            **{key: value for key, value in asked.items() if value is not None}
        )

    def post(self, path: str, body: Any) -> httpx.Response:
        """A control route."""
        return httpx.post(self.url + path, json=body)

    def outbox(self) -> list[dict[str, Any]]:
        """What was taken."""
        return list(httpx.get(f"{self.url}/outbox").json()["messages"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    clock_file = tmp_path_factory.mktemp("twilio") / "clock"
    clock.create(clock_file)
    env = {"FULCRUM_TWILIO_AUTH_TOKEN": TOKEN, "FULCRUM_CLOCK_FILE": str(clock_file)}
    with embedded("twilio", "--account", ACCOUNT, env=env) as address:
        yield StandIn(address.http, clock_file)


@pytest.fixture
def twilio(running: StandIn) -> StandIn:
    httpx.post(f"{running.url}/reset").raise_for_status()
    return running


class Endpoint:
    """Where reports come: their paths, forms and signatures."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], str]] = []
        came = self.came

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                came.append((self.path, dict(parse_qsl(body)), self.headers["X-Twilio-Signature"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *given: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def wait(self, count: int) -> list[tuple[str, dict[str, str], str]]:
        """So many reports."""
        deadline = time.monotonic() + 20
        while len(self.came) < count:
            assert time.monotonic() < deadline, self.came
            time.sleep(0.02)
        return self.came

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


def test_a_message_is_taken_fetched_and_listed(twilio: StandIn) -> None:
    made = twilio.send()
    assert (made.status, made.to, made.from_, made.body) == ("queued", TO, FROM, "Hello")
    assert (made.account_sid, made.direction, made.num_segments) == (ACCOUNT, "outbound-api", "1")
    assert made.sid.startswith("SM")
    assert len(made.sid) == 34
    assert twilio.client.messages(made.sid).fetch().body == "Hello"
    twilio.send(to="+4791234568", body="Other")
    assert [each.body for each in twilio.client.messages.list()] == ["Other", "Hello"]
    assert [each.body for each in twilio.client.messages.list(to=TO)] == ["Hello"]
    assert [each["body"] for each in twilio.outbox()] == ["Hello", "Other"]


def test_a_list_has_pages(twilio: StandIn) -> None:
    for number in range(5):
        twilio.send(body=str(number))
    found = twilio.client.messages.list(page_size=2)
    assert [each.body for each in found] == ["4", "3", "2", "1", "0"]


def test_a_messaging_service_sends_too(twilio: StandIn) -> None:
    made = twilio.send(from_=None, messaging_service_sid=SERVICE)
    assert (made.status, made.messaging_service_sid, made.from_) == ("accepted", SERVICE, None)


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("🔥" * 36, 2),
    ],
)
def test_a_text_is_cut_as_it_goes_over_the_air(twilio: StandIn, body: str, segments: int) -> None:
    assert twilio.send(body=body).num_segments == str(segments)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"to": ""}, 400, 21604),
        ({"from_": None}, 400, 21603),
        ({"body": ""}, 400, 21602),
        ({"body": "x" * 1_601}, 400, 21617),
        ({"to": "91234567"}, 400, 21211),
        ({"to": FROM}, 400, 21266),
        ({"from_": "0123"}, 400, 21212),
        ({"from_": None, "messaging_service_sid": "MG1"}, 400, 21701),
        ({"status_callback": "ftp://x"}, 400, 21609),
        ({"to": "+15005550001"}, 400, 21211),
        ({"to": "+15005550002"}, 400, 21612),
        ({"to": "+15005550003"}, 403, 21408),
        ({"to": "+15005550004"}, 400, 21610),
        ({"to": "+15005550009"}, 400, 21614),
        ({"from_": "+15005550001"}, 400, 21212),
        ({"from_": "+15005550007"}, 400, 21606),
        ({"from_": "+15005550008"}, 429, 21611),
        ({"media_url": ["https://example.com/x.png"]}, 400, 20001),
    ],
)
def test_what_twilio_does_not_take_is_refused_with_its_code(
    twilio: StandIn, changes: dict[str, Any], status: int, code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio.send(**changes)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert refused.value.msg
    assert twilio.outbox() == []


@pytest.mark.parametrize(
    ("account", "token"), [(ACCOUNT, TOKEN + "0"), (ACCOUNT, ""), ("AC" + "2" * 32, TOKEN), ("ü", "ü")]
)
def test_whoever_has_not_the_accounts_token_is_refused(twilio: StandIn, account: str, token: str) -> None:
    answer = httpx.post(
        f"{twilio.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data={"To": TO}, auth=(account, token)
    )
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    assert answer.json()["more_info"] == "https://www.twilio.com/docs/errors/20003"


def test_what_is_of_another_account_or_not_there_is_not_found(twilio: StandIn) -> None:
    with pytest.raises(TwilioRestException) as missing:
        twilio.client.messages("SM" + "0" * 32).fetch()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    for path in ("/2010-04-01/Accounts/AC2/Messages.json", "/2010-04-01/Calls.json"):
        answer = httpx.get(twilio.url + path, auth=(ACCOUNT, TOKEN))
        assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_beyond_its_rate_an_account_is_told_to_wait(twilio: StandIn) -> None:
    assert twilio.post("/limits", {"perSecond": 1}).status_code == 200
    answers = [
        httpx.get(f"{twilio.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", auth=(ACCOUNT, TOKEN))
        for _ in range(20)
    ]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert (refused[0].json()["code"], refused[0].headers["Retry-After"]) == (20429, "1")
    clock.advance(twilio.clock_file, 2)
    assert twilio.send().status == "queued"
    assert twilio.post("/limits", {"perSecond": -1}).status_code == 400


@pytest.mark.parametrize(
    ("code", "status", "number"),
    [
        ("UNAUTHENTICATED", 401, 20003),
        ("PERMISSION_DENIED", 403, 20403),
        ("RESOURCE_EXHAUSTED", 429, 20429),
        ("INTERNAL", 500, 20500),
        ("UNAVAILABLE", 503, 20503),
    ],
)
def test_faults_are_answers_of_twilios(twilio: StandIn, code: str, status: int, number: int) -> None:
    rule = {"method": "CreateMessage", "error_rate": 1.0, "code": code}
    assert twilio.post("/faults", {"rules": [rule]}).status_code == 200
    with pytest.raises(TwilioRestException) as failed:
        twilio.send()
    assert (failed.value.status, failed.value.code) == (status, number)
    assert twilio.outbox() == []
    twilio.post("/faults", {"rules": [{**rule, "error_rate": 0.0, "drop_answer_rate": 1.0}]})
    with pytest.raises(TwilioRestException):
        twilio.send()
    assert len(twilio.outbox()) == 1
    assert httpx.get(f"{twilio.url}/calls").json() == {"CreateMessage": 2}


def test_a_connection_may_break_before_and_after(twilio: StandIn) -> None:
    rule = {"method": "CreateMessage", "code": "ABORTED"}
    for share, taken in (("error_rate", 0), ("drop_answer_rate", 1)):
        twilio.post("/faults", {"rules": [{**rule, share: 1.0}]})
        with pytest.raises(requests.ConnectionError):
            twilio.send()
        assert len(twilio.outbox()) == taken


def test_reports_follow_a_message_signed_as_twilio_signs(twilio: StandIn, endpoint: Endpoint) -> None:
    url = f"{endpoint.url}/reports?of=1&what=sms"
    made = twilio.send(status_callback=url)
    clock.advance(twilio.clock_file, 1)
    came = endpoint.wait(2)
    assert sorted(form["MessageStatus"] for _, form, _ in came) == ["delivered", "sent"]
    for path, form, signature in came:
        assert path == "/reports?of=1&what=sms"
        assert (form["MessageSid"], form["To"], form["AccountSid"]) == (made.sid, TO, ACCOUNT)
        assert "ErrorCode" not in form
        assert RequestValidator(TOKEN).validate(url, form, signature)
        assert not RequestValidator(TOKEN).validate(url, form | {"To": "+1"}, signature)
    fetched = twilio.client.messages(made.sid).fetch()
    assert (fetched.status, fetched.date_sent is not None) == ("delivered", True)


def test_a_test_decides_what_becomes_of_messages_to_a_number(twilio: StandIn, endpoint: Endpoint) -> None:
    assert twilio.post("/fates", {"to": TO, "status": "undelivered", "errorCode": 30003}).status_code == 200
    made = twilio.send(status_callback=endpoint.url)
    clock.advance(twilio.clock_file, 1)
    ends = [form for _, form, _ in endpoint.wait(2) if form["MessageStatus"] == "undelivered"]
    assert [form["ErrorCode"] for form in ends] == ["30003"]
    fetched = twilio.client.messages(made.sid).fetch()
    assert (fetched.status, fetched.error_code) == ("undelivered", 30003)
    wrongs: list[Any] = [{}, {"to": TO, "status": "queued"}, {"to": 5, "status": "failed"}, [], "x"]
    for wrong in wrongs:
        assert twilio.post("/fates", wrong).status_code == 400


def test_a_report_that_nobody_takes_is_lost_and_the_message_goes_on(twilio: StandIn) -> None:
    made = twilio.send(status_callback="http://127.0.0.1:9/")
    clock.advance(twilio.clock_file, 1)
    deadline = time.monotonic() + 20
    while twilio.client.messages(made.sid).fetch().status != "delivered":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_was_taken_outlives_the_process(tmp_path: Path) -> None:
    env = {"FULCRUM_TWILIO_AUTH_TOKEN": TOKEN}
    command = python("-m", "emulators.twilio", "--account", ACCOUNT, "--data", str(tmp_path))
    sids: list[str] = []
    for _ in range(2):
        child = spawn("twilio", command, env)
        try:
            assert child.process.stdout is not None
            ready = json.loads(child.process.stdout.readline())
            one = StandIn(f"http://127.0.0.1:{ready['http']}", tmp_path)
            assert [each["sid"] for each in one.outbox()] == sids
            sids.append(one.send().sid)
        finally:
            child.kill()
    assert len(sids) == 2
