"""What operations read: the same number of documents, however many devices there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from functions.api import recent
from shared import clock, names, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from tests.support.api import Api
from tests.unit.api.devices.test_interface import House

# Who calls, and in which project, is remembered for some seconds, which here do not pass; what he calls for
# is not.
_OF_THE_CALLER = ("/sessions/", "/users/", "/userRoles/", "/roles/", "/apiAccess/")


class Reads:
    """Documents read, and asked for in vain, beside those about the caller."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.documents: list[str] = []
        self._get, self._query, self._count = firestore.batch_get, firestore.run_query, firestore.count
        patch.setattr(firestore, "batch_get", self.batch_get)
        patch.setattr(firestore, "run_query", self.run_query)
        began = clock.monotonic()
        patch.setattr(recent, "monotonic", lambda: began)

    async def batch_get(self, wanted: Any, mask: Sequence[str] | None = None) -> Any:
        listed = list(wanted)
        self._add(listed)
        return await self._get(listed, mask)

    async def run_query(self, parent: str, query: Any) -> Any:
        found = await self._query(parent, query)
        self._add([document.name for document in found] or [f"{parent}/{query.from_[0].collection_id}/-"])
        return found

    def _add(self, read: list[str]) -> None:
        self.documents += [
            name
            for name in read
            if not any(part in name for part in _OF_THE_CALLER)
            and name != names.project(name.rpartition("/")[2])
        ]

    def take(self) -> int:
        """How many since the last look."""
        found, self.documents = len(self.documents), []
        return found


@pytest.fixture
def house(api: Api) -> House:
    return House(api)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


async def test_one_device_is_one_read(api: Api, house: House, reads: Reads) -> None:
    async with api.client(house.user()) as http:
        await http.get(f"/v1/device/{house.site}")
        reads.take()
        answer = await http.get(f"/v1/device/{house.site}")
        assert answer.status_code == 200
        assert reads.take() == 1


async def _measured(http: httpx.AsyncClient, house: House, reads: Reads) -> dict[str, int]:
    """Reads of an alias look-up, a page of each list, and walks of depth three."""
    deep = f"/v1/interface/north/site/{house.site}/buildings/{house.building}/rooms"
    paths = {
        "alias": f"/v1/device/getByNetworkAlias?networkId={house.network}&aliasKey=serial&value=S-1",
        "page": f"/v1/project/{house.project}/devices?perPage=3",
        "page by name": f"/v1/system/{house.system}/devices?perPage=3&sort=-name",
        "prefix": f"/v1/project/{house.project}/devices?perPage=3&name=x&tag=t",
        "walk": f"{deep}?perPage=3",
        "walk of all": f"/v1/interface/north/site/{house.site}/buildings/*/rooms?perPage=3",
        "walk from below": "/v1/interface/north/site/*/buildings/*/rooms?perPage=3",
        "item": f"{deep}/{house.rooms[0]}/meter",
    }
    found = {}
    for name, path in paths.items():
        for _ in range(2):  # the first may read definitions, which are remembered
            reads.take()
            answer = await http.get(path)
            assert answer.status_code == 200, answer.text
            found[name] = reads.take()
    return found


async def _grow(house: House, first: int, end: int) -> None:
    """Add devices of every blueprint to the house's system, many of them linked.

    Their ids stand before all others, in order: which devices a page has does not hang on chance, nor on
    how many come after it.
    """
    pb = messages()
    kinds = list(house.kinds.values())
    project = house.project
    for start in range(first, end, 5_000):
        writes = []
        for number in range(start, min(start + 5_000, end)):
            kind = kinds[number % len(kinds)]
            links = []
            if kind == house.kinds["building"]:
                links = [f"{house.relations['buildings']}:{house.other_site}"]
            if kind == house.kinds["room"]:
                links = [f"{house.relations['rooms']}:{house.other_building}"]
            write = pb.Write(update=pb.Document(name=names.device(project, f"-{number:06}")))
            fields = {
                "name": f"x{number}",
                "blueprintId": kind,
                "systemId": house.system,
                "tags": ["t"],
                "links": links,
                "version": 1,
                "created": 1,
            }
            values.to_fields(write.update.fields, fields)
            writes.append(write)
        assert set(await firestore.batch_write(writes)) == {0}


@asynccontextmanager
async def _client(api: Api, house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with api.client(house.user()) as http:
        made = await http.post(f"/v1/system/{house.system}/devices", json=house.aliased("S-1"))
        assert made.status_code == 201
        yield http


async def test_reads_do_not_grow_from_a_hundred_to_a_thousand(api: Api, house: House, reads: Reads) -> None:
    async with _client(api, house) as http:
        await _grow(house, 0, 200)
        few = await _measured(http, house, reads)
        await _grow(house, 200, 1_000)
        many = await _measured(http, house, reads)
    assert few == many
    assert few["alias"] == 2
    assert few["page"] == 4
    assert few["walk"] <= 1 + 2 + 3
    assert few["item"] <= 1 + 3 + 1


@pytest.mark.slow
async def test_reads_do_not_grow_from_a_thousand_to_a_hundred_thousand(
    api: Api, house: House, reads: Reads
) -> None:
    async with _client(api, house) as http:
        await _grow(house, 0, 1_000)
        few = await _measured(http, house, reads)
        await _grow(house, 1_000, 100_000)
        many = await _measured(http, house, reads)
    assert few == many
