"""Whatever goes wrong on the way, and in whatever order deliveries come: state is the fold of the history."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.transponder import store
from functions.transponder.handle import handle
from shared import fold, history
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
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def json_push(data: Any) -> bytes:
    """The body of a push."""
    return json.dumps(push(data)).encode()
