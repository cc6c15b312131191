"""The API on a strict Firestore and a BigQuery, with a small fleet in both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fulcrum.core import ids
from shared import clock, device_rows
from shared.messages import Write
from tests.support.api import Api, embedded_api
from tests.support.warehouse import Warehouse, data_row, warehouse


class Fleet:
    """A project whose devices stand in both stores, as the platform would have written them."""

    def __init__(self, api: Api, store: Warehouse) -> None:
        self.api = api
        self.store = store
        self.project = api.project(ids.new_id())
        self.before = clock.now_ms() - 3_600_000
        for system in ("s1", "s2"):
            api.documents.document(f"projects/{self.project}/systems/{system}").set({"name": system})

    def add(self, device_id: str, data: dict[str, Any] | None = None, **fields: Any) -> str:
        """A device with its state, which came in an hour ago."""
        made = {"name": device_id, "blueprintId": "b1", "systemId": "s1", "purpose": "device"} | fields
        made |= {"version": 1, "created": self.before, "lastModified": self.before}
        document = self.api.documents.document(f"projects/{self.project}/devices/{device_id}")
        document.set({**made, "data": data or {}, "registers": b""})
        row = device_rows.device_row(self.project, device_id, made, self.before)
        rows = [row]
        if data:
            writes = [Write(path, value) for path, value in data.items()]
            rows.append(data_row(self.project, device_id, (self.before + 1, "e"), writes))
        self.store.add_events(rows)
        return device_id

    def change(self, device_id: str, **fields: Any) -> None:
        """Change the document alone, as if the rows of it were on their way."""
        self.api.documents.document(f"projects/{self.project}/devices/{device_id}").update(fields)


# As long as the tests of this folder: what it sets in this process ends with them.
@pytest.fixture(scope="package")
def stores() -> Iterator[tuple[Api, Warehouse]]:
    with warehouse() as store, embedded_api() as api:
        yield api, store


@pytest.fixture
def fleet(stores: tuple[Api, Warehouse]) -> Fleet:
    return Fleet(*stores)


@pytest.fixture
def cold(fleet: Fleet) -> Fleet:
    fleet.add("d1", {"t": 5, "position": {"lat": 52.0, "lon": 13.0}}, tags=["north"], name="Alpha")
    fleet.add("d2", {"t": 15, "state": "on"}, tags=["north", "old"], name="beta", systemId="s2")
    fleet.add("d3", {"t": 25, "state": "off"}, links=["a1:d1"], parentDeviceId="d1", name="Gamma")
    fleet.add("d4", {}, blueprintId="b2", name="delta", metadata={"floor": 2})
    return fleet
