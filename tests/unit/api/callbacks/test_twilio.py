"""Reports of text messages: signed by Twilio, put into the outbox, and only ever forward."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from twilio.request_validator import RequestValidator

from fulcrum.core import ids
from shared.config import settings
from tests.support.api import Api

TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC = "https://fulcrum.example.com"
FORM = {
    "MessageSid": "SM1",
    "MessageStatus": "delivered",
    "AccountSid": "AC1",
    "To": "+4791234567",
    "Note": "",
}


class Reports:
    """A message in the outbox, and what is told of it."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.project = ids.new_id()
        self.document = api.documents.document(f"projects/{self.project}/outbox/m1")
        self.document.set({"kind": "sms", "state": "sent", "attempt": 1, "providerId": "SM1"})

    @property
    def stored(self) -> dict[str, Any]:
        """The message's fields."""
        return dict(self.document.get().to_dict())

    async def tell(
        self,
        token: str = TOKEN,
        url: str = PUBLIC,
        message_id: str = "m1",
        host: str = "api",
        **changes: str,
    ) -> httpx.Response:
        """A report, signed for ``url`` by Twilio's own library."""
        form = {**FORM, **changes}
        path = f"/v1/callback/twilio?projectId={self.project}&messageId={message_id}"
        signed = RequestValidator(token).compute_signature(url + path, form)
        return await self.post(path, urlencode(form).encode(), signed, host)

    async def post(self, path: str, body: bytes, signed: str, host: str = "api") -> httpx.Response:
        """A request."""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signed,
            "Host": host,
        }
        async with self.api.client() as client:
            return await client.post(path, content=body, headers=headers)


def _faults(api: Api, *rules: dict[str, Any]) -> None:
    httpx.post(f"{api.address.http}/faults", json={"rules": list(rules)}).raise_for_status()


@pytest.fixture
def reports(api: Api, monkeypatch: pytest.MonkeyPatch) -> Reports:
    monkeypatch.setenv("FULCRUM_TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("FULCRUM_PUBLIC_URL", f"{PUBLIC}/")
    settings.cache_clear()
    return Reports(api)


async def test_a_report_that_twilio_signed_is_stored(reports: Reports) -> None:
    answer = await reports.tell()
    assert (answer.status_code, answer.content) == (204, b"")
    assert reports.stored["state"] == "delivered"
    assert "error" not in reports.stored
    assert "reportTime" in reports.stored


async def test_why_a_message_did_not_arrive_is_stored(reports: Reports) -> None:
    await reports.tell(MessageStatus="undelivered", ErrorCode="30003", ErrorMessage="Unreachable «handset»")
    assert reports.stored["state"] == "undelivered"
    assert reports.stored["error"] == {"code": "twilio.30003", "text": "Unreachable «handset»"}


@pytest.mark.parametrize(
    ("reported", "state"),
    [
        (("sent", "delivered"), "delivered"),
        (("delivered", "sent"), "delivered"),
        (("delivered", "undelivered"), "delivered"),
        (("undelivered", "delivered"), "undelivered"),
        (("failed", "sent", "delivered"), "failed"),
        (("canceled",), "failed"),
        (("read",), "delivered"),
        (("queued", "accepted", "sending", "scheduled"), "sent"),
        (("anything else",), "sent"),
        (("delivered",) * 3, "delivered"),
    ],
)
async def test_a_message_only_goes_forward(reports: Reports, reported: tuple[str, ...], state: str) -> None:
    for each in reported:
        assert (await reports.tell(MessageStatus=each)).status_code == 204
    assert reports.stored["state"] == state


@pytest.mark.parametrize("before", ["sending", "waiting"])
async def test_a_report_that_comes_before_the_answer_says_that_the_message_is_out(
    reports: Reports, before: str
) -> None:
    reports.document.set({"kind": "sms", "state": before, "attempt": 1})
    await reports.tell(MessageStatus="sent")
    assert (reports.stored["state"], reports.stored["providerId"]) == ("sent", "SM1")


@pytest.mark.parametrize("before", ["waiting", "failed"])
async def test_a_report_of_a_try_whose_answer_was_lost_counts_more_than_its_loss(
    reports: Reports, before: str
) -> None:
    lost = {"code": "twilio.noAnswer", "text": "no answer"}
    reports.document.set({"kind": "sms", "state": before, "attempt": 3, "error": lost})
    for status in ("sent", "delivered", "sent"):
        assert (await reports.tell(MessageStatus=status)).status_code == 204
    assert (reports.stored["state"], reports.stored["providerId"]) == ("delivered", "SM1")
    assert "error" not in reports.stored


async def test_a_message_that_twilio_says_has_failed_stays_so(reports: Reports) -> None:
    reports.document.set({"kind": "sms", "state": "failed", "attempt": 1, "providerId": "SM1"})
    assert (await reports.tell()).status_code == 204
    assert reports.stored["state"] == "failed"


@pytest.mark.parametrize("before", ["kept", "limited"])
async def test_a_report_of_what_was_never_sent_changes_nothing(reports: Reports, before: str) -> None:
    fields = {"kind": "sms", "state": before, "attempt": 1}
    reports.document.set(fields)
    assert (await reports.tell()).status_code == 204
    assert reports.stored == fields


async def test_a_report_of_another_try_changes_nothing(reports: Reports) -> None:
    assert (await reports.tell(MessageSid="SM2", MessageStatus="failed")).status_code == 204
    assert reports.stored["state"] == "sent"


async def test_a_report_of_no_message_is_taken_and_makes_none(reports: Reports) -> None:
    for message_id in ("m2", "", "a%2Fb"):
        assert (await reports.tell(message_id=message_id)).status_code == 204
    assert [found.id for found in reports.document.parent.list_documents()] == ["m1"]
    assert reports.stored["state"] == "sent"


@pytest.mark.parametrize(
    "changes",
    [
        {"token": TOKEN[:-1] + "0"},
        {"token": ""},
        {"url": "https://other.example.com"},
        {"url": "http://fulcrum.example.com"},
        {"url": "https://fulcrum.example.com/x"},
    ],
)
async def test_what_is_signed_otherwise_is_refused(reports: Reports, changes: dict[str, str]) -> None:
    answer = await reports.tell(**changes)
    assert (answer.status_code, answer.json()["error"]) == (403, "callback.signature")
    assert reports.stored["state"] == "sent"


async def test_a_signature_is_of_all_that_the_request_says(reports: Reports) -> None:
    path = f"/v1/callback/twilio?projectId={reports.project}&messageId=m1"
    signed = RequestValidator(TOKEN).compute_signature(PUBLIC + path, FORM)
    form = urlencode(FORM)
    others: list[tuple[str, str, str | None]] = [
        (f"{path}&x=1", form, signed),
        (path.replace("m1", "m2"), form, signed),
        (path, form.replace("SM1", "SM2"), signed),
        (path, f"{form}&MessageStatus=failed", signed),
        (path, form, None),
        (path, form, ""),
        (path, form, "ü"),
    ]
    for other in others:
        headers = [] if other[2] is None else [(b"X-Twilio-Signature", other[2].encode())]
        async with reports.api.client() as client:
            answer = await client.post(other[0], content=other[1].encode(), headers=headers)
        assert answer.status_code == 403, other
    assert reports.stored["state"] == "sent"


async def test_without_a_secret_nothing_is_signed_well(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FULCRUM_TWILIO_AUTH_TOKEN")
    settings.cache_clear()
    assert (await reports.tell(token="")).status_code == 403


@pytest.mark.parametrize(
    "body", [b"\xff", b"a=%ff", b"&".join(b"a=1" for _ in range(101)), b"a=" + b"x" * 20_000]
)
async def test_what_is_no_form_is_refused(reports: Reports, body: bytes) -> None:
    answer = await reports.post("/v1/callback/twilio", body, "x")
    assert (answer.status_code, answer.json()["error"]) == (400, "callback.form")


async def test_a_store_that_fails_is_told_to_twilio(reports: Reports) -> None:
    _faults(reports.api, {"method": "BatchWrite", "error_rate": 1.0, "code": "UNAVAILABLE"})
    try:
        assert (await reports.tell()).status_code == 503
    finally:
        _faults(reports.api)
    assert reports.stored["state"] == "sent"
    assert (await reports.tell()).status_code == 204
    assert reports.stored["state"] == "delivered"


async def test_on_a_laptop_the_request_says_where_it_went(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FULCRUM_PUBLIC_URL")
    settings.cache_clear()
    assert (await reports.tell(url="http://localhost:8080", host="localhost:8080")).status_code == 204
    assert reports.stored["state"] == "delivered"
