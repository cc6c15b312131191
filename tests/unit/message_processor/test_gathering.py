"""Deliveries at the same time: few calls, and each keeps its own hops, refusals and answer."""

from __future__ import annotations

import asyncio
import json

import pytest

from shared.errors import Transient
from tests.support.processing import Service, push
from tests.unit.message_processor.conftest import add_device, event


async def warm(service: Service) -> None:
    """Let the service learn the devices, so that what follows needs no read."""
    assert await service.post(push([event(), event("t-2")])) == 204
    service.topics.calls.clear()
    service.topics.published.clear()


async def test_deliveries_at_the_same_time_share_calls(service: Service) -> None:
    await warm(service)
    posts = [service.post(push(event(id=f"e{n}"), message_id=f"m{n}")) for n in range(20)]
    assert await asyncio.gather(*posts) == [204] * 20
    assert sorted(e["id"] for e in service.topics.events("writer")) == sorted(f"e{n}" for n in range(20))
    assert len(service.topics.calls) <= 3


async def test_hops_are_never_mixed(service: Service) -> None:
    await warm(service)
    posts = [
        service.post(push(event(id=str(hops)), {"hops": str(hops)}, f"m{n}{hops}"))
        for n in range(3)
        for hops in (1, 2, 3)
    ]
    assert await asyncio.gather(*posts) == [204] * 9
    for data, attributes in service.topics.to("writer"):
        events = data if isinstance(data, list) else [data]
        assert {int(item["id"]) + 1 for item in events} == {int(attributes["hops"])}
    assert len(service.topics.events("writer")) == 9


async def test_a_refusal_stays_with_the_delivery_that_it_is_of(service: Service) -> None:
    add_device(service, "d3", "t-3", messageRoute={"deviceDataEventMsg": ["nowhere"]})
    await warm(service)
    posts = [
        service.post(push([event(id=f"a{n}"), event("t-3", id=f"b{n}")], message_id=f"m{n}"))
        for n in range(4)
    ]
    assert await asyncio.gather(*posts) == [204] * 4
    assert sorted(e["id"] for e in service.topics.events("writer")) == ["a0", "a1", "a2", "a3"]
    aside = {(data["id"], a["sourceMessageId"], a["index"]) for data, a in service.topics.to("quarantine")}
    assert aside == {(f"b{n}", f"m{n}", "1") for n in range(4)}


async def test_what_fails_together_comes_again_and_the_next_goes_on(service: Service) -> None:
    await warm(service)
    service.topics.errors["writer"] = [Transient("UNAVAILABLE")]
    bodies = [push(event(id=f"e{n}"), message_id=f"m{n}") for n in range(6)]
    answers = await asyncio.gather(*map(service.post, bodies))
    assert set(answers) <= {204, 500}
    again = [body for body, answer in zip(bodies, answers, strict=True) if answer == 500]
    assert again
    assert await asyncio.gather(*map(service.post, again)) == [204] * len(again)
    assert {e["id"] for e in service.topics.events("writer")} == {f"e{n}" for n in range(6)}


async def test_each_line_names_the_messages_that_have_something_of_its_delivery(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    add_device(
        service, "d3", "t-3", messageRoute={"deviceDataEventMsg": [{"topic": "writer", "options": {"o": 1}}]}
    )
    await service.post(push([event(), event("t-2"), event("t-3")]))
    capsys.readouterr()
    bodies = [push(event("t-3" if n % 2 else "t-1", id=f"own{n}"), message_id=f"m{n}") for n in range(6)]
    assert await asyncio.gather(*map(service.post, bodies)) == [204] * 6
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    named = {line["messageId"]: line["published"] for line in lines if line["message"] == "batch"}
    for place, (_, data, _) in enumerate(service.topics.published):
        inside = json.loads(data)
        inside = inside.get("message", inside) if isinstance(inside, dict) else inside
        ids = {item["id"] for item in (inside if isinstance(inside, list) else [inside])}
        for number in range(6):
            assert (service.topics.id_of(place) in named[f"m{number}"]) is (f"own{number}" in ids)
