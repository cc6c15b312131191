"""A page costs the same however large the fleet is, and so does the memory of an export."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import functions_framework.aio
import pytest

from fulcrum.core import ids
from local.processes import ROOT
from shared import clock, device_rows, names
from shared.clients import bigquery, firestore
from shared.clients.firestore_pb import messages
from shared.history import Row
from shared.messages import Write
from shared.values import to_fields
from tests.support.api import Api, embedded_api
from tests.support.warehouse import Warehouse, data_row, warehouse

SIZES = (1_000, 100_000)
_CHUNK = 5_000

SEARCHES: list[tuple[str, dict[str, Any]]] = [
    ("firestore", {}),
    ("firestore", {"sort": ["name"]}),
    ("firestore", {"filter": {"type": "equals", "field": "data/state", "value": "on"}}),
    ("firestore", {"filter": {"type": "comparison", "field": "data/t", "operator": ">=", "value": 3}}),
    ("firestore", {"filter": {"type": "equals", "field": "tags", "value": "north"}, "sort": ["name"]}),
    ("bigquery", {"filter": {"type": "exists", "field": "data/t"}}),
    ("bigquery", {"filter": {"type": "contains", "field": "name", "value": "7"}, "sort": ["data/t"]}),
]


class Fleet:
    """A project with so many devices, every tenth of which has sent something."""

    def __init__(self, api: Api, store: Warehouse, size: int) -> None:
        self.api = api
        self.project = api.project(ids.new_id())
        self._store = store
        self._size = size
        self._before = clock.now_ms() - 60_000

    async def load(self) -> None:
        """Write it into both stores, a few thousand at a time."""
        pb = messages()
        for start in range(0, self._size, _CHUNK):
            writes: list[Any] = []
            rows: list[Row] = []
            for number in range(start, min(start + _CHUNK, self._size)):
                device_id = f"d{number:06}"
                fields = {"name": f"n{number}", "blueprintId": "b", "systemId": "s", "version": 1}
                fields |= {"tags": ["north"], "created": self._before}
                write = pb.Write(update=pb.Document(name=names.device(self.project, device_id)))
                data = {"state": "on", "t": number % 7}
                to_fields(write.update.fields, {**fields, "data": data})
                writes.append(write)
                rows.append(device_rows.device_row(self.project, device_id, fields, self._before))
                if number % 10 == 0:
                    stamp = (self._before, "e")
                    sent = [Write("state", "on"), Write("t", number % 7)]
                    rows.append(data_row(self.project, device_id, stamp, sent))
            assert set(await firestore.batch_write(writes)) == {0}
            self._store.add_events(rows)


@pytest.fixture(scope="module")
def stores() -> Iterator[tuple[Api, Warehouse]]:
    with warehouse() as store, embedded_api() as api:
        yield api, store


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Devices read, and calls for devices, of both clients. (Who calls is read too, at times.)"""
    counted: Counter[str] = Counter()
    batch_get, run_query, start = firestore.batch_get, firestore.run_query, bigquery.start

    async def got(wanted: Any, *args: Any, **more: Any) -> Any:
        listed = list(wanted)
        found = await batch_get(listed, *args, **more)
        if any("/devices/" in name for name in listed):
            counted.update(documents=len(found), gets=1)
        return found

    async def queried(parent: str, query: Any) -> Any:
        found = await run_query(parent, query)
        if query.from_[0].collection_id == "devices":
            counted.update(documents=len(found), queries=1)
        return found

    async def started(*args: Any, **more: Any) -> Any:
        counted["jobs"] += 1
        return await start(*args, **more)

    monkeypatch.setattr(firestore, "batch_get", got)
    monkeypatch.setattr(firestore, "run_query", queried)
    monkeypatch.setattr(bigquery, "start", started)
    return counted


@pytest.mark.slow
async def test_a_page_of_each_kind_costs_the_same_at_any_size(
    stores: tuple[Api, Warehouse], costs: Counter[str]
) -> None:
    paid: dict[int, list[Counter[str]]] = {}
    for size in SIZES:
        fleet = Fleet(*stores, size)
        await fleet.load()
        token = fleet.api.user(fleet.project, "device.read", "device.readData")
        paid[size] = []
        async with fleet.api.client(token) as client:
            for source, body in SEARCHES:
                following: dict[str, str] = {}
                for _ in range(2):
                    costs.clear()
                    answer = await client.post(
                        f"/v1/project/{fleet.project}/devices.search",
                        json=body | following | {"perPage": 20},
                    )
                    assert answer.status_code == 200, answer.text
                    assert answer.json()["source"] == source
                    assert answer.json()["count"] == 20
                    # The page, and one more to see whether there is a next.
                    assert costs["documents"] <= 20 + 1
                    paid[size].append(Counter({key: n for key, n in costs.items() if n}))
                    following = {"cursor": answer.json()["next"]}
    assert paid[SIZES[0]] == paid[SIZES[1]]
    # The second page of what BigQuery found starts nothing there.
    assert [one["jobs"] for one in paid[SIZES[1]][-2:]] == [1, 0]


async def exported(fleet: Fleet, body: dict[str, Any]) -> tuple[int, int]:
    """The lines of an export, and the most memory that it took on the way: what comes is let go at once."""
    token = fleet.api.user(fleet.project, "device.read", "device.readData")
    app = functions_framework.aio.create_asgi_app(
        target="api", source=str(ROOT / "functions/api/main.py"), signature_type="http"
    )
    sent = json.dumps(body).encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": f"/v1/project/{fleet.project}/devices.search",
        "raw_path": b"",
        "query_string": b"format=jsonl",
        "headers": [(b"authorization", f"Bearer {token}".encode()), (b"host", b"api")],
        "scheme": "http",
        "server": ("api", 80),
        "client": ("127.0.0.1", 1),
    }
    lines = 0
    waiting = [{"type": "http.request", "body": sent, "more_body": False}]
    done = asyncio.Event()

    async def receive() -> Any:
        if waiting:
            return waiting.pop()
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal lines
        lines += message.get("body", b"").count(b"\n")
        if message["type"] == "http.response.body" and not message.get("more_body"):
            done.set()

    tracemalloc.start()
    try:
        await app(scope, receive, send)
        return lines, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        await firestore.close()


@pytest.mark.slow
@pytest.mark.parametrize("filter_", [{}, {"type": "exists", "field": "name"}])
async def test_an_export_of_ten_times_as_much_takes_no_more_memory(
    stores: tuple[Api, Warehouse], filter_: dict[str, Any]
) -> None:
    peaks = []
    for size in (400, 600, 6_000):
        fleet = Fleet(*stores, size)
        await fleet.load()
        lines, peak = await exported(fleet, {"filter": filter_})
        assert lines == size
        peaks.append(peak)
    # The first one pays for what is loaded once.
    assert peaks[2] < 1.3 * peaks[1] + 500_000, peaks
