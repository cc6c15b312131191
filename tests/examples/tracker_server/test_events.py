"""What becomes of a report: messages that the platform takes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from examples.tracker_server import protocol
from examples.tracker_server.events import Network, message
from examples.tracker_server.protocol import REPORT, Frame, Malformed, Record
from functions.message_processor import events
from shared.messages import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, InboundDataEvent

NOW = 1_790_000_000_000
NETWORK = Network("trackers", "serial", "farm")
HERE = Record(NOW // 1000 - 10, (59.9139, 10.7522), 42.5, 181.0, 3.71, False)


def _events(*records: Record, sequence: int = 1, now: int = NOW) -> list[dict[str, Any]]:
    frame = Frame(REPORT, 351_000_000_017, sequence, protocol.encode_records(list(records)))
    data, attributes = message(frame, NETWORK, now)
    assert attributes == {"v": "1", "hops": "1", "projectId": "farm"}
    found: list[dict[str, Any]] = json.loads(data)
    return found


def test_a_record_is_an_event_of_the_device_that_the_serial_number_names() -> None:
    (event,) = _events(HERE)
    read = msgspec.convert(event, InboundDataEvent, strict=True)
    assert (read.project_id, read.network_id, read.alias_key, read.device_id) == (
        *("farm", "trackers", "serial"),
        "351000000017",
    )
    assert (read.time, read.received_time, read.original_time) == (NOW - 10_000, NOW, None)
    assert {write.path: write.value for write in read.data} == {
        "position": {"lat": 59.9139, "lon": 10.7522},
        "speed": 42.5,
        "course": 181.0,
        "battery/voltage": 3.71,
    }
    assert read.event == []


def test_what_receives_messages_takes_it() -> None:
    for event in _events(HERE, Record(5, None, 0, 0, 3.0, True)):
        assert (
            msgspec.json.decode(msgspec.json.encode(event), type=events.Inbound).device_id == "351000000017"
        )


def test_a_record_has_one_id_whatever_frame_it_comes_in_and_when() -> None:
    other = Record(HERE.time, HERE.position, 42.6, 181.0, 3.71, False)
    (first,) = _events(HERE)
    second, third = _events(other, HERE, sequence=2, now=NOW + 5_000)
    assert (first["id"], first["hash"]) == (third["id"], third["hash"])
    assert first["id"] != second["id"]
    elsewhere = Frame(REPORT, 5, 1, protocol.encode_records([HERE]))
    assert json.loads(message(elsewhere, NETWORK, NOW)[0])[0]["id"] != first["id"]


@pytest.mark.parametrize("sent", [0, 946_684_799, NOW // 1000 + 301])
def test_a_clock_that_cannot_be_right_is_replaced_and_kept(sent: int) -> None:
    (event,) = _events(Record(sent, None, 0, 0, 3.0, True))
    assert (event["time"], event["originalTime"]) == (NOW, sent * 1000)
    assert "position" not in {write["path"] for write in event["data"]}
    assert event["event"] == [{"type": "button", "id": f"{event['id']}-button", "time": NOW, "data": {}}]


def test_the_largest_report_is_a_batch_that_the_platform_takes() -> None:
    record = Record(2**32 - 1, (-89.9999999, -179.9999999), 6553.5, 6553.5, 65.535, True)
    frame = Frame(REPORT, 2**64 - 1, 65_535, protocol.encode_records([record] * protocol.MAX_RECORDS))
    assert len(protocol.encode(frame)) == protocol.MAX_FRAME
    data, _ = message(frame, NETWORK, NOW)
    assert len(json.loads(data)) <= MAX_BATCH_EVENTS
    assert len(data) <= MAX_BATCH_BYTES


def test_what_is_no_report_becomes_nothing() -> None:
    with pytest.raises(Malformed):
        message(Frame(9, 1, 1, b""), NETWORK, NOW)
