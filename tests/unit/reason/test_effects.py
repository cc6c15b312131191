"""Timers that one run sets and cancels."""

from __future__ import annotations

from tests.support.reason import Reason, T, event, routed


async def test_of_a_timer_that_is_set_and_cancelled_in_one_run_the_last_word_counts(reason: Reason) -> None:
    reason.deploy(
        """
def run(message, context):
    for n in range(20):
        context.set_timer("a", delay=n + 1)
        context.cancel_timer("a")
    context.set_timer("a", delay=1000)
"""
    )
    for number in range(5):
        assert await reason.push(routed(event(str(number)))) == 204
    told = reason.topics.events("scheduler")
    for place in range(0, len(told), 41):
        assert max(told[place : place + 41], key=lambda each: each["stamp"])["timer"]["delay"] == 1000
    assert {each["id"] for each in told} == {told[0]["id"]}
    assert {each["stamp"][0] for each in told} == {T + 5}


async def test_a_timer_may_publish_where_timers_may(reason: Reason) -> None:
    reason.deploy(
        """
def run(message, context):
    context.set_timer("a", delay=1000, action={"type": "publishTopic", "topic": "writer", "message": {}})
"""
    )
    assert await reason.push(routed(event("1"))) == 204
    assert reason.topics.events("scheduler")[0]["action"]["topic"] == "writer"
