"""What ingest accepts is never set aside for its content later on: the services judge by the same rules."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from fulcrum.core import fold, paths
from functions.ingest import assemble, decode
from functions.ingest.auth import Network
from functions.ingest.limits import Rates
from functions.message_processor import events
from functions.transponder.decode import decode as decode_stored
from shared import history
from shared.envelope import Delivery

NOW = 1_792_655_730_000
NETWORK = Network("n", "p", ("serial",), {}, Rates(0, 0))

_segments = st.sampled_from(["a", "b", "c", "a" * 21, "x1_", "_", "__", "__a", "a__"])
_paths = st.lists(_segments, min_size=1, max_size=12).map("/".join)
_leaves: st.SearchStrategy[Any] = st.sampled_from(
    [1, 1.0, -(2**63), 1e300, True, None, "x", [], {}, [[[1]], {"": 2, "__x__": [{}]}]]
)


@st.composite
def _chains(draw: st.DrawFn) -> Any:
    """A value deep below objects, with something beside it at some of their levels."""
    value = draw(_leaves)
    for _ in range(draw(st.integers(0, 16))):
        beside = draw(st.dictionaries(_segments, _leaves, max_size=1))
        value = {**beside, draw(_segments): value}
    return value


@st.composite
def _wide(draw: st.DrawFn) -> Any:
    """About as many leaves as a device may have."""
    branches = draw(st.integers(1, 4))
    count = draw(st.integers(paths.MAX_PATHS // branches - 2, paths.MAX_PATHS // branches + 2))
    return {f"b{branch}": {f"k{n}": n for n in range(count)} for branch in range(branches)}


_values = st.one_of(_leaves, _chains(), _chains(), _wide())
_writes = st.one_of(
    st.fixed_dictionaries({"path": _paths, "value": _values}),
    st.fixed_dictionaries({"path": _paths, "value": _values, "op": st.sampled_from(["set", "replace"])}),
    st.fixed_dictionaries({"path": _paths, "op": st.just("delete")}),
)
_records = st.lists(
    st.fixed_dictionaries({"data": _leaves}, optional={"id": st.sampled_from(["1", "2"])}), max_size=2
)
_events = st.fixed_dictionaries(
    {"deviceId": st.just("d")},
    optional={
        "data": st.one_of(st.lists(_writes, max_size=4), st.dictionaries(_paths, _values, max_size=3)),
        "event": _records,
    },
)


@given(st.lists(_events, min_size=1, max_size=3))
def test_what_is_accepted_settles_and_becomes_rows(sent: list[dict[str, Any]]) -> None:
    batch = assemble.batch(decode.parse(json.dumps(sent).encode(), False), NETWORK, NOW, "")
    assert len(batch.events) + len(batch.refused) == len(sent)
    device = events.Device("p", "d", "s", "b", "n")
    known = [events.encode(events.decode(Raw(event)), device) for event in batch.events]
    stored = decode_stored(Delivery("m", b"[" + b",".join(known) + b"]", {}, "", "", 0), NOW)
    assert stored.refusals == []
    assert len(stored.arrivals) == len(batch.events)
    for arrival in stored.arrivals:
        history.encode_all(arrival.rows)
        registers: fold.Registers = {}
        fold.fold(registers, [((NOW, arrival.message.id), arrival.settled)])
        assert len(registers) <= paths.MAX_PATHS
        # And is read back as it was settled.
        again: fold.Registers = {}
        fold.fold(again, [part for row in arrival.rows if (part := history.folded(row))])
        assert again == registers
