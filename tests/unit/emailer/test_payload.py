"""What SendGrid is sent, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.emailer import payload
from functions.emailer.attachments import File
from shared.errors import Rejected
from shared.sending import Busy, Message

NOW = 1_800_000_000_000


def _payload(*files: File, **fields: Any) -> dict[str, Any]:
    mail = {"to": ["a@x.de"], "subject": "S", "text": "T", **fields}
    return payload.payload(Message("farm", "m1", 1, mail), "Fulcrum <f@x.de>", files)


def test_a_mail_says_whose_and_which_it_is_and_follows_nobody() -> None:
    made = _payload()
    assert made["custom_args"] == {"fulcrumProject": "farm", "fulcrumMessage": "m1"}
    assert made["from"] == {"email": "f@x.de", "name": "Fulcrum"}
    assert "attachments" not in made
    assert made["tracking_settings"] == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
    }


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("a@x.de", {"email": "a@x.de"}),
        ("<a@x.de>", {"email": "a@x.de"}),
        ("Ada <a@x.de>", {"email": "a@x.de", "name": "Ada"}),
        ('"Lovelace, Ada; Dr." <a@x.de>', {"email": "a@x.de", "name": "Lovelace Ada Dr."}),
        ("Åse Øy <a@x.de>", {"email": "a@x.de", "name": "Åse Øy"}),
    ],
)
def test_an_address_may_have_a_name(text: str, person: dict[str, str]) -> None:
    made = _payload(to=[text], **{"from": text})
    assert made["personalizations"] == [{"to": [person]}]
    assert made["from"] == person


def test_texts_stand_in_the_order_that_is_asked_for_and_none_is_empty() -> None:
    made = _payload(html="<p>H</p>", text="")
    assert made["content"] == [{"type": "text/html", "value": "<p>H</p>"}]
    kinds = [each["type"] for each in _payload(html="<p>H</p>")["content"]]
    assert kinds == ["text/plain", "text/html"]


def test_files_go_with_it() -> None:
    made = _payload(File("a.csv", "text/csv", "YQ=="))
    assert made["attachments"] == [
        {"content": "YQ==", "type": "text/csv", "filename": "a.csv", "disposition": "attachment"}
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415])
def test_a_refusal_is_for_good(status: int) -> None:
    found = payload.refusal(status, b"", {}, NOW)
    assert isinstance(found, Rejected)
    assert (found.error_type, found.message) == (f"sendgrid.{status}", f"SendGrid answers {status}")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_others_may_pass(status: int) -> None:
    found = payload.refusal(status, b"<html>", {}, NOW)
    assert isinstance(found, Busy)
    assert (found.code, found.wait_ms) == (f"sendgrid.{status}", None)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-RateLimit-Reset": str(NOW // 1000 + 45)}, 45_000),
        ({"X-RateLimit-Reset": str(NOW // 1000 - 45)}, 0),
        ({"Retry-After": "7"}, 7_000),
        ({"X-RateLimit-Reset": "soon", "Retry-After": "Mon, 30 Nov 2026 02:00:00 GMT"}, None),
        ({"X-RateLimit-Reset": "²", "Retry-After": "²"}, None),
    ],
)
def test_too_many_requests_say_how_long_to_wait(headers: dict[str, str], wait: int | None) -> None:
    found = payload.refusal(429, b"", headers, NOW)
    assert isinstance(found, Busy)
    assert found.wait_ms == wait


def test_what_sendgrid_says_is_kept_without_addresses() -> None:
    said = [
        {"message": "we found [ada+1@example.com] twice", "field": "personalizations.0", "help": None},
        {"message": "Bad Request", "field": None},
    ]
    found = payload.refusal(400, json.dumps({"errors": said}).encode(), {}, NOW)
    assert str(found) == "personalizations.0: we found […] twice; Bad Request"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"errors": {}}', b'{"errors": [1]}', b'{"errors": [{}]}', b"\xff", b"[" * 100_000],
    ids=["none", "list", "object", "errors", "number", "empty", "bytes", "deep"],
)
def test_an_answer_that_says_nothing_is_no_failure_of_ours(body: bytes) -> None:
    assert str(payload.refusal(503, body, {}, NOW)) == "SendGrid answers 503"
