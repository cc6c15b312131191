"""The emailer through its true entry: one mail however often it comes, bad ones set aside, nothing logged."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared import names, template_process
from shared.config import settings
from shared.errors import Transient
from tests.support.processing import Service, push

PROJECT = "farm"
LINK = "https://fulcrum.example/reset-password#token=3VtQz8NvT4cJr9DsYb6pXk2Lw"
MAIL = {
    "type": "emailMsg",
    "to": ["ada@example.com"],
    "subject": "Set a new password",
    "text": f"Open {LINK}",
    "template": "resetPassword",
    "context": {"link": LINK},
}


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    settings.cache_clear()
    made = Service("emailer", monkeypatch, ["quarantine"])
    yield made
    template_process._process.end()
    await made.client.aclose()
    settings.cache_clear()


def _push(data: Any, message_id: str = "m1", project: str | None = PROJECT) -> bytes:
    return push(data, {"projectId": project} if project else {}, message_id)


def _outbox(service: Service, project: str = PROJECT) -> list[dict[str, Any]]:
    prefix = names.project(project) + "/outbox/"
    return [fields for name, fields in service.documents.stored.items() if name.startswith(prefix)]


def _reasons(service: Service) -> list[str]:
    return [attributes["errorType"] for _, _, attributes in service.topics.published]


async def test_a_mail_is_kept_with_what_fills_its_template(service: Service) -> None:
    assert await service.post(_push(MAIL)) == 204
    (kept,) = _outbox(service)
    assert (kept["kind"], kept["to"]) == ("email", ["ada@example.com"])
    assert (kept["subject"], kept["template"]) == ("Set a new password", "resetPassword")
    assert json.loads(kept["context"]) == {"link": LINK}
    assert kept["messageId"] == "m1"
    assert "source" not in kept
    assert await service.post(_push(MAIL | {"id": "effect"}, "m2")) == 204
    assert [(k["source"], k["messageId"]) for k in _outbox(service) if "source" in k] == [("effect", "m2")]
    assert service.topics.published == []


async def test_what_is_confidential_is_marked(service: Service) -> None:
    assert await service.post(_push(MAIL | {"confidential": True})) == 204
    assert await service.post(_push(MAIL | {"id": "other"})) == 204
    assert sorted(kept.get("confidential", False) for kept in _outbox(service)) == [False, True]


async def test_a_redelivery_is_the_same_mail_and_another_message_is_another(service: Service) -> None:
    for message_id in ("m1", "m1", "m2"):
        assert await service.post(_push(MAIL, message_id)) == 204
    assert len(_outbox(service)) == 2


async def test_two_messages_with_one_id_are_one_mail(service: Service) -> None:
    for message_id in ("m1", "m2"):
        assert await service.post(_push(MAIL | {"id": "x1"}, message_id)) == 204
    assert len(_outbox(service)) == 1


async def test_a_mail_that_is_there_already_is_no_failure(service: Service) -> None:
    for code in (6, 9):
        service.documents.codes = [code]
        assert await service.post(_push(MAIL)) == 204


async def test_blind_recipients_get_a_mail_each(service: Service) -> None:
    mail = {key: value for key, value in MAIL.items() if key != "to"} | {"blindTo": ["a@x.de", "b@x.de"]}
    assert await service.post(_push(mail)) == 204
    assert sorted(kept["to"] for kept in _outbox(service)) == [["a@x.de"], ["b@x.de"]]


async def test_who_is_named_twice_is_named_once(service: Service) -> None:
    given = {"to": ["a@x.de", "A@X.de"], "cc": ["Ada <a@x.de>", "c@x.de"], "bcc": ["b@x.de", "c@x.de"]}
    assert await service.post(_push(MAIL | given)) == 204
    (kept,) = _outbox(service)
    assert [kept[key] for key in ("to", "cc", "bcc")] == [["a@x.de"], ["c@x.de"], ["b@x.de"]]


async def test_a_template_of_the_project_counts_and_the_mail_stands_in_for_one_that_is_missing(
    service: Service,
) -> None:
    assert await service.post(_push(MAIL | {"id": "before"})) == 204
    name = names.document("projects", PROJECT, "templates", "T1")
    mine = {"subject": "Hello {{ username }}", "html": "<a href='{{ link }}'>set it</a>"}
    service.documents.stored[name] = {"alias": "resetPassword", "email": mine}
    context = {"username": "ada", "link": "https://x.de/?a=1&b=2"}
    assert await service.post(_push(MAIL | {"id": "after", "context": context})) == 204
    before, after = sorted(_outbox(service), key=lambda kept: kept["source"] == "after")
    assert (before["subject"], "html" in before) == ("Set a new password", False)
    assert (after["subject"], "text" in after) == ("Hello ada", False)
    assert after["html"] == "<a href='https://x.de/?a=1&amp;b=2'>set it</a>"


async def test_what_a_template_comes_to_has_to_fit_into_the_outbox(service: Service) -> None:
    name = names.document("projects", PROJECT, "templates", "T1")
    service.documents.stored[name] = {"alias": "long", "email": {"subject": "a", "text": "{{ x }}{{ x }}"}}
    for length, reasons in ((100_000, []), (190_000, []), (210_000, ["template.invalid"])):
        service.topics.published.clear()
        mail = {"type": "emailMsg", "to": "a@x.de", "template": "long", "context": {"x": "x" * length}}
        assert await service.post(_push(mail, f"m{length}")) == 204
        assert _reasons(service) == reasons
    files = [{"filename": "a", "content": "x" * 500_000, "encoding": "utf-8"}]
    mail = {"type": "emailMsg", "to": "a@x.de", "template": "long", "context": {"x": "x" * 190_000}}
    service.topics.published.clear()
    assert await service.post(_push(mail | {"attachments": files})) == 204
    assert _reasons(service) == ["email.tooLarge"]


async def test_of_an_array_the_bad_ones_are_set_aside_and_the_rest_is_sent(service: Service) -> None:
    bad = {**MAIL, "to": "no address"}
    assert await service.post(_push([bad, MAIL, {"type": "smsMsg"}])) == 204
    assert len(_outbox(service)) == 1
    assert _reasons(service) == ["email.address", "message.undecodable"]
    assert [attributes["index"] for _, _, attributes in service.topics.published] == ["0", "2"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"to": []}, "email.recipients"),
        ({"blindTo": "a@x.de"}, "email.recipients"),
        ({"to": [f"u{n}@x.de" for n in range(51)]}, "email.recipients"),
        ({"to": "a@x.de\r\nBcc: b@x.de"}, "email.address"),
        ({"cc": ["a@b, c@d"]}, "email.address"),
        ({"from": "nobody"}, "email.address"),
        ({"subject": "a\r\nBcc: b@x.de"}, "email.content"),
        ({"subject": "a\x00b"}, "email.content"),
        ({"subject": "a\u2028Bcc: b@x.de"}, "email.content"),
        ({"to": "Ada\x00 <a@x.de>"}, "email.address"),
        ({"from": "Ada\x85Bcc: b <a@x.de>"}, "email.address"),
        ({"subject": "x" * 901}, "email.content"),
        ({"subject": "", "template": None}, "email.content"),
        ({"text": None, "template": None}, "email.content"),
        ({"subject": ""}, "template.unknown"),
        ({"text": None}, "template.unknown"),
        ({"text": 5}, "message.undecodable"),
        ({"attachments": [{"filename": "a"}]}, "email.attachments"),
        ({"attachments": [{"filename": "a", "url": "u", "content": "c"}]}, "email.attachments"),
        ({"attachments": [{"filename": "a", "content": "YQ=="}] * 21}, "email.attachments"),
        ({"attachments": [{"filename": "../a", "content": "YQ=="}]}, "email.attachments"),
        ({"attachments": [{"filename": "a\r\nb", "content": "YQ=="}]}, "email.attachments"),
        ({"attachments": [{"filename": "", "content": "YQ=="}]}, "email.attachments"),
        ({"attachments": [{"filename": "a", "content": "a!"}]}, "email.attachments"),
        ({"attachments": [{"filename": "a", "content": "a", "encoding": "rot13"}]}, "email.attachments"),
        ({"attachments": [{"filename": "a", "content": "YQ==", "contentType": "a"}]}, "email.attachments"),
        ({"attachments": [{"filename": "a", "content": "YQ==", "knownLength": 2}]}, "email.attachments"),
        ({"projectId": "other"}, "email.otherProject"),
        ({"text": "x" * 900_001}, "email.tooLarge"),
    ],
)
async def test_what_is_no_mail_is_set_aside(service: Service, change: dict[str, Any], reason: str) -> None:
    assert await service.post(_push(MAIL | change)) == 204
    assert _reasons(service) == [reason]
    assert _outbox(service) == []


async def test_a_project_that_is_no_id_is_refused_and_none_is_the_platforms(service: Service) -> None:
    assert await service.post(_push(MAIL | {"projectId": "a/b"}, project=None)) == 204
    assert _reasons(service) == ["email.project"]
    assert await service.post(_push(MAIL, project=None)) == 204
    assert len(_outbox(service, names.NO_PROJECT)) == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"no push"])
async def test_what_is_no_push_is_refused(service: Service, body: bytes) -> None:
    assert await service.post(body) == 400


@pytest.mark.parametrize("data", [b"", b"12", b"{", b'"text"', b"[" * 100_000])
async def test_what_is_no_message_is_set_aside_with_its_bytes(service: Service, data: bytes) -> None:
    assert await service.post(_push(data)) == 204
    assert [kept for _, kept, _ in service.topics.published] == [data]


async def test_when_the_outbox_fails_the_mail_comes_again(service: Service) -> None:
    service.documents.write_errors = [Transient("UNAVAILABLE")]
    assert await service.post(_push(MAIL)) == 500
    service.documents.codes = [14]
    assert await service.post(_push(MAIL)) == 500
    assert _outbox(service) == []
    assert await service.post(_push(MAIL)) == 204
    assert len(_outbox(service)) == 1


async def test_when_quarantine_fails_the_delivery_comes_again(service: Service) -> None:
    service.topics.errors["quarantine"] = [Transient("UNAVAILABLE")]
    assert await service.post(_push({"type": "emailMsg"})) == 500
    assert await service.post(_push({"type": "emailMsg"})) == 204
    assert len(_reasons(service)) == 1


async def test_no_link_is_ever_logged(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.documents.write_errors = [Transient("UNAVAILABLE")]
    for mail in (MAIL, MAIL, MAIL | {"to": LINK}, MAIL | {"context": LINK}, MAIL | {"text": [LINK]}):
        await service.post(_push(mail))
    printed = capsys.readouterr()
    assert "set aside" in printed.err
    assert "token=" not in printed.err + printed.out
    assert all("token=" not in str(attributes) for _, _, attributes in service.topics.published)
