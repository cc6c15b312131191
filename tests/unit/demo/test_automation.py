"""The demo's second part tells what came out otherwise than it should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo.automation import MAILS, PLAYED, Seen

GOOD = Seen(
    mails=[(subject, "delivered") for subject in MAILS],
    states={
        "watched": {"alarms": {"temperature": {"active": False}}},
        "quiet": {"watchdog": {"silent": True}},
    },
    played=[float(value) for value in PLAYED],
)


def test_nothing_to_say_where_all_is_as_it_should_be() -> None:
    assert GOOD.faults() == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(replace(GOOD, mails=[*GOOD.mails, GOOD.mails[0]]), "the outbox holds", id="twice"),
        pytest.param(replace(GOOD, mails=GOOD.mails[1:]), "the outbox holds", id="lost"),
        pytest.param(
            replace(GOOD, mails=[(MAILS[0], "failed"), *GOOD.mails[1:]]), "were not sent", id="failed"
        ),
        pytest.param(replace(GOOD, states=GOOD.states | {"quiet": {}}), "silent: None", id="no-timer"),
        pytest.param(replace(GOOD, played=GOOD.played[:-1]), "simulated room has", id="not-played"),
    ],
)
def test_each_fault_is_told(seen: Seen, words: str) -> None:
    assert [words in fault for fault in seen.faults()] == [True]
