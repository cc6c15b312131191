"""Caches that instances keep are what stands in the store, whoever writes, deletes and reads in between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.reason import queries, reading
from functions.reason.caches import Caches
from shared import names
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from tests.properties import test_scripts
from tests.support.reason import PROJECT, Documents

CACHES, INSTANCES = 7, 3
_some = st.lists(st.integers(0, CACHES - 1), min_size=1, max_size=CACHES, unique=True)
_step = st.one_of(
    st.tuples(st.just("write"), st.integers(0, INSTANCES - 1), _some),
    st.tuples(st.just("lost"), st.integers(0, INSTANCES - 1), _some),
    st.tuples(st.just("old"), st.just(0), _some),
    st.tuples(st.just("delete"), st.just(0), _some),
    st.tuples(st.just("read"), st.integers(0, INSTANCES - 1), _some),
)


async def _walk(documents: Documents, steps: list[Any]) -> None:
    instances = [Caches() for _ in range(INSTANCES)]
    for number, (kind, instance, which) in enumerate(steps):
        wanted = [names.document("projects", PROJECT, "caches", str(each)) for each in which]
        if kind == "read":
            found = await instances[instance].read(PROJECT, "s", wanted)
            stored = {name: documents.stored[name] for name in wanted if name in documents.stored}
            assert {name: cache.value for name, cache in found.items()} == {
                name: fields["value"] for name, fields in stored.items()
            }
            assert {name: cache.update_time.seconds for name, cache in found.items()} == {
                name: documents.times[name] for name in stored
            }
            continue
        written = {name: {"value": str(number), "mark": f"{number}-{name}"} for name in wanted}
        for name, fields in written.items():
            documents.stored.pop(name, None)
            if kind == "old":
                del fields["mark"]
            if kind != "delete":
                documents.put(name, **fields)
        if kind == "write":
            times = [_time(documents.times[name]) for name in wanted]
            instances[instance].wrote(written, times)


def _time(seconds: int) -> Any:
    """An update time as the store answers it."""
    made = messages().Precondition().update_time
    made.seconds = seconds
    return made


@settings(max_examples=200, deadline=None)
@given(st.lists(_step, max_size=25))
def test_what_is_read_is_what_stands_in_the_store(steps: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        documents = Documents()
        for name in ("batch_get", "run_query", "count"):
            patch.setattr(firestore, name, getattr(documents, name))
        patch.setattr(queries, "MOST", 3)
        asyncio.run(_walk(documents, steps))


@pytest.mark.slow
def test_any_interleaving_gives_each_effect_once_where_every_cache_is_kept() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "FEW", 0)
        test_scripts.test_any_interleaving_of_redeliveries_gives_each_effect_once()
