"""Mail that goes out by SendGrid's own library, as it is: what it says, once, and what refusals come to."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from typing import Any

import pytest

from functions.api.callbacks import mail_events
from functions.api.callbacks.mail_events import Event
from functions.emailer import provider
from shared import send_reports, send_requests
from shared.config import settings
from tests.integration.emailer.conftest import KEY, Emailer

MAIL = {
    "type": "emailMsg",
    "id": "effect-1",
    "to": ["Ada; Lovelace <ada@example.com>"],
    "cc": "c@example.com",
    "bcc": ["b@example.com", "ADA@example.com"],
    "subject": "Too warm",
    "text": "It has 9 °C",
    "html": "<p>It has 9 °C</p>",
}
TEMPLATE = {
    "alias": "tooWarm",
    "email": {
        "subject": "{{ name }} is too warm",
        "html": "<b>{{ name }}</b> has {{ t }} °C",
        "text": "{{ name }} has {{ t }} °C",
    },
}


async def test_a_mail_goes_out_as_it_was_asked_for(emailer: Emailer) -> None:
    assert await emailer.deliver(MAIL) == 204
    (sent,) = emailer.sent()
    assert sent["personalizations"] == [
        {
            "to": [{"email": "ada@example.com", "name": "Ada Lovelace"}],
            "cc": [{"email": "c@example.com"}],
            "bcc": [{"email": "b@example.com"}],
        }
    ]
    assert sent["from"] == {"email": "alerts@farm.example", "name": "Fulcrum"}
    assert [(one["type"], one["value"]) for one in sent["content"]] == [
        ("text/plain", MAIL["text"]),
        ("text/html", MAIL["html"]),
    ]
    assert sent["tracking_settings"]["click_tracking"]["enable"] is False
    (kept,) = await emailer.outbox()
    assert (kept["state"], kept["attempt"], kept["subject"]) == ("sent", 1, "Too warm")
    assert kept["providerId"]
    assert sent["custom_args"]["fulcrumMessage"] == kept["id"]
    assert emailer.stack.topics.published == []


async def test_a_mail_is_filled_from_its_template(emailer: Emailer) -> None:
    await emailer.put_template("T1", **TEMPLATE)
    mail = {
        "type": "emailMsg",
        "blindTo": ["a@x.de", "b@x.de"],
        "templateId": "T1",
        "context": {"name": "R&D", "t": 9.5},
    }
    assert await emailer.deliver(mail) == 204
    sent = emailer.sent()
    assert sorted(each["personalizations"][0]["to"][0]["email"] for each in sent) == ["a@x.de", "b@x.de"]
    for each in sent:
        assert each["subject"] == "R&D is too warm"
        assert [one["value"] for one in each["content"]] == ["R&D has 9.5 °C", "<b>R&amp;D</b> has 9.5 °C"]
    assert {kept["html"] for kept in await emailer.outbox()} == {"<b>R&amp;D</b> has 9.5 °C"}


async def test_twenty_deliveries_at_once_are_one_request(emailer: Emailer) -> None:
    emailer.faults({"method": "MailSend", "latency_ms": 300})
    statuses = await asyncio.gather(*(emailer.deliver(MAIL, message_id=f"m{n}") for n in range(20)))
    assert 204 in statuses
    assert set(statuses) <= {204, 500}
    while 500 in statuses:
        statuses = [await emailer.deliver(MAIL)]
    assert (emailer.calls(), len(emailer.sent()), len(await emailer.outbox())) == (1, 1, 1)


@pytest.mark.parametrize(
    ("code", "status"),
    [("INVALID_ARGUMENT", 400), ("UNAUTHENTICATED", 401), ("PERMISSION_DENIED", 403), ("OUT_OF_RANGE", 413)],
)
async def test_a_refusal_for_good_is_set_aside_and_can_be_sent_again(
    emailer: Emailer, code: str, status: int
) -> None:
    emailer.faults({"method": "MailSend", "error_rate": 1, "code": code})
    assert await emailer.deliver(MAIL) == 204
    (kept,) = await emailer.outbox()
    assert (kept["state"], kept["error"]["code"]) == ("failed", f"sendgrid.{status}")
    ((_, data, attributes),) = emailer.stack.topics.published
    assert attributes["errorType"] == f"sendgrid.{status}"
    assert emailer.stack.tasks() == []
    assert await emailer.deliver(MAIL) == 204
    assert emailer.calls() == 1
    emailer.faults()
    assert await emailer.deliver(json.loads(data), message_id="again") == 204
    (sent,) = emailer.sent()
    assert sent["personalizations"][0]["to"] == [{"email": "ada@example.com", "name": "Ada Lovelace"}]


@pytest.mark.parametrize(
    ("code", "status"), [("INTERNAL", 500), ("UNAVAILABLE", 503), ("DEADLINE_EXCEEDED", 504)]
)
async def test_what_fails_for_now_is_tried_thrice_with_pauses(
    emailer: Emailer, code: str, status: int
) -> None:
    emailer.faults({"method": "MailSend", "error_rate": 1, "code": code})
    assert await emailer.deliver(MAIL) == 204
    ((_, seconds),) = emailer.stack.tasks()
    assert 20 < seconds <= 30
    assert (await emailer.outbox())[0]["state"] == "waiting"
    assert await emailer.resume() == 204
    assert await emailer.resume() == 204
    assert emailer.calls() == 3
    (kept,) = await emailer.outbox()
    assert (kept["state"], kept["attempt"], kept["error"]["code"]) == ("failed", 3, f"sendgrid.{status}")
    assert [each[2]["errorType"] for each in emailer.stack.topics.published] == [f"sendgrid.{status}"]


async def test_a_mail_that_fails_once_goes_out_at_the_second_try(emailer: Emailer) -> None:
    emailer.faults({"method": "MailSend", "error_rate": 1, "code": "UNAVAILABLE"})
    assert await emailer.deliver(MAIL) == 204
    emailer.faults()
    assert await emailer.resume() == 204
    assert await emailer.deliver(MAIL) == 204
    (kept,) = await emailer.outbox()
    assert (kept["state"], kept["attempt"], "error" in kept) == ("sent", 2, False)
    assert len(emailer.sent()) == 1


async def test_too_many_requests_wait_as_long_as_sendgrid_asks(emailer: Emailer) -> None:
    emailer.faults({"method": "MailSend", "error_rate": 1, "code": "RESOURCE_EXHAUSTED"})
    assert await emailer.deliver(MAIL) == 204
    ((_, seconds),) = emailer.stack.tasks()
    # The stand-in counts by the minute.
    assert 20 < seconds <= 61
    (kept,) = await emailer.outbox()
    assert kept["error"] == {"code": "sendgrid.429", "text": "too many requests"}


async def test_an_answer_that_is_lost_has_the_mail_sent_again(emailer: Emailer) -> None:
    emailer.faults({"method": "MailSend", "drop_answer_rate": 1})
    assert await emailer.deliver(MAIL) == 204
    assert (await emailer.outbox())[0]["error"]["code"] == "sendgrid.noAnswer"
    emailer.faults()
    assert await emailer.resume() == 204
    assert [(await emailer.outbox())[0]["state"], len(emailer.sent())] == ["sent", 2]


async def test_an_event_of_a_mail_whose_answer_was_lost_keeps_it_from_going_out_again(
    emailer: Emailer,
) -> None:
    emailer.faults({"method": "MailSend", "drop_answer_rate": 1})
    assert await emailer.deliver(MAIL) == 204
    emailer.faults()
    (waiting,) = await emailer.outbox()
    event = Event(event="processed", email="ada@example.com", sg_message_id="X1.filter")
    told = await send_reports.change(
        emailer.project, waiting["id"], lambda fields, now: mail_events.decide(fields, [event], now)
    )
    assert told == "stored"
    assert await emailer.resume() == 204
    (kept,) = await emailer.outbox()
    assert (kept["state"], kept["providerId"], kept["attempt"]) == ("sent", "X1", 1)
    assert emailer.calls() == 1


async def test_an_answer_that_does_not_come_is_not_waited_for(
    emailer: Emailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "SECONDS", 0.3)
    emailer.faults({"method": "MailSend", "latency_ms": 3_000})
    assert await emailer.deliver(MAIL) == 204
    (kept,) = await emailer.outbox()
    assert (kept["state"], kept["error"]["code"]) == ("waiting", "sendgrid.noAnswer")
    assert "TimeoutError" in kept["error"]["text"]


async def test_where_nobody_listens_the_mail_waits(emailer: Emailer, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        # Bound, and not listening.
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("FULCRUM_SENDGRID_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        settings.cache_clear()
        assert await emailer.deliver(MAIL) == 204
    (kept,) = await emailer.outbox()
    assert (kept["state"], kept["error"]["code"]) == ("waiting", "sendgrid.unreachable")
    monkeypatch.setenv("FULCRUM_SENDGRID_ENDPOINT", emailer.sendgrid.http)
    settings.cache_clear()
    assert await emailer.resume() == 204
    assert len(emailer.sent()) == 1


async def test_of_an_array_each_mail_comes_to_its_own_end(emailer: Emailer) -> None:
    await emailer.put_template("T1", **TEMPLATE)
    bad: list[dict[str, Any]] = [
        {**MAIL, "id": "e2", "to": "nobody"},
        {"type": "emailMsg", "id": "e3", "to": "a@x.de", "template": "tooWarm", "context": {"name": "a"}},
        {"type": "emailMsg", "id": "e4", "to": "a@x.de", "template": "unknown"},
    ]
    good = {**MAIL, "id": "e5", "template": "unknown"}
    assert await emailer.deliver(*bad, MAIL, good) == 204
    assert [(data["errorType"], data["index"]) for _, _, data in emailer.stack.topics.published] == [
        ("email.address", "0"),
        ("template.invalid", "1"),
        ("template.unknown", "2"),
    ]
    assert len(emailer.sent()) == 2
    assert {kept["state"] for kept in await emailer.outbox()} == {"sent"}


async def test_mails_that_there_was_no_time_for_go_out_when_they_come_again(
    emailer: Emailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = {**MAIL, "to": None, "cc": None, "bcc": None, "blindTo": [f"u{n}@example.com" for n in range(6)]}
    monkeypatch.setattr(send_requests, "SECONDS", 0.2)
    emailer.faults({"method": "MailSend", "latency_ms": 500})
    assert await emailer.deliver(mail) == 500
    # Four at a time.
    assert len(emailer.sent()) == 4
    assert await emailer.deliver(mail) == 204
    assert len({str(sent["personalizations"]) for sent in emailer.sent()}) == len(emailer.sent()) == 6


async def test_a_template_that_failed_is_sent_when_it_is_mended_and_delivered_again(emailer: Emailer) -> None:
    await emailer.put_template("T1", **TEMPLATE)
    mail = {"type": "emailMsg", "id": "e1", "to": "a@x.de", "template": "tooWarm", "context": {"name": "a"}}
    assert await emailer.deliver(mail) == 204
    ((_, data, attributes),) = emailer.stack.topics.published
    assert attributes["errorType"] == "template.invalid"
    assert "line 1: the context has no 't'" in attributes["message"]
    await emailer.put_template("T1", alias="tooWarm", email={"subject": "{{ name }}", "text": "warm"})
    assert await emailer.deliver(json.loads(data)) == 204
    assert [sent["subject"] for sent in emailer.sent()] == ["a"]


async def test_without_a_key_or_a_sender_mail_is_kept(
    emailer: Emailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FULCRUM_SENDGRID_API_KEY", "FULCRUM_MAIL_FROM"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "")
            settings.cache_clear()
            assert await emailer.deliver({**MAIL, "id": name}) == 204
    assert [kept["state"] for kept in await emailer.outbox()] == ["kept", "kept"]
    assert emailer.calls() == 0


async def test_a_store_that_fails_has_the_delivery_come_again(emailer: Emailer) -> None:
    store = emailer.stack.emulators.firestore
    emailer.stack.faults(store, {"method": "BatchWrite", "error_rate": 1, "code": "UNAVAILABLE"})
    assert await emailer.deliver(MAIL) == 500
    emailer.stack.faults(store)
    assert emailer.calls() == 0
    assert await emailer.deliver(MAIL) == 204
    assert len(emailer.sent()) == 1


async def test_neither_key_nor_addresses_nor_contents_are_logged(
    emailer: Emailer, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for number, code in enumerate(["UNAUTHENTICATED", "UNAVAILABLE", "INVALID_ARGUMENT", None]):
        emailer.faults(*([{"method": "MailSend", "error_rate": 1, "code": code}] if code else []))
        assert await emailer.deliver({**MAIL, "id": str(number), "text": "token=3VtQz8"}) == 204
    assert len(emailer.sent()) == 1
    printed = capfd.readouterr()
    said = [printed.out, printed.err, caplog.text, str([each[2] for each in emailer.stack.topics.published])]
    assert "sendgrid.401" in said[1]
    for secret in (KEY, "3VtQz8", "ada@example.com"):
        assert all(secret not in text for text in said)
    assert all(KEY not in str(kept) for kept in await emailer.outbox())
