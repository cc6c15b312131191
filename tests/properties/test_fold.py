"""The fold against a slow, obvious reference, under every order, repetition and batching of events."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fulcrum.core import fold
from shared import history, history_wire
from shared.messages import DeviceDataEvent, Write

Event = tuple[fold.Stamp, list[Write]]

# Few names and few stamps, so that paths, ancestors, times and ids meet all the time.
_paths = st.lists(st.sampled_from("ab0"), min_size=1, max_size=3).map("/".join)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([1.0, 1.5, -0.0, 1e17, 2.0**63, 2**64 - 1, "", "x", [], [1, [2.0]], [{"": 1}], {}]),
)
_values = st.recursive(_scalars, lambda inner: st.dictionaries(st.sampled_from("ab0"), inner, max_size=2))
_writes = st.one_of(
    st.builds(Write, path=_paths, value=_values),
    st.builds(Write, path=_paths, value=_values, op=st.sampled_from(["set", "replace"])),
    st.builds(Write, path=_paths, op=st.just("delete")),
)
_stamps = st.tuples(st.integers(0, 3), st.sampled_from(["i", "j"]))
_events = st.lists(st.tuples(_stamps, st.lists(_writes, max_size=3)), max_size=7)


# -- the reference: paths are tuples, everything is looked for by comparing everything with everything ----


def plain(value: Any) -> Any:
    """What a value is after a store that knows integers of 64 bits and doubles."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return int(value) if value == int(value) and -(2**63) <= value < 2**63 else float(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()}


def leaves_of(path: tuple[str, ...], value: Any) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        return [leaf for key in value for leaf in leaves_of((*path, key), value[key])]
    return [(path, plain(value))]


def settled(writes: list[Write]) -> tuple[dict[tuple[str, ...], Any], set[tuple[str, ...]]]:
    """Leaves that are left when the writes were carried out, and every path that ended something."""
    leaves: dict[tuple[str, ...], Any] = {}
    ended: set[tuple[str, ...]] = set()
    for write in writes:
        path = tuple(write.path.split("/"))
        under_scalar = any(path[:n] in leaves for n in range(1, len(path)))
        if write.op in ("replace", "delete") and not under_scalar:
            leaves = {p: v for p, v in leaves.items() if p[: len(path)] != path}
            ended.add(path)
        if write.op == "delete":
            continue
        for leaf, value in leaves_of(path, write.value):
            for n in range(1, len(leaf)):
                if leaf[:n] in leaves:
                    del leaves[leaf[:n]]
                    ended.add(leaf[:n])
            leaves = {p: v for p, v in leaves.items() if p[: len(leaf)] != leaf}
            leaves[leaf] = value
    return leaves, ended


def reference(events: list[Event]) -> dict[str, Any]:
    """Nested data from all events at once, without registers that are kept, pruned or stored."""
    candidates: list[tuple[tuple[str, ...], fold.Stamp, tuple[int, bytes], Any]] = []
    for stamp, writes in events:
        leaves, ended = settled(writes)
        for path in ended:
            if path not in leaves:
                candidates.append((path, stamp, (0, b""), None))
        for path, value in leaves.items():
            text = msgspec.json.encode(value, order="deterministic")
            candidates.append((path, stamp, (1, text), value))
    winners = [
        one
        for one in candidates
        if not any(other[0] == one[0] and (other[1], other[2]) > (one[1], one[2]) for other in candidates)
    ]
    visible = [
        one
        for one in winners
        if one[2][0] == 1
        and not any(
            len(other[0]) < len(one[0]) and one[0][: len(other[0])] == other[0] and other[1] > one[1]
            for other in candidates
        )
    ]
    data: dict[str, Any] = {}
    for path, _, _, value in sorted(visible, key=lambda one: len(one[0])):
        node = data
        for key in path[:-1]:
            if not isinstance(node.get(key), dict):
                node[key] = {}
            node = node[key]
        node[path[-1]] = {} if value == {} else value
    return data


def typed(value: Any) -> Any:
    """JSON text, so that 1, True and 1.0 differ."""
    return msgspec.json.encode(value, order="deterministic")


def folded(events: list[Event]) -> fold.Registers:
    registers: fold.Registers = {}
    fold.fold(registers, [(stamp, fold.settle(writes)) for stamp, writes in events])
    return registers


@given(_events)
@settings(max_examples=600, deadline=None)
def test_the_fold_is_what_the_reference_says(events: list[Event]) -> None:
    assert typed(fold.derive(folded(events))) == typed(reference(events))


@given(_events, st.data())
@settings(max_examples=400, deadline=None)
def test_order_repetition_and_batching_change_nothing(events: list[Event], data: st.DataObject) -> None:
    whole = folded(events)
    repeats = data.draw(st.lists(st.sampled_from(events), max_size=3)) if events else []
    shuffled = data.draw(st.permutations([*events, *repeats]))
    registers: fold.Registers = {}
    nested: dict[str, Any] = {}
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        batch, shuffled = shuffled[:size], shuffled[size:]
        # Between batches the registers are bytes in a document, and only changed keys are written.
        registers = fold.decode(fold.encode(registers))
        changed = fold.fold(registers, [(stamp, fold.settle(writes)) for stamp, writes in batch])
        update = fold.derive(registers, changed)
        for key in changed:
            nested.pop(key, None)
        nested.update(update)
    assert fold.encode(registers) == fold.encode(whole)
    assert typed(nested) == typed(fold.derive(whole)) == typed(reference(events))


@given(_events)
@settings(max_examples=200, deadline=None)
def test_what_is_dropped_never_mattered(events: list[Event]) -> None:
    """Incremental with pruning after each event == once at the end."""
    registers: fold.Registers = {}
    for stamp, writes in events:
        fold.fold(registers, [(stamp, fold.settle(writes))])
    assert registers == folded(events)
    for path, (stamp, _) in registers.items():
        assert not any(registers[up][0] > stamp for up in fold.ancestors(path) if up in registers)


@given(st.lists(_writes, max_size=5))
@settings(max_examples=400, deadline=None)
def test_settling_twice_is_settling_once(writes: list[Write]) -> None:
    """Leaves and cleared paths, read as writes again, settle to themselves (as rows of history do)."""
    once = fold.settle(writes)
    again = [Write(path, op="delete") for path in once.cleared]
    again += [Write(path, value) for path, value in fold.nest(once.leaves).items()]
    assert fold.settle(again) == once
    for path in once.leaves:
        assert not any(up in once.leaves for up in fold.ancestors(path))


@given(st.lists(st.lists(st.builds(Write, path=_paths, value=_values), min_size=1, max_size=2), max_size=6))
@settings(max_examples=300, deadline=None)
def test_events_in_order_do_what_a_plain_document_would(batches: list[list[Write]]) -> None:
    """Without deletes, events in the order of their times act like writes to a nested document."""
    document: dict[str, Any] = {}
    for writes in batches:
        for write in writes:
            for path, value in leaves_of(tuple(write.path.split("/")), write.value):
                node = document
                for key in path[:-1]:
                    if not isinstance(node.get(key), dict):
                        node[key] = {}
                    node = node[key]
                node[path[-1]] = value
    events = [((time, "i"), writes) for time, writes in enumerate(batches)]
    assert typed(fold.derive(folded(events))) == typed(document)


@given(st.lists(st.tuples(_stamps, st.lists(_writes, min_size=1, max_size=3), st.booleans()), max_size=6))
@settings(max_examples=200, deadline=None)
def test_rows_of_the_history_fold_to_what_their_events_do(
    sent: list[tuple[fold.Stamp, list[Write], bool]],
) -> None:
    """Rows encoded for BigQuery and read back, in any order and with historical ones between them."""
    message: Any = history_wire.row_class(history.schema())
    read: fold.Registers = {}
    for (time, event_id), writes, historical in reversed(sent):
        event = DeviceDataEvent(
            id=event_id,
            hash="h",
            time=time,
            received_time=time,
            project_id="p",
            device_id="d",
            historical=historical,
            data=writes,
        )
        for row in history.data_rows(event, fold.settle(writes), 9, "m"):
            got = message.FromString(history.encode(row))
            columns = {"kind": got.kind, "historical": got.historical, "event_id": got.event_id}
            data = got.data if got.HasField("data") else None
            part = history.folded({**columns, "time": got.time, "data": data, "cleared": list(got.cleared)})
            assert (part is None) == historical
            if part is not None:
                fold.fold(read, [part])
    live = folded([(stamp, writes) for stamp, writes, historical in sent if not historical])
    assert fold.encode(read) == fold.encode(live)
