"""Text messages through Twilio's own library to its stand-in, and what that tells back through the API."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from tests.support.messaging import TO, Messaging
from tests.support.processing import push
from tests.support.push_stack import eventually

SMS = {"type": "smsMsg", "recipients": TO, "message": "House 3 is at 41 °C"}


def _bodies(project: str, *messages: dict[str, Any]) -> list[bytes]:
    attributes = {"projectId": project}
    return [push(message, attributes, f"m{number}") for number, message in enumerate(messages)]


def _tried(stack: Messaging, project: str, attempt: int) -> bool:
    (stored,) = stack.stored(project)
    return bool(stored["attempt"] == attempt and stored["state"] != "sending")


async def test_a_message_goes_out_and_its_report_comes_back(stack: Messaging, project: str) -> None:
    assert await stack.push(SMS, project=project) == 204
    (taken,) = stack.taken()
    assert (taken["to"], taken["body"], taken["from"]) == (TO, SMS["message"], "+15005550006")
    stack.advance(1)
    eventually(lambda: stack.states(project) == ["delivered"])
    (stored,) = stack.stored(project)
    assert (stored["providerId"], stored["attempt"]) == (taken["sid"], 1)
    assert stack.quarantined(project) == []


async def test_one_id_delivered_twenty_times_at_once_is_one_request(stack: Messaging, project: str) -> None:
    left = [push(SMS | {"id": "once"}, {"projectId": project}, f"m{number}") for number in range(20)]
    rounds = 0
    while left:
        statuses = await stack.push_at_once(left)
        assert set(statuses) <= {204, 500}
        # As Pub/Sub does with what got no 2xx.
        left = [body for body, status in zip(left, statuses, strict=True) if status == 500]
        rounds += 1
        assert rounds < 50
        await asyncio.sleep(0.1)
    assert len(stack.taken()) == 1
    assert len(stack.stored(project)) == 1


async def test_limits_hold_while_fifty_are_sent_at_once(stack: Messaging, project: str) -> None:
    limit = {"count": 10, "period": 600_000, "duration": 3_600_000, "key": "tooHot"}
    messages = [SMS | {"id": f"x{number}", "limitOptions": limit} for number in range(50)]
    other = SMS | {"id": "other", "recipients": "+4791234568", "limitOptions": limit}
    left = _bodies(project, *messages, other)
    rounds = 0
    while left:
        statuses = await stack.push_at_once(left)
        left = [body for body, status in zip(left, statuses, strict=True) if status == 500]
        rounds += 1
        assert rounds < 50
    assert len(stack.taken(to=TO)) == 10
    assert len(stack.taken(to="+4791234568")) == 1
    stored = stack.stored(project)
    assert sum(fields["state"] == "limited" for fields in stored) == 40
    assert sum(fields.get("firstLimited", False) for fields in stored) == 1
    # All of them again: nothing is counted twice.
    assert set(await stack.push_at_once(_bodies(project, *messages, other))) == {204}
    assert len(stack.taken()) == 11
    # When the block is over, messages go out again.
    stack.advance(3_601)
    assert await stack.push(SMS | {"id": "later", "limitOptions": limit}, project=project) == 204
    assert len(stack.taken(to=TO)) == 11


@pytest.mark.parametrize(
    ("to", "code"),
    [("+15005550001", 21211), ("+15005550003", 21408), ("+15005550004", 21610), ("+15005550009", 21614)],
)
async def test_what_twilio_never_takes_fails_at_once_and_waits_in_quarantine(
    stack: Messaging, project: str, to: str, code: int
) -> None:
    assert await stack.push(SMS | {"recipients": [to, TO]}, project=project) == 204
    eventually(lambda: "failed" in stack.states(project))
    failed = next(fields for fields in stack.stored(project) if fields["state"] == "failed")
    assert failed["error"]["code"] == f"twilio.{code}"
    assert (failed["recipients"], failed["attempt"]) == ([to], 1)
    ((reason, message),) = stack.quarantined(project)
    assert (reason, message["recipients"], message["message"]) == (f"twilio.{code}", [to], SMS["message"])
    assert len(stack.taken(to=TO)) == 1
    # What quarantine has can be sent again, as a message of its own.
    assert await stack.push(message | {"recipients": ["+4791234568"]}, project=project) == 204
    assert len(stack.taken(to="+4791234568")) == 1


async def test_a_wrong_token_is_no_reason_to_try_again(stack: Messaging, project: str) -> None:
    rule = {"method": "CreateMessage", "error_rate": 1.0, "code": "UNAUTHENTICATED"}
    stack.faults("twilio", rule)
    assert await stack.push(SMS, project=project) == 204
    assert [fields["error"]["code"] for fields in stack.stored(project)] == ["twilio.20003"]
    assert [reason for reason, _ in stack.quarantined(project)] == ["twilio.20003"]


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("RESOURCE_EXHAUSTED", "twilio.20429"),
        ("UNAVAILABLE", "twilio.20503"),
        ("INTERNAL", "twilio.20500"),
        ("ABORTED", "twilio.noAnswer"),
    ],
)
async def test_what_twilio_does_not_take_now_goes_out_once_thirty_seconds_later(
    stack: Messaging, project: str, code: str, named: str
) -> None:
    stack.faults("twilio", {"method": "CreateMessage", "error_rate": 1.0, "code": code})
    assert await stack.push(SMS, project=project) == 204
    (stored,) = stack.stored(project)
    assert (stored["state"], stored["error"]["code"]) == ("waiting", named)
    assert await stack.push(SMS, project=project) == 204
    stack.faults("twilio")
    assert stack.taken() == []
    stack.advance(31)
    eventually(lambda: stack.taken())
    stack.advance(1)
    eventually(lambda: stack.states(project) == ["delivered"])
    assert (len(stack.taken()), stack.stored(project)[0]["attempt"]) == (1, 2)
    assert "error" not in stack.stored(project)[0]


async def test_after_three_tries_it_is_given_up(stack: Messaging, project: str) -> None:
    stack.faults("twilio", {"method": "CreateMessage", "error_rate": 1.0, "code": "UNAVAILABLE"})
    assert await stack.push(SMS, project=project) == 204
    for attempt in (2, 3):
        stack.advance(31)
        eventually(partial(_tried, stack, project, attempt))
    assert stack.states(project) == ["failed"]
    assert [reason for reason, _ in stack.quarantined(project)] == ["twilio.20503"]
    assert stack.taken() == []


async def test_when_the_answer_is_lost_the_report_says_that_it_went_out(
    stack: Messaging, project: str
) -> None:
    stack.faults("twilio", {"method": "CreateMessage", "drop_answer_rate": 1.0})
    assert await stack.push(SMS, project=project) == 204
    assert stack.states(project) == ["waiting"]
    stack.faults("twilio")
    stack.advance(1)
    eventually(lambda: stack.states(project) == ["delivered"])
    stack.advance(31)
    # Another message behind it: by then the task has come.
    assert await stack.push(SMS | {"id": "other"}, project=project) == 204
    eventually(lambda: '"outcome":"known"' in stack.log())
    assert len(stack.taken()) == 2


async def test_a_message_that_does_not_arrive_says_so(stack: Messaging, project: str) -> None:
    stack.post("/fates", {"to": TO, "status": "undelivered", "errorCode": 30003})
    assert await stack.push(SMS, project=project) == 204
    stack.advance(1)
    eventually(lambda: stack.states(project) == ["undelivered"])
    assert stack.stored(project)[0]["error"]["code"] == "twilio.30003"


async def test_a_messenger_that_is_killed_in_a_call_sends_no_message_that_went_out_again(
    stack: Messaging, project: str
) -> None:
    stack.faults("twilio", {"method": "CreateMessage", "latency_ms": 1_000})
    sending = asyncio.create_task(stack.push(SMS, project=project))
    await asyncio.to_thread(eventually, lambda: stack.states(project) == ["sending"])
    stack.messenger.kill()
    await asyncio.gather(sending, return_exceptions=True)
    stack.faults("twilio")
    await asyncio.to_thread(eventually, stack.taken)
    stack.advance(1)
    # Nobody has heard Twilio's answer, but its report comes.
    eventually(lambda: stack.states(project) == ["delivered"])
    await asyncio.to_thread(stack.messenger.start)
    stack.advance(61)
    assert await stack.push(SMS, project=project) == 204
    assert len(stack.taken()) == 1


async def test_no_text_number_or_token_is_ever_logged(stack: Messaging, project: str) -> None:
    code = "your code is 918273"
    stack.faults("twilio", {"method": "CreateMessage", "error_rate": 0.5})
    asked = [SMS | {"message": code, "recipients": [TO, "+15005550001"]}, SMS | {"message": code * 100}]
    assert await stack.push(*asked, project=project) == 204
    stack.advance(1)
    eventually(lambda: "report of a text message" in stack.log())
    log = stack.log()
    for secret in ("918273", "the-token-of-an-account"):
        assert secret not in log
