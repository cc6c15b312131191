"""How events become rows of the history, and rows events again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from fulcrum.core import fold
from shared import history, history_wire
from shared.errors import Rejected
from shared.messages import DeviceDataEvent, DeviceEventAck, EventRecord, Write

T = 1_700_000_000_000


def event(**changes: Any) -> DeviceDataEvent:
    fields: dict[str, Any] = {"id": "e", "hash": "h", "time": T, "received_time": T + 5, "project_id": "p"}
    return DeviceDataEvent(**{**fields, "device_id": "d", **changes})


def rows(one: DeviceDataEvent) -> list[history.Row]:
    return history.data_rows(one, fold.settle(one.data), T + 9, "m")


def test_a_data_row_has_every_column_that_the_event_has() -> None:
    full = event(
        system_id="s",
        blueprint_id="b",
        network_id="n",
        user_id="u",
        source="gw",
        original_time="yesterday",
        historical=True,
        data=[Write("a/b", 1.0), Write("c", op="delete")],
    )
    (row,) = rows(full)
    assert row == {
        "project_id": "p",
        "system_id": "s",
        "blueprint_id": "b",
        "device_id": "d",
        "network_id": "n",
        "time": T * 1000,
        "received_time": (T + 5) * 1000,
        "stored_time": (T + 9) * 1000,
        "original_time": '"yesterday"',
        "event_id": "e",
        "content_hash": "h",
        "kind": "data",
        "historical": True,
        "data": '{"a":{"b":1}}',
        "cleared": ("c",),
        "written": ["a/b", "c"],
        "user_id": "u",
        "source": "gw",
        "message_id": "m",
    }


def test_event_records_are_rows_of_their_own() -> None:
    records = [EventRecord("alarm", T - 1, "r1", {"level": 2.0}), EventRecord(), EventRecord()]
    data, first, second, third = rows(event(data=[Write("a", 1)], event=records))
    assert (data["kind"], "record_id" in data) == ("data", False)
    assert (first["kind"], first["event_type"], first["record_id"]) == ("event", "alarm", "r1")
    assert (first["time"], first["data"]) == ((T - 1) * 1000, '{"level":2}')
    assert (second["event_type"], second["time"], "data" in second) == ("default", T * 1000, False)
    # An id that nobody gave is made of the event's identity: a redelivery makes the same one.
    assert second["record_id"] != third["record_id"]
    assert rows(event(data=[Write("a", 1)], event=records))[2]["record_id"] == second["record_id"]
    other = rows(event(hash="h2", data=[Write("a", 1)], event=records))
    assert other[2]["record_id"] != second["record_id"]


@pytest.mark.parametrize("time", [None, T + 3_600_000, 12])
def test_a_record_without_a_time_that_can_be_right_has_its_events(time: int | None) -> None:
    (row,) = rows(event(event=[EventRecord(time=time)]))
    assert row["time"] == T * 1000


def test_an_input_gives_input_rows_alone() -> None:
    kinds = [row["kind"] for row in rows(event(kind="input", data=[Write("a", 1)], event=[EventRecord()]))]
    assert kinds == ["input", "input"]


def test_two_records_of_one_event_cannot_share_an_id() -> None:
    with pytest.raises(Rejected) as raised:
        rows(event(event=[EventRecord(id="r"), EventRecord(id="r")]))
    assert raised.value.error_type == "event.repeatedId"


@pytest.mark.parametrize("time", [-1, 253_402_300_800_000])
def test_a_time_that_no_calendar_has_is_refused(time: int) -> None:
    with pytest.raises(Rejected) as raised:
        rows(event(time=time, data=[Write("a", 1)]))
    assert raised.value.error_type == "event.time"


def test_an_acknowledgement_names_the_record() -> None:
    ack = DeviceEventAck(
        id="r1", time=T, received_time=T, project_id="p", device_id="d", event_type="alarm", user_id="u"
    )
    row = history.ack_row(ack, T, "m")
    assert (row["kind"], row["record_id"], row["event_type"], row["user_id"]) == ("ack", "r1", "alarm", "u")
    assert history.ack_row(ack, T + 1, "m2")["content_hash"] == row["content_hash"]
    later = msgspec.structs.replace(ack, time=T + 1)
    assert history.ack_row(later, T, "m")["content_hash"] != row["content_hash"]


def test_a_row_is_encoded_with_all_its_columns() -> None:
    (row,) = rows(event(data=[Write("a", 1), Write("b", op="delete")], system_id="s"))
    message: Any = history_wire.row_class(history.schema()).FromString(history.encode(row))
    read = {field.name: value for field, value in message.ListFields()}
    read |= {"cleared": tuple(read["cleared"]), "written": list(read["written"])}
    assert read == {**row, "historical": False}


def test_a_row_without_a_required_column_cannot_be_encoded() -> None:
    (row,) = rows(event(data=[Write("a", 1)]))
    del row["event_id"]
    with pytest.raises(Exception, match="event_id"):
        history.encode(row)


def test_rows_read_back_fold_to_what_the_events_do() -> None:
    events = [
        event(id="1", data=[Write("a", {"b": 1.0, "c": [1, {"x": 2.0}]}), Write("z", {})]),
        event(id="2", time=T + 1, data=[Write("a", {"d": 5}, op="replace"), Write("z", op="delete")]),
        event(id="3", time=T + 2, historical=True, data=[Write("a", 0)]),
        event(id="4", time=T + 3, kind="input", data=[Write("a", 0)]),
        event(id="5", time=T + 4, data=[Write("big", 1e17), Write("q", 2.0**70)], event=[EventRecord()]),
    ]
    straight: fold.Registers = {}
    for one in (events[0], events[1], events[4]):
        fold.fold(straight, [((one.time, one.id), fold.settle(one.data))])
    read: fold.Registers = {}
    for one in reversed(events):
        for row in rows(one):
            answer = {"data": None, "cleared": [], **row}
            answer["time"] = datetime.fromtimestamp(row["time"] / 1e6, UTC)
            if (part := history.folded(answer)) is not None:
                fold.fold(read, [part])
    assert fold.encode(read) == fold.encode(straight)


def test_a_baseline_row_counts_with_the_stamp_of_the_write_that_it_keeps() -> None:
    row = {"kind": "baseline", "historical": False, "time": T * 1000, "original_time": str(T - 500)}
    part = history.folded({**row, "event_id": "e", "data": '{"a":{"b":1}}', "cleared": ["c"]})
    assert part == ((T - 500, "e"), ({"a/b": 1}, ("c",)))


def test_the_schema_says_what_a_row_may_hold() -> None:
    columns = {column["name"]: column for column in history.schema()}
    full = event(
        data=[Write("a", 1), Write("c", op="delete")],
        event=[EventRecord(data=1)],
        system_id="s",
        blueprint_id="b",
        network_id="n",
        user_id="u",
        source="g",
        script_id="sc",
        original_time=1,
    )
    filled = {column for row in rows(full) for column in row}
    assert filled == set(columns)
    required = {name for name, column in columns.items() if column["mode"] == "REQUIRED"}
    for row in rows(full):
        assert required <= set(row)
    assert {*history.CLUSTERING, "time"} <= set(columns)
