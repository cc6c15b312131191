"""What stands below devices: all of it, by names alone, and no more reads than asked for."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.core import ids
from functions.api.devices.below import with_below
from shared.clients import firestore
from tests.support.api import Api


async def test_all_below_are_found_and_a_limit_bounds_what_is_read(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = api.project(ids.new_id())
    devices = api.documents.collection(f"projects/{project}/devices")
    for number in range(40):
        parent = {"parentDeviceId": f"d{number // 3:02}"} if number else {}
        devices.document(f"d{number:02}").set({"name": "n", "data": {"much": "x" * 100}} | parent)
    read: list[Any] = []
    run_query = firestore.run_query

    async def counted(parent: str, query: Any) -> Any:
        found = await run_query(parent, query)
        read.extend(found)
        return found

    monkeypatch.setattr(firestore, "run_query", counted)
    assert await with_below(project, ["d00"], 1_000) == {f"d{number:02}" for number in range(40)}
    assert not any(document.fields for document in read)
    read.clear()
    assert len(await with_below(project, ["d00"], 5)) > 5
    assert len(read) <= 2 * (5 + 1)
