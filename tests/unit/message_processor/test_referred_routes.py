"""Message routes that devices and blueprints refer to, and when a change of definitions takes effect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared import clock, names
from shared.attributes import checks_text
from shared.errors import Transient
from tests.support.processing import Service, push
from tests.unit.message_processor.conftest import NETWORK, PROJECT, add_device, event

_ACK = {
    "type": "deviceEventAckMsg",
    "id": "r1",
    "time": 1,
    "receivedTime": 2,
    "projectId": PROJECT,
    "deviceId": "d3",
}


class _Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ms = 1_000_000
        monkeypatch.setattr(clock, "now_ms", lambda: self.ms)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    return _Clock(monkeypatch)


def _route(topic: str, kind: str = "deviceDataEventMsg") -> str:
    return json.dumps({kind: topic})


def _refer(service: Service, route_id: str, text: Any, **more: Any) -> None:
    service.documents.stored[names.message_route(PROJECT, route_id)] = {"route": text, **more}


def _blueprint(service: Service, **fields: Any) -> None:
    service.documents.stored[names.blueprint(PROJECT, "b3")] = {"name": "Harvester", **fields}


async def _goes_to(service: Service, message: Any = None) -> list[str]:
    service.topics.published.clear()
    assert await service.post(push(message or event("t-3"))) == 204
    return [topic for topic, _, _ in service.topics.published]


@pytest.mark.parametrize(
    ("device", "blueprint", "topic"),
    [
        ({"messageRoute": "audit", "messageRouteId": "reason"}, {"messageRoute": "reason"}, "audit"),
        ({"messageRouteId": "audit"}, {"messageRoute": "reason", "messageRouteId": "reason"}, "audit"),
        ({"messageRouteId": "none"}, {"messageRoute": "audit", "messageRouteId": "reason"}, "audit"),
        ({}, {"messageRoute": "audit", "messageRouteId": "reason"}, "audit"),
        ({"messageRouteId": "none"}, {"messageRouteId": "audit"}, "audit"),
        ({"messageRouteId": "none"}, {"messageRouteId": "none"}, "writer"),
        ({"messageRouteId": "empty"}, {}, "writer"),
        # The first that names the type of the message counts.
        ({"messageRoute": "ack:reason", "messageRouteId": "audit"}, {}, "audit"),
        ({"messageRouteId": "acks"}, {"messageRouteId": "audit"}, "audit"),
        # What can be no id refers to nothing.
        ({"messageRouteId": "a/b"}, {"messageRouteId": 5}, "writer"),
        ({"messageRouteId": "__x__"}, {"messageRouteId": ""}, "writer"),
    ],
)
async def test_which_message_route_counts(
    service: Service, device: dict[str, str], blueprint: dict[str, str], topic: str
) -> None:
    for name in ("audit", "reason"):
        _refer(service, name, _route(name))
    _refer(service, "empty", None)
    _refer(service, "acks", _route("reason", "deviceEventAckMsg"))

    def stored(fields: dict[str, str]) -> dict[str, str]:
        own = fields.get("messageRoute")
        if own is None:
            return fields
        kind = "deviceEventAckMsg" if own.startswith("ack:") else "deviceDataEventMsg"
        return {**fields, "messageRoute": _route(own.removeprefix("ack:"), kind)}

    _blueprint(service, **stored(blueprint))
    add_device(service, "d3", "t-3", blueprintId="b3", **stored(device))
    assert await _goes_to(service) == [topic]


async def test_an_acknowledgement_follows_a_referred_route_too(service: Service) -> None:
    _refer(service, "r", _route("audit", "deviceEventAckMsg"))
    add_device(service, "d3", "t-3", messageRouteId="r")
    assert await _goes_to(service, _ACK) == ["audit"]
    assert await _goes_to(service) == ["writer"]


async def test_all_referred_routes_are_one_call_and_then_remembered(service: Service) -> None:
    for n in range(10):
        _refer(service, f"r{n}", _route("audit"))
        add_device(service, f"d{n}", f"t-{n}", blueprintId="b3", messageRouteId=f"r{n}")
    _refer(service, "rb", _route("reason"))
    _blueprint(service, messageRouteId="rb")
    batch = push([event(f"t-{n}") for n in range(10)])
    assert await service.post(batch) == 204
    assert len(service.documents.reads) == 4  # aliases and revision, devices, blueprint, routes
    assert len(service.documents.reads[3]) == 11
    add_device(service, "dx", "t-x", blueprintId="b3", messageRouteId="r1")
    assert await service.post(push([event("t-x"), event("t-1")])) == 204
    assert len(service.documents.reads) == 6  # its alias, itself
    assert [topic for topic, _, _ in service.topics.published] == ["audit"] * len(service.topics.published)


async def test_a_referred_route_that_is_none_sets_aside(service: Service) -> None:
    _refer(service, "r", "{")
    add_device(service, "d3", "t-3", messageRouteId="r")
    assert await _goes_to(service) == ["quarantine"]
    assert service.topics.to("quarantine")[0][1]["errorType"] == "route.invalid"


async def test_a_referred_route_stored_as_a_map_counts_too(service: Service) -> None:
    _refer(service, "r", {"deviceDataEventMsg": "audit"})
    add_device(service, "d3", "t-3", messageRouteId="r")
    assert await _goes_to(service) == ["audit"]


async def test_routes_that_cannot_be_read_fail_the_delivery_and_nothing_is_kept(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    _refer(service, "r", _route("audit"))
    add_device(service, "d3", "t-3", messageRouteId="r")
    inner = service.documents.batch_get
    failures = 1

    async def failing(wanted: Any, mask: Any = None) -> Any:
        nonlocal failures
        found = list(wanted)
        if names.message_route(PROJECT, "r") in found and failures:
            failures -= 1
            raise Transient("down")
        return await inner(found, mask)

    monkeypatch.setattr("shared.clients.firestore.batch_get", failing)
    assert await service.post(push(event("t-3"))) == 500
    assert service.topics.published == []
    assert await _goes_to(service) == ["audit"]


def _new_route(service: Service) -> None:
    _refer(service, "r", _route("reason"))


def _no_route(service: Service) -> None:
    del service.documents.stored[names.message_route(PROJECT, "r")]


def _other_reference(service: Service) -> None:
    _refer(service, "r2", _route("reason"))
    service.documents.stored[names.device(PROJECT, "d3")]["messageRouteId"] = "r2"


def _other_alias(service: Service) -> None:
    add_device(service, "d4", "t-3", messageRoute=_route("reason"))


def _no_alias(service: Service) -> None:
    del service.documents.stored[names.alias(NETWORK, "serial", "t-3")]


def _stricter(service: Service) -> None:
    blueprint = service.documents.stored[names.blueprint(PROJECT, "b1")]
    blueprint["checks"] = checks_text("strict", [{"path": "t", "type": "boolean"}])


def _deleted(service: Service) -> None:
    service.documents.stored[names.device(PROJECT, "d3")]["deleted"] = True


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (_new_route, ["audit"], ["reason"]),
        (_no_route, ["audit"], ["writer"]),
        (_other_reference, ["audit"], ["reason"]),
        (_other_alias, ["audit"], ["reason"]),
        (_no_alias, ["audit"], []),
        (_stricter, ["audit"], ["quarantine"]),
        (_deleted, ["audit"], []),
    ],
)
async def test_a_change_takes_effect_within_ten_seconds_of_its_revision(
    service: Service, time: _Clock, change: Any, before: list[str], after: list[str]
) -> None:
    _refer(service, "r", _route("audit"))
    add_device(service, "d3", "t-3", messageRouteId="r")
    assert await _goes_to(service) == before
    change(service)
    time.ms += 60_000
    assert await _goes_to(service) == before  # whoever changes something says so
    service.documents.stored[names.project(PROJECT)]["revision"] += 1
    time.ms += 4_999
    assert await _goes_to(service) == before
    time.ms += 5_001
    assert await _goes_to(service) == after
