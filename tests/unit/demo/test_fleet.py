from __future__ import annotations

from collections import Counter

import pytest

from demo import fleet, send
from demo.fleet import Sent
from functions.ingest import content, decode
from functions.ingest.split import Fault

END = 1_790_000_000_000


@pytest.fixture(scope="module")
def events() -> list[Sent]:
    return fleet.events(fleet.devices(), 20_000, END)


def test_the_same_seed_gives_the_same_events(events: list[Sent]) -> None:
    assert fleet.events(fleet.devices(), 20_000, END) == events
    assert fleet.events(fleet.devices(), 20_000, END, seed=2) != events


def test_the_faults_have_the_shares_that_are_promised(events: list[Sent]) -> None:
    fates = Counter(sent.fate for sent in events)
    assert (len(events), fates["unknown"], fates["malformed"]) == (20_000, 100, 100)
    assert sum(sent.repeat for sent in events) == 400
    times: dict[str, int] = {}
    late = 0
    for sent in events:
        if sent.fate == "known" and not sent.repeat:
            time = int(sent.text.split('"time": ')[1].split(",")[0])
            late += time < times.get(sent.device_id, 0)
            times[sent.device_id] = max(time, times.get(sent.device_id, 0))
    assert 800 < late < 1_200


def test_a_repeat_is_the_same_text(events: list[Sent]) -> None:
    first = {(sent.device_id, sent.event_id): sent.text for sent in events if not sent.repeat}
    assert all(first[sent.device_id, sent.event_id] == sent.text for sent in events if sent.repeat)


def test_what_is_called_malformed_is_refused_by_ingest_and_nothing_else_is(events: list[Sent]) -> None:
    def refused(sent: Sent) -> bool:
        (decoded,) = decode.parse(sent.text.encode(), lines=False)
        if isinstance(decoded, Fault):
            return True
        try:
            content.check(decoded, ("serial", "imei"))
        except content.Refused:
            return True
        return False

    sample = [sent for sent in events if sent.fate == "malformed"] + events[:2_000]
    assert [sent.text for sent in sample if refused(sent) != (sent.fate == "malformed")] == []


def test_every_event_is_posted_once_and_no_post_mixes_networks(events: list[Sent]) -> None:
    groups = list(send.posts(events))
    assert sum(map(len, groups)) == len(events)
    assert Counter(map(id, (sent for group in groups for sent in group))) == Counter(map(id, events))
    assert all(len({sent.network for sent in group}) == 1 for group in groups)
    assert {1, send.ARRAY} <= {len(group) for group in groups}
