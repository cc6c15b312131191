"""Whatever goes wrong on the way, and in whatever order deliveries come: state is the fold of the history."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulcrum.core import fold
from functions.ingest import assemble
from functions.ingest.auth import Network
from functions.ingest.limits import Rates
from functions.transponder import store
from functions.transponder.handle import handle
from shared import history
from shared.clients import firestore
from shared.clients import history as history_client
from shared.envelope import decode_push
from shared.errors import Transient
from tests.support.transponder import T, Transponder, event, push

_writes = st.one_of(
    st.builds(
        lambda path, value, op: {"path": path, "value": value, "op": op},
        st.sampled_from(["a", "a/b", "a/b/c", "d"]),
        st.sampled_from([1, "x", {"b": 2}, [1], {}]),
        st.sampled_from(["set", "replace"]),
    ),
    st.builds(lambda path: {"path": path, "op": "delete"}, st.sampled_from(["a", "a/b", "d"])),
)
_events = st.builds(
    lambda n, device, time, data: event(f"e{n}-{device}-{time}", device, time=T + time, data=data),
    st.integers(0, 3),
    st.sampled_from(["child", "other", "parent"]),
    st.integers(0, 4),
    st.lists(_writes, min_size=1, max_size=2),
)
_batches = st.lists(st.lists(_events, min_size=1, max_size=4), min_size=1, max_size=6)


class Trouble:
    """Lets calls fail before or after their work, and others write in between."""

    def __init__(self, service: Transponder, seed: int) -> None:
        self.rng = random.Random(seed)
        self.service = service
        self.write, self.append = service.firestore.batch_write_timed, service.history.append

    async def batch_write_timed(self, writes: Any) -> Any:
        if self.rng.random() < 0.3:
            self.service.firestore.put(self.rng.choice(["child", "other", "parent"]), touched=True)
        if self.rng.random() < 0.2:
            raise Transient("UNAVAILABLE")
        answer = await self.write(writes)
        if self.rng.random() < 0.2:
            raise Transient("DEADLINE_EXCEEDED")
        return answer

    async def append_rows(self, rows: Any, within: float = 20.0) -> Any:
        if self.rng.random() < 0.2:
            raise Transient("UNAVAILABLE")
        answer = await self.append(rows)
        if self.rng.random() < 0.2:
            raise Transient("DEADLINE_EXCEEDED")
        return answer


async def deliver(body: bytes) -> None:
    """As Pub/Sub does: again until it is acknowledged."""
    for _ in range(200):
        try:
            await handle(decode_push(body))
            return
        except Transient:
            continue
    raise AssertionError("never acknowledged")


@given(_batches, st.integers(0, 2**32), st.booleans())
@settings(max_examples=60)
def test_state_is_the_fold_of_the_history(batches: list[Any], seed: int, together: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_PAUSE", 0)
        service = Transponder(patch)
        trouble = Trouble(service, seed)
        patch.setattr(firestore, "batch_write_timed", trouble.batch_write_timed)
        patch.setattr(history_client, "append", trouble.append_rows)
        service.firestore.put("child", forwardTo=["parent"])
        service.firestore.put("other", forwardTo=["parent"])
        service.firestore.put("parent")

        async def run() -> None:
            bodies = [json_push(batch) for batch in batches]
            if together:
                await asyncio.gather(*map(deliver, bodies))
            else:
                for body in bodies:
                    await deliver(body)
            while again := [data for data, _ in service.topics.on("writer")]:
                service.topics.published.clear()
                for data in again:
                    await deliver(json_push(data))

        asyncio.run(run())
    assert service.topics.published == []
    for device in ("child", "other", "parent"):
        registers: fold.Registers = {}
        for row in service.history.rows:
            part = history.folded(row)
            if row["device_id"] == device and part is not None:
                fold.fold(registers, [part])
        document = service.firestore.device(device)
        assert document.get("registers", b"") == (fold.encode(registers) if registers else b"")
        assert document.get("data", {}) == fold.derive(registers)
    sent = {message["id"] for batch in batches for message in batch}
    assert sent <= {row["event_id"] for row in service.history.rows}


_sent = st.fixed_dictionaries(
    # Few ids and times: two senders use the same ones, for the same and for other things.
    {
        "deviceId": st.just("v"),
        "id": st.sampled_from(["1", "2"]),
        # Now and then a clock that is a year ahead, or was never set.
        "time": st.sampled_from([T, T + 1, T + 2, T + 31_536_000_000, 1]),
        "data": st.lists(_writes, min_size=1, max_size=2),
    },
    optional={"historical": st.just(True), "event": st.just({"type": "alarm"})},
)


@given(st.lists(_sent, min_size=1, max_size=6), st.data())
@settings(max_examples=60)
def test_order_repetition_and_batching_change_neither_state_nor_history(
    sent: list[dict[str, Any]], data: st.DataObject
) -> None:
    network = Network("n", "farm", ("serial",), {}, Rates(0, 0))
    taken = assemble.batch(sent, network, T + 10, "")
    assert taken.refused == []
    ids = {"type": "deviceDataEventMsg", "deviceId": "child"}
    messages = [{**json.loads(text), **ids} for text in taken.events]
    once = outcome([messages])
    left = data.draw(
        st.permutations([*messages, *data.draw(st.lists(st.sampled_from(messages), max_size=4))])
    )
    batches = []
    while left:
        size = data.draw(st.integers(1, len(left)))
        batches.append(left[:size])
        left = left[size:]
    assert outcome(batches) == once


def outcome(batches: list[Any]) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """The documents of a device and its parent, and the distinct rows of history, after these deliveries."""
    with pytest.MonkeyPatch.context() as patch:
        service = Transponder(patch)
        service.firestore.put("child", forwardTo=["parent"])
        service.firestore.put("parent")

        async def run() -> None:
            for batch in batches:
                await deliver(json_push(batch))

        asyncio.run(run())
    rows = [{**row, "stored_time": 0, "message_id": ""} for row in service.history.rows]
    return service.firestore.documents, {repr(sorted(row.items())) for row in rows}


def json_push(data: Any) -> bytes:
    """The body of a push."""
    return json.dumps(push(data)).encode()
