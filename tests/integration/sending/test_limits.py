"""Limits to one recipient on a store: exact while many count at once, and no message counts twice."""

from __future__ import annotations

import asyncio

import pytest

from shared import send_limits
from shared.errors import Transient
from shared.send_limits import Limit, Verdict
from tests.support.sending_stack import Sending

LIMIT = Limit(count=7, period=600_000, duration=3_600_000, key="tooHot")


async def _admit(
    stack: Sending, message: str, recipient: str = "+4791234567", key: str = "tooHot"
) -> Verdict:
    limit = Limit(count=7, period=600_000, duration=3_600_000, key=key)
    while True:
        try:
            return await send_limits.admit(stack.project, "sms", recipient, limit, message)
        except Transient:
            # As a delivery does that comes again.
            await asyncio.sleep(0.05)


async def test_of_fifty_that_come_at_once_just_so_many_are_admitted(stack: Sending) -> None:
    found = await asyncio.gather(*(_admit(stack, f"m{number}") for number in range(50)))
    assert (found.count("admitted"), found.count("first"), found.count("limited")) == (7, 1, 42)
    # All of them again: each keeps its answer.
    assert await asyncio.gather(*(_admit(stack, f"m{number}") for number in range(50))) == found


async def test_recipients_keys_and_kinds_are_counted_apart(stack: Sending) -> None:
    for number in range(8):
        await _admit(stack, f"m{number}")
    assert await _admit(stack, "m9") == "limited"
    assert await _admit(stack, "m9", recipient="+4791234568") == "admitted"
    assert await _admit(stack, "m9", key="other") == "admitted"
    assert await send_limits.admit(stack.project, "email", "+4791234567", LIMIT, "m9") == "admitted"
    assert await send_limits.admit("another", "sms", "+4791234567", LIMIT, "m9") == "admitted"


async def test_a_count_whose_answer_is_lost_is_made_once(stack: Sending) -> None:
    stack.faults(
        stack.emulators.firestore, {"method": "BatchWrite", "drop_answer_rate": 0.5, "code": "UNAVAILABLE"}
    )
    found = [await _admit(stack, f"m{number}") for number in range(9)]
    assert found == ["admitted"] * 7 + ["first", "limited"]


async def test_a_store_that_fails_is_no_answer(stack: Sending) -> None:
    for method in ("BatchGetDocuments", "BatchWrite"):
        rule = {"method": method, "error_rate": 1.0, "code": "UNAVAILABLE"}
        stack.faults(stack.emulators.firestore, rule)
        with pytest.raises(Transient):
            await send_limits.admit(stack.project, "sms", "+4791234567", LIMIT, "a")
    stack.faults(stack.emulators.firestore)
    assert await send_limits.admit(stack.project, "sms", "+4791234567", LIMIT, "a") == "admitted"


async def test_when_the_block_is_over_counting_begins_anew(stack: Sending) -> None:
    assert [await _admit(stack, f"m{number}") for number in range(9)][7:] == ["first", "limited"]
    stack.advance(3_601)
    assert [await _admit(stack, f"n{number}") for number in range(8)] == ["admitted"] * 7 + ["first"]
