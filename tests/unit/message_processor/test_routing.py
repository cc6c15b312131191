"""Which route a message takes: its device's, its blueprint's, the default; with conditions and rests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared import names
from shared.errors import Rejected, Transient
from tests.support.processing import Service, push
from tests.unit.message_processor.conftest import PROJECT, add_device, event

_REASON = {"topic": "reason", "options": {"reasoner": {"id": "s1"}}}


def _route(route: Any) -> dict[str, Any]:
    return {"deviceDataEventMsg": route}


async def test_the_devices_route_beats_the_blueprints_and_none_is_the_writer(service: Service) -> None:
    stored = service.documents.stored
    stored[names.blueprint(PROJECT, "b2")] = {"messageRoute": json.dumps(_route(["reason"]))}
    add_device(service, "own", "t-own", blueprintId="b2", messageRoute=_route("audit"))
    add_device(service, "blue", "t-blue", blueprintId="b2")
    add_device(service, "other", "t-other", blueprintId="b2", messageRoute={"deviceEventAckMsg": "audit"})
    assert await service.post(push([event(f"t-{v}") for v in ("own", "blue", "other", "1")])) == 204
    by_topic = {
        topic: [e["deviceId"] for e in service.topics.events(topic)] for topic in service.topics.known
    }
    assert by_topic == {"audit": ["own"], "reason": ["blue", "other"], "writer": ["d1"], "quarantine": []}


async def test_options_and_the_rest_of_the_route_travel_in_a_route_message(service: Service) -> None:
    add_device(service, "d3", "t-3", messageRoute=_route([_REASON, "writer"]))
    assert await service.post(push([event("t-3", id="a"), event("t-3", id="b")])) == 204
    ((data, attributes),) = service.topics.to("reason")
    assert data["type"] == "routeMsg"
    assert data["options"] == {"reasoner": {"id": "s1"}}
    assert data["route"] == ["writer"]
    assert [m["id"] for m in data["message"]] == ["a", "b"]
    assert attributes["hops"] == "1"
    assert service.topics.to("writer") == []


async def test_branches_get_a_copy_each(service: Service) -> None:
    add_device(service, "d3", "t-3", messageRoute=_route({"reason": {"route": ["audit"]}, "writer": True}))
    assert await service.post(push([event("t-3"), event("t-1")])) == 204
    ((reason, _),) = service.topics.to("reason")
    assert reason["route"] == ["audit"]
    assert "options" not in reason
    assert [e["deviceId"] for e in service.topics.events("writer")] == ["d3", "d1"]


async def test_devices_with_equal_routes_share_a_message(service: Service) -> None:
    add_device(service, "d3", "t-3", messageRoute=_route([_REASON, "writer"]))
    add_device(service, "d4", "t-4", messageRoute=json.dumps(_route([[_REASON], "writer"])))
    assert await service.post(push([event("t-3"), event("t-4")])) == 204
    assert len(service.topics.to("reason")) == 1


@pytest.mark.parametrize("text", ["{", "[]", json.dumps(_route({"a": False})), json.dumps(_route(5))])
async def test_a_route_that_is_none_sets_that_devices_events_aside(service: Service, text: str) -> None:
    add_device(service, "d3", "t-3", messageRoute=text)
    assert await service.post(push([event("t-3"), event("t-1")])) == 204
    assert [e["deviceId"] for e in service.topics.events("writer")] == ["d1"]
    ((data, attributes),) = service.topics.to("quarantine")
    assert (data, attributes["errorType"]) == (event("t-3"), "route.invalid")


async def test_a_route_to_a_topic_that_does_not_exist_sets_aside(service: Service) -> None:
    add_device(service, "d3", "t-3", messageRoute=_route({"nowhere": True, "writer": True}))
    assert await service.post(push([event("t-1"), event("t-3")])) == 204
    assert [e["deviceId"] for e in service.topics.events("writer")] == ["d1", "d3"]
    ((data, attributes),) = service.topics.to("quarantine")
    assert (data, attributes["errorType"], attributes["index"]) == (event("t-3"), "topic.unknown", "1")


async def test_an_empty_route_goes_nowhere(service: Service) -> None:
    add_device(service, "d3", "t-3", messageRoute=_route([]))
    assert await service.post(push([event("t-3")])) == 204
    assert service.topics.published == []


async def test_conditions_judge_the_message_the_device_and_its_state(service: Service) -> None:
    hot = {"type": "attribute", "path": "msg/data/t", "op": "gt", "value": 30}
    jump = {"type": "delta", "path": "t", "op": "ge", "value": 5}
    named = {"type": "attribute", "path": "device/name", "value": "d3"}
    route = [{"topic": "reason", "condition": {"type": "and", "conditions": [hot, jump, named]}}, "writer"]
    for device in ("d3", "d4"):
        add_device(service, device, f"t-{device}", messageRoute=_route(route), data={"t": 30})
    batch = [
        event(f"t-{device}", data=[{"path": "t", "value": t}])
        for device in ("d3", "d4")
        for t in (29, 31, 36)
    ]
    assert await service.post(push(batch)) == 204
    ((data, _),) = service.topics.to("reason")
    assert data["message"]["data"] == [{"path": "t", "value": 36}]
    assert len(service.topics.events("writer")) == 5
    before = len(service.documents.reads)
    service.documents.stored[names.device(PROJECT, "d3")]["data"] = {"t": 36}
    assert await service.post(push(batch[2:3])) == 204
    assert len(service.topics.to("reason")) == 1
    assert service.documents.reads[before:] == [[names.device(PROJECT, "d3")]]


async def test_the_rest_of_a_route_goes_on_behind_the_devices_own(service: Service) -> None:
    add_device(service, "d3", "t-3", messageRoute=_route(["reason"]))
    wrapped = {"type": "routeMsg", "message": [event("t-3"), event("t-1")], "route": ["audit"]}
    assert await service.post(push(wrapped)) == 204
    ((data, _),) = service.topics.to("reason")
    assert (data["route"], data["message"]["deviceId"]) == (["audit"], "d3")
    ((data, _),) = service.topics.to("writer")
    assert (data["route"], data["message"]["deviceId"]) == (["audit"], "d1")


async def test_what_is_set_aside_keeps_the_route_that_it_came_with(service: Service) -> None:
    wrapped = {"type": "routeMsg", "message": {"type": "x"}, "route": ["audit"], "options": {"a": 1}}
    assert await service.post(push(wrapped)) == 204
    ((data, attributes),) = service.topics.to("quarantine")
    assert data == {"type": "x"}
    assert json.loads(attributes["route"]) == ["audit"]
    assert json.loads(attributes["options"]) == {"a": 1}
    assert await service.post(push({**wrapped, "options": {"a": "x" * 2000}})) == 204
    data, attributes = service.topics.to("quarantine")[1]
    assert (data["message"], data["route"], data["options"]) == ({"type": "x"}, ["audit"], {"a": "x" * 2000})
    assert "route" not in attributes


async def test_a_rest_that_is_no_route_is_set_aside(service: Service) -> None:
    assert await service.post(push({"type": "routeMsg", "message": event(), "route": [5]})) == 204
    ((_, attributes),) = service.topics.to("quarantine")
    assert attributes["errorType"] == "route.invalid"


async def test_a_topic_that_fails_fails_the_batch_although_others_went(service: Service) -> None:
    add_device(service, "d3", "t-3", messageRoute=_route({"reason": True, "writer": True}))
    service.topics.errors["reason"] = [Transient("down")]
    assert await service.post(push([event("t-3")])) == 500
    assert await service.post(push([event("t-3")])) == 204
    assert len(service.topics.to("reason")) == 1


async def test_of_parcels_that_a_topic_refuses_only_the_culprits_are_set_aside(service: Service) -> None:
    large = [event(id=f"e{i}", data=[{"path": "t", "value": "x" * 600_000}]) for i in range(4)]
    tooLarge = Rejected("message.tooLarge", "too large")
    # The call for all four, then for the first two, then for the first alone.
    service.topics.errors["writer"] = [tooLarge, tooLarge, tooLarge]
    assert await service.post(push(large)) == 204
    assert [e["id"] for e in service.topics.events("writer")] == ["e1", "e2", "e3"]
    ((data, attributes),) = service.topics.to("quarantine")
    assert (data["id"], attributes["errorType"]) == ("e0", "message.tooLarge")


async def test_a_message_whose_route_leads_nowhere_is_counted_as_ended(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    add_device(service, "d3", "t-3", messageRoute=_route([]))
    assert await service.post(push([event("t-3"), event("t-1")])) == 204
    assert [e["deviceId"] for e in service.topics.events("writer")] == ["d1"]
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (line["messages"], line["forwarded"], line["ended"], line["quarantined"]) == (2, 1, 1, 0)
