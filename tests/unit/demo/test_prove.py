"""The proof finds what speaks against the promises: each test spoils one thing of a sound result."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from demo import fleet, prove
from demo.fleet import Sent
from shared import clock

SENT = fleet.events(fleet.devices(10), 600, 1_790_000_000_000)
ACCEPTED = [sent for sent in SENT if sent.fate != "malformed"]


@dataclass
class Found:
    """What a sound run leaves behind."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    read: list[prove.Item] = field(default_factory=list)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)

    def prove(self) -> list[str]:
        """The reasons that the proof gives."""
        return prove.compare(self.rows, self.read, self.states, ACCEPTED, SENT).faults()


def nested(data: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path, value in data.items():
        *above, last = path.split("/")
        place = made
        for key in above:
            place = place.setdefault(key, {})
        place[last] = value
    return made


@pytest.fixture
def found() -> Found:
    made = Found()
    for sent in ACCEPTED:
        if sent.fate != "known":
            continue
        event = json.loads(sent.text)
        row: dict[str, Any] = {
            "device_id": sent.device_id,
            "event_id": sent.event_id,
            "kind": "data",
            "event_type": None,
            "historical": False,
            "time": clock.from_ms(event["time"]),
            "original_time": None,
            "data": json.dumps(nested(event["data"])),
            "cleared": [],
        }
        made.rows.append(row)
        made.read.append((sent.device_id, sent.event_id, prove.DATA))
        if record := event.get("event"):
            more = {"kind": "event", "event_type": record["type"], "data": json.dumps(record["data"])}
            made.rows.append(row | more)
            made.read.append((sent.device_id, sent.event_id, record["type"]))
    made.read = list(dict.fromkeys(made.read))
    made.states = prove.fold_rows(made.rows)
    return made


def test_a_sound_run_is_proven(found: Found) -> None:
    assert any(row["kind"] == "event" for row in found.rows)
    assert any(row["kind"] == "data" and "engine" in row["data"] for row in found.rows)
    assert len(found.states) == 10
    assert found.prove() == []


def lose_an_event(found: Found) -> None:
    found.read.remove(next(item for item in found.read if item[2] == prove.DATA))


def lose_a_record(found: Found) -> None:
    found.read.remove(next(item for item in found.read if item[2] == "tooWarm"))


def count_one_twice(found: Found) -> None:
    found.read.append(found.read[3])


def give_one_to_another_device(found: Found) -> None:
    found.read.append(("room000", found.read[-1][1] + "x", prove.DATA))


def alter_a_value(found: Found) -> None:
    row = next(row for row in found.rows if "humidity" in row["data"])
    row["data"] = json.dumps(json.loads(row["data"]) | {"humidity": -1})


def alter_a_time(found: Found) -> None:
    found.rows[5]["time"] = clock.from_ms(clock.to_ms(found.rows[5]["time"]) + 1)


def alter_a_record(found: Found) -> None:
    next(row for row in found.rows if row["kind"] == "event")["data"] = "null"


def call_one_historical(found: Found) -> None:
    found.rows[7]["historical"] = True


def forget_a_state(found: Found) -> None:
    found.states.pop("room002")


def keep_an_older_state(found: Found) -> None:
    found.states["room002"]["temperature"] = 1000.0


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lose_an_event, "lost: 1,"),
        (lose_a_record, "lost: 1,"),
        (count_one_twice, "twice: 1,"),
        (give_one_to_another_device, "in history but never sent: 1,"),
        (alter_a_value, "altered on the way: 1,"),
        (alter_a_time, "altered on the way: 1,"),
        (alter_a_record, "altered on the way: 1,"),
        (call_one_historical, "altered on the way: 1,"),
        (forget_a_state, "state differs from history: 1, such as room002"),
        (keep_an_older_state, "state differs from history: 1, such as room002"),
    ],
)
def test_what_is_wrong_is_named(found: Found, spoil: Callable[[Found], None], reason: str) -> None:
    spoil(found)
    assert any(fault.startswith(reason) for fault in found.prove()), found.prove()


def test_a_fold_that_lets_the_older_write_win_is_found_out(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State and history agree then, as both come from the same fold; what was sent does not."""
    monkeypatch.setattr(
        "fulcrum.core.fold._wins", lambda present, stamp, value: present is None or present[0] > stamp
    )
    found.states = prove.fold_rows(copy.deepcopy(found.rows))
    (reason,) = found.prove()
    assert reason.startswith("state is not what was sent last: 10,")


def test_repeated_rows_are_no_fault(found: Found) -> None:
    found.rows += copy.deepcopy(found.rows[:50])
    assert found.prove() == []


def test_an_event_of_which_nobody_was_told_that_it_was_taken_may_be_stored_or_not(found: Found) -> None:
    text = json.dumps(
        json.loads(SENT[-1].text) | {"id": "unanswered", "time": 1_790_000_000_001, "data": {"n": 1}}
    )
    last = Sent("truck-modems", text, "known", "unanswered", "truck001")
    proof = prove.compare(found.rows, found.read, found.states, ACCEPTED, [*SENT, last])
    assert proof.faults() == []
    row = found.rows[0] | {"device_id": "truck001", "event_id": "unanswered", "data": '{"n": 1}'}
    rows = [*found.rows, row | {"time": clock.from_ms(1_790_000_000_001)}]
    read = [*found.read, ("truck001", "unanswered", prove.DATA)]
    proof = prove.compare(rows, read, prove.fold_rows(rows), ACCEPTED, [*SENT, last])
    assert proof.faults() == []
