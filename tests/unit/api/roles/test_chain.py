"""What stands above a device, and what is remembered of it and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fulcrum.core import ids
from functions.api import recent
from functions.api.recent import Recent
from functions.api.roles import chain
from shared.clients import firestore
from tests.support.api import Api


def place(api: Api, project: str, device: str, parent: str | None, system: str = "s1") -> None:
    where = api.documents.document(f"projects/{project}/devices/{device}")
    where.set({"parentDeviceId": parent, "systemId": system})


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The calls that read documents, each as the ids that it asked for."""
    calls: list[list[str]] = []
    real = firestore.batch_get

    async def counted(names: Any, mask: Any = None) -> Any:
        wanted = list(names)
        calls.append([name.rpartition("/")[2] for name in wanted])
        return await real(wanted, mask)

    monkeypatch.setattr(firestore, "batch_get", counted)
    return calls


async def test_parents_up_to_the_system(api: Api, reads: list[list[str]]) -> None:
    project = ids.new_id()
    place(api, project, "a", None)
    place(api, project, "b", "a")
    place(api, project, "c", "b")
    assert await chain.of(project, "c") == chain.Chain(("c", "b", "a"), "s1")
    assert reads == [["c"], ["b"], ["a"]]
    assert await chain.of(project, "c", {"parentDeviceId": "b", "systemId": "s1"}) == chain.Chain(
        ("c", "b", "a"), "s1"
    )
    assert len(reads) == 3
    place(api, project, "c", None, "s2")
    chain.forget(project, "c")
    assert await chain.of(project, "c") == chain.Chain(("c",), "s2")
    assert await chain.of(project, "nobody") == chain.Chain(("nobody",), None)
    await firestore.close()


async def test_loops_are_cut_and_depth_is_bounded(api: Api) -> None:
    project = ids.new_id()
    place(api, project, "x", "y")
    place(api, project, "y", "x")
    place(api, project, "self", "self")
    for number in range(40):
        place(api, project, f"d{number}", f"d{number + 1}")
    assert (await chain.of(project, "x")).devices == ("x", "y")
    assert (await chain.of(project, "self")).devices == ("self",)
    assert len((await chain.of(project, "d0")).devices) == chain.MAX_DEPTH + 1
    await firestore.close()


async def test_many_devices_cost_one_call_a_level(api: Api, reads: list[list[str]]) -> None:
    project = ids.new_id()
    place(api, project, "top", None)
    fields = {}
    for number in range(20):
        place(api, project, f"m{number}", "top")
        fields[f"c{number}"] = {"parentDeviceId": f"m{number}", "systemId": "s1"}
    found = await chain.of_many(project, fields)
    assert found["c7"] == chain.Chain(("c7", "m7", "top"), "s1")
    assert [len(call) for call in reads] == [20, 1]
    await firestore.close()


async def test_of_requests_at_once_one_reads_and_what_is_old_is_read_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(recent, "monotonic", lambda: now[0])
    known: Recent[str, int] = Recent(size=2)
    count = [0]

    async def read() -> int:
        count[0] += 1
        await asyncio.sleep(0)
        return count[0]

    assert await asyncio.gather(*(known.get("a", read) for _ in range(10))) == [1] * 10
    now[0] += 4.9
    assert await known.get("a", read) == 1
    now[0] += 0.1
    assert await known.get("a", read) == 2
    known.forget("a")
    assert await known.get("a", read) == 3
    await known.get("b", read)
    await known.get("a", read)
    await known.get("c", read)
    # The least recently used went.
    assert known.peek("b") is None
    assert known.peek("a") is not None
    assert len(known) == 2


async def test_what_is_forgotten_while_it_is_read_is_not_kept() -> None:
    known: Recent[str, str] = Recent()
    going, gate = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        going.set()
        await gate.wait()
        return "before"

    async def fresh() -> str:
        return "after"

    first = asyncio.create_task(known.get("k", slow))
    await going.wait()
    known.forget("k")
    gate.set()
    assert await first == "before"
    assert await known.get("k", fresh) == "after"


async def test_a_failed_read_is_not_remembered_and_one_given_up_disturbs_nobody() -> None:
    known: Recent[str, int] = Recent()
    gate = asyncio.Event()

    async def failing() -> int:
        raise ValueError("no")

    async def slow() -> int:
        await gate.wait()
        return 7

    with pytest.raises(ValueError, match="no"):
        await known.get("k", failing)
    impatient = asyncio.create_task(known.get("k", slow))
    patient = asyncio.create_task(known.get("k", slow))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    assert await patient == 7
