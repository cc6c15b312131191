"""The state at a past instant: the fold of the rows up to it, whatever came late, twice or in a snapshot."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from hypothesis import given, settings
from hypothesis import strategies as st

from fulcrum.core import fold, ids
from functions.api.history.state_at import MAX_DEVICES, state_at
from shared import clock, device_rows
from shared.config import settings as configuration
from shared.history import Row
from shared.messages import DeviceDataEvent, Write
from tests.support.history import History, at, event, rows_of

START = at("10:00:00.0")
writes = st.builds(
    lambda path, value, op: Write(path, None if op == "delete" else value, op=op),
    st.sampled_from(["a", "a/b", "a/b/c", "x", "x/y"]),
    st.sampled_from([1, 2.5, "t", None, {"b": 7}, [1], {}]),
    st.sampled_from(["set", "set", "replace", "delete"]),
)
changes = st.lists(
    st.tuples(st.integers(0, 9), st.lists(writes, min_size=1, max_size=3), st.booleans()),
    min_size=1,
    max_size=8,
)


def events_of(project: str, given: list[tuple[int, list[Write], bool]]) -> list[DeviceDataEvent]:
    return [
        event(project, START + offset, id=f"e{i}", historical=historical, writes=made)
        for i, (offset, made, historical) in enumerate(given)
    ]


def folded(events: list[DeviceDataEvent], until: int) -> dict[str, Any]:
    """What the transponder would have made of them."""
    registers: fold.Registers = {}
    counted = [one for one in events if one.time <= until and not one.historical]
    fold.fold(registers, [((one.time, one.id), fold.settle(one.data)) for one in counted])
    return fold.derive(registers)


@settings(max_examples=25)
@given(changes, st.integers(-1, 10))
def test_any_events_fold_to_what_the_device_had(
    history: History, given: list[tuple[int, list[Write], bool]], offset: int
) -> None:
    project = ids.new_id()
    events = events_of(project, given)
    history.append(rows_of([*events, *reversed(events)]))
    states = asyncio.run(state_at(project, ["d1", "d2"], START + offset))
    assert states["d1"].data == folded(events, START + offset)
    assert (states["d2"].data, states["d2"].last_event_time) == ({}, None)


async def test_devices_and_projects_are_kept_apart(history: History, project: str) -> None:
    history.write(
        event(project, START, {"v": 1}, device_id="d1"),
        event(project, START, {"v": 2}, device_id="d2"),
        event(f"other-{project}", START + 1, {"v": 3}, device_id="d1"),
    )
    states = await state_at(project, ["d1", "d2", "d1"], START + 5)
    assert {device: state.data for device, state in states.items()} == {"d1": {"v": 1}, "d2": {"v": 2}}
    assert states["d1"].last_event_time == START
    assert await state_at(project, [], START) == {}
    of_blueprint = await state_at(project, ["d1"], START + 5, ["b1", "b2"])
    assert of_blueprint["d1"].data == {"v": 1}
    assert (await state_at(project, ["d1"], START + 5, ["b2"]))["d1"].data == {}
    with pytest.raises(ValueError, match="at most"):
        await state_at(project, ["d"] * (MAX_DEVICES + 1), START)


def snapshot(history: History, rows: list[Row]) -> None:
    """Write snapshot rows, as REST takes them."""
    client = bigquery.Client(
        project=configuration().cloud_project,
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=history.address.http),
    )
    table = client.get_table(f"{configuration().bigquery_dataset}.{device_rows.SNAPSHOTS}")
    times = ("snapshot_time", "time")
    plain = [
        {
            key: clock.from_ms(value // 1000).isoformat() if key in times else value
            for key, value in row.items()
        }
        for row in rows
    ]
    assert client.insert_rows_json(table, plain) == []
    client.close()


async def test_a_snapshot_stands_for_the_rows_before_it_and_late_ones_count(
    history: History, project: str
) -> None:
    taken = START + 600_000
    known = event(project, START, {"a": 1, "b": 1})
    registers: fold.Registers = {}
    fold.fold(registers, [((START, known.id), fold.settle(known.data))])
    rows = list(device_rows.snapshot_rows(project, taken, "d1", {"name": "d1"}, registers))
    late = event(project, START + 1, {"b": 2})
    late_rows = rows_of([late])
    late_rows[0]["stored_time"] = (taken + 5) * 1000
    # Too late to be looked for behind the snapshot.
    long_late_rows = rows_of([event(project, START - 40 * 86_400_000, {"long": 1})])
    long_late_rows[0]["stored_time"] = (taken + 5) * 1000
    after = event(project, taken + 1, {"c": 3})
    # What is only in the snapshot shows that it is used; a snapshot that is not complete is not.
    fold.fold(registers, [((START, "only"), fold.settle([Write("only", "there")]))])
    rows = list(device_rows.snapshot_rows(project, taken, "d1", {"name": "d1"}, registers))
    with ThreadPoolExecutor(1) as thread:
        thread.submit(snapshot, history, rows).result()
        history.append([*rows_of([known, after]), *late_rows, *long_late_rows])
        assert (await state_at(project, ["d1"], taken))["d1"].data == {"a": 1, "b": 2, "long": 1}
        thread.submit(snapshot, history, [device_rows.complete_row(project, taken)]).result()
    before = (await state_at(project, ["d1"], taken - 1))["d1"].data
    then = (await state_at(project, ["d1"], taken))["d1"].data
    later = (await state_at(project, ["d1"], taken + 1))["d1"].data
    assert before == {"a": 1, "b": 2, "long": 1}
    assert then == {"a": 1, "b": 2, "only": "there"}
    assert later == {"a": 1, "b": 2, "only": "there", "c": 3}
