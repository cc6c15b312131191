"""Snapshots through the platform's own writer: used when they are complete, and only then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fulcrum.core import fold, ids
from shared import snapshot_writing
from shared.clients import history
from shared.errors import Rejected
from shared.search.body import read_search
from shared.search.fleet_sql import Window
from shared.search.queries import matching
from tests.integration.search.test_states import newest
from tests.support.warehouse import DATASET, Warehouse, hours_ago

_AT = hours_ago(20)


def devices(count: int, time: int = _AT) -> list[tuple[str, dict[str, Any], fold.Registers]]:
    fields = {"name": "n", "version": 1, "lastModified": _AT - 1}
    return [(f"d{index}", fields, {"t": ((time, "e"), index)}) for index in range(count)]


def test_a_snapshot_is_written_and_searched(bigquery: Warehouse) -> None:
    project = ids.new_id()

    async def write(held: Any) -> int:
        try:
            return await snapshot_writing.write(project, _AT, held)
        finally:
            await history.close()

    # Two rows a device, and the last one.
    assert asyncio.run(write(devices(700))) == 1401
    # Written again it says the same.
    assert asyncio.run(write(devices(700))) == 1401
    assert newest(bigquery, project, None) == _AT
    above = {"type": "comparison", "field": "data/t", "operator": ">=", "value": 690}
    window = Window.of(_AT, None, hours_ago(0))
    found = bigquery.run(matching(DATASET, project, read_search({"filter": above}), window))
    assert [row[0] for row in found] == [f"d{index}" for index in range(690, 700)]


def test_a_snapshot_that_broke_off_is_not_used(bigquery: Warehouse) -> None:
    project = ids.new_id()

    async def write() -> None:
        try:
            await snapshot_writing.write(project, _AT, [*devices(600), *devices(1, _AT + 1)])
        finally:
            await history.close()

    with pytest.raises(Rejected, match="after"):
        asyncio.run(write())
    assert newest(bigquery, project, None) is None
