"""Events of mails: signed by SendGrid, put into the outbox, and only ever forward."""

from __future__ import annotations

import json
import random
from typing import Any

import httpx
import pytest

from emulators.sendgrid import signing
from fulcrum.core import ids
from shared.config import settings
from tests.support.api import Api

SEED = "SG.key"
PATH = "/v1/callback/sendgrid"
MAIL = {"kind": "email", "state": "sent", "attempt": 1, "providerId": "X1", "to": ["Ada <a@x.de>"]}


class Reports:
    """A mail in the outbox, and what is told of it."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.project = ids.new_id()
        self.document = api.documents.document(f"projects/{self.project}/outbox/m1")
        self.document.set(MAIL)

    @property
    def stored(self) -> dict[str, Any]:
        """The mail's fields."""
        return dict(self.document.get().to_dict())

    @property
    def told(self) -> dict[str, str]:
        """How far the mail is, by recipient."""
        return {one["to"]: one["state"] for one in self.stored.get("deliveries", ())}

    def event(self, name: str, **changes: Any) -> dict[str, Any]:
        """An event as SendGrid tells it."""
        return {
            "email": "a@x.de",
            "timestamp": 1_800_000_000,
            "smtp-id": "<X1@geopod>",
            "event": name,
            "sg_event_id": ids.new_id(),
            "sg_message_id": "X1.filterdrecv-0.0.0",
            "category": ["a"],
            "fulcrumProject": self.project,
            "fulcrumMessage": "m1",
            **changes,
        }

    async def tell(self, *events: Any, seed: str = SEED) -> int:
        """A batch of events, signed; the status that is answered."""
        return (await self.post(json.dumps(events).encode(), seed)).status_code

    async def post(self, body: bytes, seed: str = SEED, **headers: str) -> httpx.Response:
        """A request, signed for its body."""
        signed = signing.headers(signing.private_key(seed), "1800000000", body)
        async with self.api.client() as client:
            return await client.post(PATH, content=body, headers={**signed, **headers})


def _faults(api: Api, *rules: dict[str, Any]) -> None:
    httpx.post(f"{api.address.http}/faults", json={"rules": list(rules)}).raise_for_status()


@pytest.fixture
def reports(api: Api, monkeypatch: pytest.MonkeyPatch) -> Reports:
    monkeypatch.setenv("FULCRUM_SENDGRID_WEBHOOK_KEY", signing.public_key(SEED))
    settings.cache_clear()
    return Reports(api)


async def test_an_event_that_sendgrid_signed_is_stored(reports: Reports) -> None:
    event = reports.event("delivered", response="250 OK")
    assert await reports.tell(event) == 204
    assert (reports.stored["state"], reports.told) == ("delivered", {"a@x.de": "delivered"})
    assert reports.stored["deliveries"][0]["time"] == 1_800_000_000_000
    assert "error" not in reports.stored


async def test_what_was_told_of_each_recipient_is_shown(reports: Reports) -> None:
    reports.document.update({"cc": ["c@x.de"], "confidential": True, "subject": "s3cret"})
    await reports.tell(reports.event("delivered"), reports.event("bounce", email="c@x.de", reason="550"))
    reports.api.project(reports.project)
    async with reports.api.client(reports.api.user(reports.project, "outbox.read")) as http:
        shown = (await http.get("/v1/outbox/m1", params={"projectId": reports.project})).json()
    assert shown["deliveries"] == [
        {"to": "a@x.de", "state": "delivered", "time": 1_800_000_000_000},
        {"to": "c@x.de", "state": "bounced", "time": 1_800_000_000_000, "text": "550"},
    ]
    assert "subject" not in shown


async def test_why_a_mail_did_not_arrive_is_stored(reports: Reports) -> None:
    assert await reports.tell(reports.event("bounce", reason="550 nobody «here»", type="blocked")) == 204
    assert reports.stored["state"] == "undelivered"
    assert reports.stored["error"] == {"code": "sendgrid.bounced", "text": "550 nobody «here»"}


@pytest.mark.parametrize(
    ("names", "state"),
    [
        (("processed",), None),
        (("deferred",), "deferred"),
        (("deferred", "delivered"), "delivered"),
        (("delivered", "deferred", "processed"), "delivered"),
        (("delivered", "bounce"), "bounced"),
        (("bounce", "delivered", "dropped"), "dropped"),
        (("dropped",), "dropped"),
        (("open", "click", "spamreport", "unsubscribe", "anything"), None),
        (("delivered",) * 3, "delivered"),
    ],
)
async def test_a_recipient_only_goes_forward(
    reports: Reports, names: tuple[str, ...], state: str | None
) -> None:
    for name in names:
        assert await reports.tell(reports.event(name)) == 204
    assert reports.told.get("a@x.de") == state
    wanted = {"delivered": "delivered", "bounced": "undelivered", "dropped": "undelivered"}
    assert reports.stored["state"] == wanted.get(state or "", "sent")


@pytest.mark.parametrize("seed", range(5))
async def test_any_order_and_any_repetition_come_to_the_same(reports: Reports, seed: int) -> None:
    reports.document.update({"cc": ["c@x.de"], "bcc": ["b@x.de", "d@x.de"]})
    events = [
        *(reports.event(name) for name in ("processed", "deferred", "delivered")),
        *(reports.event(name, email="c@x.de") for name in ("processed", "delivered")),
        *(reports.event(name, email="B@x.de") for name in ("processed", "delivered", "bounce")),
        reports.event("dropped", email="d@x.de"),
    ]
    shuffled = random.Random(seed).choices(events, k=12) + events
    random.Random(seed).shuffle(shuffled)
    for start in range(0, len(shuffled), 3):
        assert await reports.tell(*shuffled[start : start + 3]) == 204
    assert {to.lower(): state for to, state in reports.told.items()} == {
        "a@x.de": "delivered",
        "c@x.de": "delivered",
        "b@x.de": "bounced",
        "d@x.de": "dropped",
    }
    assert reports.stored["state"] == "undelivered"


async def test_a_mail_is_delivered_when_it_is_to_all(reports: Reports) -> None:
    reports.document.update({"cc": ["c@x.de"]})
    await reports.tell(reports.event("delivered"))
    assert reports.stored["state"] == "sent"
    await reports.tell(reports.event("delivered", email="C@x.de"))
    assert reports.stored["state"] == "delivered"


@pytest.mark.parametrize("before", ["sending", "waiting"])
async def test_an_event_that_comes_before_the_answer_says_that_the_mail_is_out(
    reports: Reports, before: str
) -> None:
    reports.document.set({"kind": "email", "state": before, "attempt": 1, "to": ["a@x.de"]})
    await reports.tell(reports.event("processed"))
    assert (reports.stored["state"], reports.stored["providerId"]) == ("sent", "X1")


@pytest.mark.parametrize("before", ["waiting", "failed"])
async def test_an_event_of_a_try_whose_answer_was_lost_counts_more_than_its_loss(
    reports: Reports, before: str
) -> None:
    lost = {"code": "sendgrid.noAnswer", "text": "no answer"}
    fields = {"kind": "email", "state": before, "attempt": 3, "to": ["a@x.de"], "error": lost}
    reports.document.set(fields)
    assert await reports.tell(reports.event("delivered")) == 204
    assert reports.stored["state"] == "delivered"
    assert "error" not in reports.stored


@pytest.mark.parametrize("before", ["kept", "limited"])
async def test_an_event_of_what_was_never_sent_changes_nothing(reports: Reports, before: str) -> None:
    fields = {"kind": "email", "state": before, "attempt": 1, "to": ["a@x.de"]}
    reports.document.set(fields)
    assert await reports.tell(reports.event("delivered")) == 204
    assert reports.stored == fields


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ("14c5d75ce93.dfd.64b469", "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"),
        ("14c5d75ce93.dfd.64b469", "14c5d75ce93.dfd.64b469"),
        ("yW5utel5TYuIBREiXJi7aA", "yW5utel5TYuIBREiXJi7aA.recvd-5f9ffdf494-9kc6l-1-673C6EB0-B.0"),
    ],
)
async def test_an_event_is_known_by_the_id_that_its_own_begins_with(
    reports: Reports, known: str, told: str
) -> None:
    reports.document.set(
        {"kind": "email", "state": "sent", "attempt": 1, "to": ["a@x.de"], "providerId": known}
    )
    assert await reports.tell(reports.event("delivered", sg_message_id=told)) == 204
    assert (reports.stored["state"], reports.stored["providerId"]) == ("delivered", known)


async def test_events_of_other_mails_change_nothing(reports: Reports) -> None:
    others: list[dict[str, Any]] = [
        {"sg_message_id": "X2.filterdrecv"},
        {"fulcrumMessage": "m2"},
        {"fulcrumMessage": ""},
        {"fulcrumMessage": "../outbox/m1"},
        {"fulcrumProject": ids.new_id()},
        {"fulcrumProject": None},
        {"timestamp": "soon"},
    ]
    assert await reports.tell(*(reports.event("bounce", **other) for other in others)) == 204
    assert reports.stored == MAIL
    assert [found.id for found in reports.document.parent.list_documents()] == ["m1"]


async def test_one_event_that_nobody_understands_does_not_keep_the_others(reports: Reports) -> None:
    strange: list[Any] = [5, None, "x", [], {"event": {}}, {"email": 5, "event": "delivered"}]
    assert await reports.tell(*strange, reports.event("delivered"), *strange) == 204
    assert reports.stored["state"] == "delivered"


async def test_what_is_signed_otherwise_is_refused(reports: Reports) -> None:
    body = json.dumps([reports.event("bounce")]).encode()
    signature, timestamp = signing.SIGNATURE, signing.TIMESTAMP
    good = signing.headers(signing.private_key(SEED), "1800000000", body)
    for answer in [
        await reports.post(body, "SG.other"),
        await reports.post(body, **{timestamp: "1800000001"}),
        await reports.post(body, **{timestamp: ""}),
        await reports.post(body, **{timestamp: "1" * 21}),
        await reports.post(body, **{signature: ""}),
        await reports.post(body, **{signature: "no base64"}),
        await reports.post(body, **{signature: "YQ=="}),
        await reports.post(body + b" ", **good),
    ]:
        assert (answer.status_code, answer.json()["error"]) == (403, "callback.signature")
    async with reports.api.client() as client:
        assert (await client.post(PATH, content=body)).status_code == 403
    assert reports.stored == MAIL


async def test_without_a_key_nothing_is_signed_well(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FULCRUM_SENDGRID_WEBHOOK_KEY")
    settings.cache_clear()
    assert await reports.tell(reports.event("bounce")) == 403
    assert reports.stored == MAIL


@pytest.mark.parametrize("body", [b"", b"{}", b"{", b"5", b"\xff", b"[" * 100_000], ids=range(6))
async def test_what_is_no_batch_is_refused(reports: Reports, body: bytes) -> None:
    answer = await reports.post(body)
    assert (answer.status_code, answer.json()["error"]) == (400, "callback.events")


async def test_a_store_that_fails_is_told_to_sendgrid(reports: Reports) -> None:
    _faults(reports.api, {"method": "BatchWrite", "error_rate": 1.0, "code": "UNAVAILABLE"})
    try:
        assert await reports.tell(reports.event("delivered")) == 503
    finally:
        _faults(reports.api)
    assert reports.stored == MAIL
    assert await reports.tell(reports.event("delivered")) == 204
    assert reports.stored["state"] == "delivered"


async def test_no_address_is_logged(reports: Reports, capfd: pytest.CaptureFixture[str]) -> None:
    assert await reports.tell(reports.event("delivered")) == 204
    printed = capfd.readouterr()
    assert "reports of mails" in printed.out + printed.err
    assert "a@x.de" not in printed.out + printed.err
