"""Limits of messages to one recipient, decided without a store."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.send_limits import Counted, Limit, Verdict, decide

LIMIT = Limit(count=3, period=1_000, duration=5_000)


def _sent(*asked: tuple[int, str], limit: Limit = LIMIT) -> list[Verdict]:
    """The verdicts on messages that come at these times."""
    counted, verdicts = Counted(), []
    for now, message in asked:
        verdict, after = decide(counted, limit, message, now)
        counted = after or counted
        verdicts.append(verdict)
    return verdicts


def test_so_many_are_admitted_and_then_none_for_the_duration() -> None:
    asked = [(0, "a"), (1, "b"), (2, "c"), (3, "d"), (4, "e"), (5_002, "f"), (5_003, "g")]
    assert _sent(*asked) == ["admitted"] * 3 + ["first", "limited", "limited", "admitted"]


def test_after_a_block_counting_begins_anew() -> None:
    asked = [(0, "a"), (0, "b"), (0, "c"), (0, "d"), (5_000, "e"), (5_000, "f"), (5_000, "g"), (5_000, "h")]
    assert _sent(*asked) == ["admitted"] * 3 + ["first"] + ["admitted"] * 3 + ["first"]


def test_also_where_the_block_is_shorter_than_the_period() -> None:
    limit = Limit(count=1, period=10_000, duration=10)
    assert _sent((0, "a"), (5, "b"), (15, "c"), limit=limit) == ["admitted", "first", "admitted"]


def test_those_older_than_the_period_count_no_more() -> None:
    asked = [(0, "a"), (500, "b"), (999, "c"), (1_000, "d"), (1_499, "e"), (1_500, "f")]
    assert _sent(*asked) == ["admitted"] * 4 + ["first", "limited"]


def test_a_message_counts_once_and_its_verdict_stays() -> None:
    asked = [(0, "a"), (1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "d"), (6, "a"), (7, "e")]
    assert _sent(*asked) == ["admitted"] * 4 + ["first", "first", "admitted", "limited"]


@given(
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from("abcdefghijkl")), max_size=60),
    st.integers(1, 4),
    st.integers(1, 1_000),
    st.integers(1, 1_000),
)
def test_no_period_ever_has_more_than_so_many(
    steps: list[tuple[int, str]], count: int, period: int, duration: int
) -> None:
    limit = Limit(count=count, period=period, duration=duration)
    now, asked = 0, []
    for step, message in steps:
        now += step
        asked.append((now, message))
    verdicts = _sent(*asked, limit=limit)
    seen: set[str] = set()
    admitted = []
    for (at, message), verdict in zip(asked, verdicts, strict=True):
        if verdict == "admitted" and message not in seen:
            seen.add(message)
            admitted.append(at)
    # A block that ends within the period begins the count anew.
    within = min(period, duration)
    for place, start in enumerate(admitted):
        assert sum(start <= at < start + within for at in admitted[place:]) <= count
