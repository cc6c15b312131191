"""The messenger through its true entry: one SMS however often it comes, bad ones set aside, none logged."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared import names
from shared.clients import firestore
from shared.config import settings
from shared.errors import Transient
from tests.support.processing import Service, push

PROJECT = "farm"
CODE = "your code is 918273"
SMS = {"type": "smsMsg", "recipients": ["+47 912 34 567"], "message": CODE}


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    settings.cache_clear()
    made = Service("messenger", monkeypatch, ["quarantine"])
    yield made
    await made.client.aclose()
    settings.cache_clear()


def _push(data: Any, message_id: str = "m1", project: str | None = PROJECT) -> bytes:
    return push(data, {"projectId": project} if project else {}, message_id)


def _outbox(service: Service, project: str = PROJECT) -> list[dict[str, Any]]:
    prefix = names.project(project) + "/outbox/"
    return [fields for name, fields in service.documents.stored.items() if name.startswith(prefix)]


def _template(service: Service, alias: str, **parts: Any) -> None:
    name = names.document("projects", PROJECT, "templates", f"t-{alias}")
    service.documents.stored[name] = {"name": alias, "alias": alias, **parts}


def _reasons(service: Service) -> list[str]:
    return [attributes["errorType"] for _, _, attributes in service.topics.published]


async def test_an_sms_is_kept_with_its_limits_and_what_fills_its_template(service: Service) -> None:
    limits = {"count": 3, "period": 600_000, "duration": 3_600_000, "key": "tooHot"}
    more = {"templateId": "alarm", "context": {"house": 3}, "limitOptions": limits}
    assert await service.post(_push(SMS | more)) == 204
    (kept,) = _outbox(service)
    assert (kept["kind"], kept["recipients"], kept["message"]) == ("sms", ["+4791234567"], CODE)
    assert (kept["template"], json.loads(kept["context"])) == ("alarm", {"house": 3})
    assert json.loads(kept["limitOptions"]) == limits
    assert service.topics.published == []


async def test_a_template_alone_will_do_and_recipients_count_once(service: Service) -> None:
    _template(service, "alarm", sms="House {{ house }} is on fire")
    sms = {"type": "smsMsg", "recipients": ["+4791234567", "+47 91-23.45 67"], "template": "alarm"}
    assert await service.post(_push(sms | {"context": {"house": 3}})) == 204
    (kept,) = _outbox(service)
    assert (kept["recipients"], kept["message"]) == (["+4791234567"], "House 3 is on fire")


async def test_each_number_gets_a_message_of_its_own(service: Service) -> None:
    numbers = ["+4791234567", "+4791234568", "+4791234569"]
    for _ in range(2):
        assert await service.post(_push(SMS | {"recipients": numbers})) == 204
    assert sorted(kept["recipients"] for kept in _outbox(service)) == [[number] for number in numbers]


async def test_a_template_counts_before_what_the_sms_says_itself(service: Service) -> None:
    _template(service, "alarm", sms=" Fire! ")
    assert await service.post(_push(SMS | {"template": "alarm"})) == 204
    assert [kept["message"] for kept in _outbox(service)] == ["Fire!"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (None, "template.unknown"),
        ("{{ house", "template.invalid"),
        ("{{ who }}", "template.invalid"),
        ("{% if house == 4 %}x{% endif %}", "sms.content"),
        ("{{ 'x' * 1601 }}", "sms.content"),
    ],
)
async def test_an_sms_whose_template_comes_to_nothing_is_set_aside(
    service: Service, template: str | None, reason: str
) -> None:
    if template is not None:
        _template(service, "alarm", sms=template)
    sms = {"type": "smsMsg", "recipients": "+4791234567", "template": "alarm", "context": {"house": 3}}
    assert await service.post(_push([sms, SMS])) == 204
    assert (_reasons(service), len(_outbox(service))) == ([reason], 1)
    assert json.loads(service.topics.published[0][1]) == sms


async def test_when_templates_cannot_be_read_the_sms_comes_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(parent: str, query: Any) -> Any:
        raise Transient("UNAVAILABLE")

    with monkeypatch.context() as patch:
        patch.setattr(firestore, "run_query", fails)
        assert await service.post(_push(SMS | {"template": "alarm"})) == 500
    assert _outbox(service) == []
    assert await service.post(_push(SMS | {"template": "alarm"})) == 204


async def test_a_limit_without_a_key_has_its_templates(service: Service) -> None:
    _template(service, "alarm", sms="Fire!")
    asked = [SMS | {"template": "alarm", "limitOptions": limit} for limit in ({}, {"key": "own", "count": 3})]
    assert await service.post(_push(asked)) == 204
    limits = [json.loads(kept["limitOptions"]) for kept in _outbox(service)]
    usual = {"count": 10, "period": 30_000, "duration": 3_600_000, "key": "alarm"}
    assert sorted(limits, key=lambda limit: limit["key"]) == [usual, usual | {"count": 3, "key": "own"}]


async def test_a_redelivered_sms_is_the_same_and_another_message_is_another(service: Service) -> None:
    for message_id in ("m1", "m1", "m2"):
        assert await service.post(_push(SMS, message_id)) == 204
    assert len(_outbox(service)) == 2


async def test_two_messages_with_one_id_are_one_sms(service: Service) -> None:
    for message_id in ("m1", "m2"):
        assert await service.post(_push([SMS | {"id": "x1"}] * 2, message_id)) == 204
    assert len(_outbox(service)) == 1


async def test_an_sms_that_is_there_already_is_no_failure(service: Service) -> None:
    for code in (6, 9):
        service.documents.codes = [code]
        assert await service.post(_push(SMS)) == 204


async def test_of_an_array_the_bad_sms_are_set_aside_and_the_rest_is_sent(service: Service) -> None:
    assert await service.post(_push([SMS | {"recipients": "911"}, SMS, {"type": "emailMsg"}])) == 204
    assert len(_outbox(service)) == 1
    assert _reasons(service) == ["sms.number", "message.undecodable"]
    assert [attributes["index"] for _, _, attributes in service.topics.published] == ["0", "2"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"recipients": []}, "sms.recipients"),
        ({"recipients": None}, "sms.recipients"),
        ({"recipients": [f"+47912345{n:02}" for n in range(51)]}, "sms.recipients"),
        ({"recipients": "91234567"}, "sms.number"),
        ({"recipients": "+0123456789"}, "sms.number"),
        ({"recipients": "+4791234567\n"}, "sms.number"),
        ({"recipients": "+1234567890123456"}, "sms.number"),
        ({"message": ""}, "sms.content"),
        ({"message": None}, "sms.content"),
        ({"message": "x" * 1_601}, "sms.content"),
        ({"message": 5}, "message.undecodable"),
        ({"limitOptions": {"count": 0}}, "message.undecodable"),
        ({"limitOptions": {"count": 1_001}}, "message.undecodable"),
        ({"limitOptions": {"period": 10**12}}, "message.undecodable"),
        ({"confidential": "yes"}, "message.undecodable"),
        ({"projectId": "other"}, "sms.otherProject"),
        ({"context": {"x": "x" * 200_001}}, "sms.tooLarge"),
    ],
)
async def test_what_is_no_sms_is_set_aside(service: Service, change: dict[str, Any], reason: str) -> None:
    assert await service.post(_push(SMS | change)) == 204
    assert _reasons(service) == [reason]
    assert _outbox(service) == []


async def test_an_sms_of_a_project_that_is_no_id_is_refused(service: Service) -> None:
    assert await service.post(_push(SMS | {"projectId": "a/b"}, project=None)) == 204
    assert _reasons(service) == ["sms.project"]
    assert await service.post(_push(SMS, project=None)) == 204
    assert len(_outbox(service, names.NO_PROJECT)) == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"no push"])
async def test_what_is_no_push_of_an_sms_is_refused(service: Service, body: bytes) -> None:
    assert await service.post(body) == 400


@pytest.mark.parametrize("data", [b"", b"12", b"{", b'"text"', b"[" * 100_000])
async def test_what_is_no_message_of_an_sms_is_set_aside_with_its_bytes(
    service: Service, data: bytes
) -> None:
    assert await service.post(_push(data)) == 204
    assert [kept for _, kept, _ in service.topics.published] == [data]


async def test_when_the_outbox_fails_the_sms_comes_again(service: Service) -> None:
    service.documents.write_errors = [Transient("UNAVAILABLE")]
    assert await service.post(_push(SMS)) == 500
    service.documents.codes = [14]
    assert await service.post(_push(SMS)) == 500
    assert _outbox(service) == []
    assert await service.post(_push(SMS)) == 204
    assert len(_outbox(service)) == 1


async def test_when_quarantine_fails_the_delivery_of_sms_comes_again(service: Service) -> None:
    service.topics.errors["quarantine"] = [Transient("UNAVAILABLE")]
    assert await service.post(_push({"type": "smsMsg"})) == 500
    assert await service.post(_push({"type": "smsMsg"})) == 204
    assert len(_reasons(service)) == 1


async def test_no_code_is_ever_logged(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.documents.write_errors = [Transient("UNAVAILABLE")]
    for sms in (SMS, SMS, SMS | {"recipients": CODE}, SMS | {"context": CODE}, SMS | {"message": [CODE]}):
        await service.post(_push(sms))
    printed = capsys.readouterr()
    assert "set aside" in printed.err
    assert "918273" not in printed.err + printed.out
    assert all("918273" not in str(attributes) for _, _, attributes in service.topics.published)
