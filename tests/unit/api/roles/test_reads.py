"""What a request costs in reads, once its caller is known."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.core import ids
from shared.clients import firestore
from tests.support.api import Api


async def test_one_device_costs_one_read_beyond_what_is_remembered(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = api.project(ids.new_id())
    devices = api.documents.collection(f"projects/{project}/devices")
    common = {"blueprintId": "b1", "systemId": "s1", "version": 1, "created": 1, "lastModified": 1}
    devices.document("above").set(common | {"name": "Above"})
    devices.document("below").set(common | {"name": "Below", "parentDeviceId": "above"})
    reads: list[str] = []
    real_get, real_query = firestore.batch_get, firestore.run_query

    async def get(names: Any, mask: Any = None) -> Any:
        wanted = list(names)
        reads.extend(wanted)
        return await real_get(wanted, mask)

    async def query(parent: str, structured: Any) -> Any:
        reads.append(parent)
        return await real_query(parent, structured)

    monkeypatch.setattr(firestore, "batch_get", get)
    monkeypatch.setattr(firestore, "run_query", query)
    async with api.client(api.user(project, "device.read", on=("device", "above"))) as http:
        first = await http.get("/v1/device/below")
        assert first.status_code == 200, first.text
        reads.clear()
        assert (await http.get("/v1/device/below")).status_code == 200
    assert [name.rpartition("/")[2] for name in reads] == ["below"]
