"""A message goes to its provider once, is tried three times at most, and its document says how it went."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from shared import outbox, send_reports
from shared.clients import firestore
from shared.errors import FulcrumError, Rejected, Transient
from shared.send_reports import Report
from shared.sending import Busy, Limited, SendMsg
from tests.support.sending_stack import Sending, Told

UNAVAILABLE = {"error_rate": 1.0, "code": "UNAVAILABLE"}


def _quarantined(stack: Sending) -> list[tuple[str, Any]]:
    return [(attributes["errorType"], json.loads(data)) for _, data, attributes in stack.topics.published]


async def test_a_message_that_is_taken_is_sent_with_its_providers_id(stack: Sending) -> None:
    told = Told()
    assert await stack.deliver(told) == "sent"
    stored = await stack.stored()
    assert (stored["state"], stored["providerId"], stored["attempt"]) == ("sent", "SM1", 1)
    assert (stored["kind"], stored["message"], stored["source"]) == ("sms", "Hello", "effect-1")
    assert "sentTime" in stored
    assert "error" not in stored
    assert told.came[0].fields["message"] == "Hello"
    assert stack.tasks() == []


async def test_a_message_that_comes_again_is_not_sent_again(stack: Sending) -> None:
    told = Told()
    assert [await stack.deliver(told) for _ in range(3)] == ["sent", "known", "known"]
    assert len(told.came) == 1


async def test_twenty_deliveries_at_once_are_one_call_and_the_others_come_again(stack: Sending) -> None:
    told = Told(gate=asyncio.Event())

    async def one() -> str:
        try:
            return await stack.deliver(told)
        except Transient:
            return "again"

    ended = asyncio.as_completed([one() for _ in range(20)])
    assert [await next(ended) for _ in range(19)] == ["again"] * 19
    assert told.gate is not None
    told.gate.set()
    assert [await each for each in ended] == ["sent"]
    assert [await one() for _ in range(19)] == ["known"] * 19
    assert len(told.came) == 1


async def test_what_the_provider_does_not_take_now_waits_for_its_task(stack: Sending) -> None:
    told = Told(told=[Busy("twilio.20429", "too many requests")])
    assert await stack.deliver(told) == "waiting"
    stored = await stack.stored()
    assert stored["state"] == "waiting"
    assert stored["error"] == {"code": "twilio.20429", "text": "too many requests"}
    ((task, due),) = stack.tasks()
    assert task == SendMsg(stack.project, "a", 2)
    assert 0 < due <= 30.5
    # A redelivery leaves it to the task.
    assert await stack.deliver(told) == "known"
    assert await stack.resume(told, task) == "sent"
    assert [message.attempt for message in told.came] == [1, 2]
    stored = await stack.stored()
    assert (stored["state"], stored["attempt"]) == ("sent", 2)
    assert "error" not in stored
    # The task comes twice.
    assert await stack.resume(told, task) == "known"
    assert len(told.came) == 2


async def test_a_task_that_came_before_changes_nothing_of_a_later_try(stack: Sending) -> None:
    told = Told(told=[Transient("no answer"), Transient("no answer")])
    await stack.deliver(told)
    first = SendMsg(stack.project, "a", 2)
    assert await stack.resume(told, first) == "waiting"
    assert await stack.resume(told, first) == "known"
    assert len(told.came) == 2


@pytest.mark.parametrize(("asked", "least", "most"), [(120_000, 119, 120.5), (86_400_000, 899, 900.5)])
async def test_a_provider_may_ask_for_a_longer_wait_but_not_for_any(
    stack: Sending, asked: int, least: float, most: float
) -> None:
    assert await stack.deliver(Told(told=[Busy("twilio.20429", "later", asked)])) == "waiting"
    ((_, due),) = stack.tasks()
    assert least < due <= most


async def test_after_three_tries_it_has_failed_and_can_be_sent_again_from_quarantine(stack: Sending) -> None:
    told = Told(told=[Transient("no answer")] * 3)
    assert await stack.deliver(told) == "waiting"
    assert await stack.resume(told, SendMsg(stack.project, "a", 2)) == "waiting"
    assert await stack.resume(told, SendMsg(stack.project, "a", 3)) == "failed"
    assert len(told.came) == 3
    stored = await stack.stored()
    assert stored["state"] == "failed"
    assert stored["error"] == {"code": "send.noAnswer", "text": "no answer (after 3 tries)"}
    ((reason, data),) = _quarantined(stack)
    assert (reason, data["message"]) == ("send.noAnswer", "Hello")
    # Under another id: the document that failed stays as it is.
    assert data["id"] != "a"
    assert await stack.deliver(told) == "known"


async def test_what_the_provider_never_takes_fails_at_once(stack: Sending) -> None:
    told = Told(told=[Rejected("twilio.21211", "no such number")])
    assert await stack.deliver(told) == "failed"
    assert (await stack.stored())["error"] == {"code": "twilio.21211", "text": "no such number"}
    assert [reason for reason, _ in _quarantined(stack)] == ["twilio.21211"]
    assert stack.tasks() == []
    assert await stack.deliver(told) == "known"
    assert len(told.came) == 1


async def test_what_its_limits_hold_back_is_never_tried(
    stack: Sending, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Told(before=[Limited(first=True), Limited(first=False)])
    assert await stack.deliver(told) == "limited"
    assert await stack.deliver(told, "b") == "limited"
    first, second = await stack.stored(), await stack.stored("b")
    assert (first["state"], first["firstLimited"]) == ("limited", True)
    assert second["state"] == "limited"
    assert "firstLimited" not in second
    assert capsys.readouterr().err.count("from this message on a recipient is held back") == 1
    assert told.came == []
    assert await stack.deliver(told) == "known"


async def test_limits_that_cannot_be_known_cost_no_try_and_the_delivery_comes_again_at_once(
    stack: Sending,
) -> None:
    told = Told(before=[Transient("UNAVAILABLE")] * 4)
    for _ in range(4):
        with pytest.raises(Transient):
            await stack.deliver(told)
    assert told.came == []
    assert await stack.deliver(told) == "sent"
    assert (await stack.stored())["attempt"] == 1


async def test_a_process_that_ends_in_a_call_is_followed_by_another_when_its_lease_is_over(
    stack: Sending,
) -> None:
    told = Told(gate=asyncio.Event())
    ended = asyncio.create_task(stack.deliver(told))
    await told.entered.wait()
    ended.cancel()
    await asyncio.gather(ended, return_exceptions=True)
    told.gate = None
    with pytest.raises(Transient):
        await stack.deliver(told)
    stack.advance(61)
    assert await stack.deliver(told) == "sent"
    assert (await stack.stored())["attempt"] == 2


async def test_a_message_whose_tries_all_end_in_the_middle_fails_in_the_end(stack: Sending) -> None:
    told = Told(told=[RuntimeError("nobody foresaw it")] * 3)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await stack.deliver(told)
        stack.advance(61)
    assert await stack.deliver(told) == "failed"
    assert len(told.came) == 3
    assert [reason for reason, _ in _quarantined(stack)] == ["send.lost"]


async def test_when_a_message_cannot_be_claimed_it_is_not_sent(stack: Sending) -> None:
    told = Told()
    stack.faults(stack.emulators.firestore, {"method": "BatchWrite", **UNAVAILABLE})
    with pytest.raises(Transient):
        await stack.deliver(told)
    assert told.came == []
    stack.faults(stack.emulators.firestore)
    assert await stack.deliver(told) == "sent"


async def test_a_claim_whose_answer_is_lost_is_sent_once_when_it_is_over(stack: Sending) -> None:
    told = Told()
    stack.faults(
        stack.emulators.firestore, {"method": "BatchWrite", "drop_answer_rate": 1.0, "code": "UNAVAILABLE"}
    )
    with pytest.raises(Transient):
        await stack.deliver(told)
    stack.faults(stack.emulators.firestore)
    with pytest.raises(Transient):
        await stack.deliver(told)
    stack.advance(61)
    assert await stack.deliver(told) == "sent"
    assert len(told.came) == 1


async def test_when_no_task_can_be_made_the_message_is_taken_over_later(stack: Sending) -> None:
    told = Told(told=[Transient("no answer")])
    stack.faults(stack.emulators.tasks, {"method": "CreateTask", **UNAVAILABLE})
    with pytest.raises(Transient):
        await stack.deliver(told)
    assert (await stack.stored())["state"] == "sending"
    stack.faults(stack.emulators.tasks)
    stack.advance(61)
    assert await stack.deliver(told) == "sent"


async def test_when_quarantine_fails_the_message_has_not_failed_yet(stack: Sending) -> None:
    told = Told(told=[Rejected("twilio.21211", "no such number")] * 2)
    stack.topics.errors["quarantine"] = [Transient("UNAVAILABLE")]
    with pytest.raises(Transient):
        await stack.deliver(told)
    assert (await stack.stored())["state"] == "sending"
    stack.advance(61)
    assert await stack.deliver(told) == "failed"
    assert len(_quarantined(stack)) == 1


async def test_a_mark_that_fails_a_few_times_is_made_all_the_same(
    stack: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    real = firestore.batch_write_timed
    failing = [False, True, True]

    async def now_and_then(writes: Any) -> Any:
        if failing and failing.pop(0):
            raise Transient("UNAVAILABLE")
        return await real(writes)

    monkeypatch.setattr(firestore, "batch_write_timed", now_and_then)
    assert await stack.deliver(told) == "sent"
    assert failing == []
    assert (await stack.stored())["state"] == "sent"


async def test_a_task_of_a_message_that_is_gone_or_kept_does_nothing(stack: Sending) -> None:
    told = Told()
    assert await stack.resume(told, SendMsg(stack.project, "never", 2)) == "known"
    await outbox.put([stack.entry("b")])
    assert (await stack.stored("b"))["state"] == "kept"
    assert await stack.resume(told, SendMsg(stack.project, "b", 1)) == "known"
    assert await stack.deliver(told, "b") == "known"
    assert told.came == []


async def test_a_task_and_a_delivery_that_race_for_a_message_send_it_once(stack: Sending) -> None:
    told = Told(told=[RuntimeError("the process ends")])
    with pytest.raises(RuntimeError):
        await stack.deliver(told)
    stack.advance(61)

    async def one(number: int) -> str:
        try:
            if number % 2:
                return await stack.deliver(told)
            return await stack.resume(told, SendMsg(stack.project, "a", 2))
        except FulcrumError:
            return "again"

    found = await asyncio.gather(*map(one, range(12)))
    assert found.count("sent") == 1
    assert set(found) <= {"sent", "again", "known"}
    assert len(told.came) == 2


async def test_what_is_reported_before_the_answer_stays(stack: Sending) -> None:
    told = Told(gate=asyncio.Event())
    sending_ = asyncio.create_task(stack.deliver(told))
    await told.entered.wait()
    for _ in range(2):
        await send_reports.store(stack.project, "a", Report("SM1", "delivered"))
    assert told.gate is not None
    told.gate.set()
    assert await sending_ == "sent"
    stored = await stack.stored()
    assert (stored["state"], stored["providerId"]) == ("delivered", "SM1")
    assert await send_reports.store(stack.project, "a", Report("SM1", "sent")) == "known"


@pytest.mark.parametrize("late", [None, Transient("no answer"), Rejected("twilio.21211", "no such number")])
async def test_an_answer_that_comes_after_the_lease_changes_nothing_of_a_later_try(
    stack: Sending, late: FulcrumError | None
) -> None:
    slow = Told(gate=asyncio.Event(), told=[late] if late is not None else [])
    first = asyncio.create_task(stack.deliver(slow))
    await slow.entered.wait()
    stack.advance(61)
    quick = Told(came=slow.came)
    assert await stack.deliver(quick) == "sent"
    assert slow.gate is not None
    slow.gate.set()
    await first
    stored = await stack.stored()
    assert (stored["state"], stored["providerId"], stored["attempt"]) == ("sent", "SM2", 2)
    # A task that the late one may have made finds nothing to do.
    assert await stack.resume(quick, SendMsg(stack.project, "a", 2)) == "known"
    assert len(slow.came) == 2


async def test_two_reports_at_once_leave_the_later_state(stack: Sending) -> None:
    await stack.deliver(Told())
    reports = [
        Report("SM1", "sent"),
        Report("SM1", "delivered"),
        Report("SM1", "undelivered", "twilio.30003"),
    ]
    found = await asyncio.gather(*(send_reports.store(stack.project, "a", report) for report in reports))
    assert sorted(found) == ["known", "known", "stored"]
    assert (await stack.stored())["state"] in ("delivered", "undelivered")
