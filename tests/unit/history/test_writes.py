"""A row gives back the writes of its event, in their order and with their operations."""

from __future__ import annotations

import msgspec
import pytest

from fulcrum.core import fold
from shared import history
from shared.history_writes import writes_of
from shared.messages import DeviceDataEvent, Write

T = 1_790_000_000_000


def row_of(writes: list[Write]) -> history.Row:
    event = DeviceDataEvent(
        id="e", hash="h", time=T, received_time=T, project_id="p", device_id="d", data=writes
    )
    (row,) = history.data_rows(event, fold.settle(writes), T, "m")
    return row


@pytest.mark.parametrize(
    ("writes", "kept"),
    [
        ([Write("a", 1)], False),
        ([Write("a", 1), Write("b", {"c": 2})], False),
        ([Write("b", 1), Write("a", 2)], True),
        ([Write("position", {"lat": 1.5, "lon": 2})], False),
        ([Write("engine/temperature", 5)], True),
        ([Write("a/b", 1), Write("a/c", {"d": [1]})], True),
        ([Write("a", op="delete")], False),
        ([Write("a", {"b": 1}, op="replace")], False),
        ([Write("x", 1), Write("a", op="delete")], True),
        ([Write("a/b", {}), Write("c/d", op="delete")], True),
    ],
)
def test_writes_come_back_as_they_were_sent(writes: list[Write], kept: bool) -> None:
    row = row_of(writes)
    assert ("written" in row) is kept
    data = msgspec.json.decode(row["data"]) if "data" in row else None
    assert writes_of(data, row.get("cleared", ()), row.get("written", ())) == writes


def test_what_a_later_write_undid_is_lost_and_the_state_is_the_same() -> None:
    writes = [Write("a", 1), Write("a/b", 2), Write("a/b", 3), Write("c", 1), Write("c", op="delete")]
    row = row_of(writes)
    back = writes_of(msgspec.json.decode(row["data"]), row["cleared"], row.get("written", ()))
    assert fold.settle(back).leaves == fold.settle(writes).leaves == {"a/b": 3}
