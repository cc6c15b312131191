"""Events whose values do not fit their blueprint's attributes: strict, warned of, or not looked at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.message_processor import definitions
from shared import clock, names
from shared.attributes import checks_text
from shared.errors import Transient
from tests.support.processing import Service, push
from tests.unit.message_processor.conftest import PROJECT, add_device, event

_ATTRIBUTES: list[dict[str, Any]] = [
    {"path": "engine/temperature", "type": "temperature", "unit": "degC", "max": 150},
    {"path": "position", "type": "geoPoint"},
]
_HOT = [{"path": "engine/temperature", "value": "hot"}]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    definitions.compiled.cache_clear()


def _check(service: Service, mode: str, attributes: Any = _ATTRIBUTES) -> None:
    service.documents.stored[names.blueprint(PROJECT, "b1")]["checks"] = checks_text(mode, attributes)


def _line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(capsys.readouterr().err.splitlines()[-1])
    return line


async def test_strict_sets_an_event_aside_and_the_rest_goes_on(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    _check(service, "strict")
    add_device(service, "d3", "t-3", blueprintId="b2")
    bad = event(id="bad", data=[*_HOT, {"path": "position", "value": {"lat": 91, "lon": 0}}])
    free = event("t-3", id="free", data=_HOT)
    good = event("t-2", id="good", data=[{"path": "engine", "value": {"temperature": 20, "new": "x"}}])
    assert await service.post(push([event(id="e0"), bad, free, good], message_id="m7")) == 204
    assert [e["id"] for e in service.topics.events("writer")] == ["e0", "free", "good"]
    ((data, attributes),) = service.topics.to("quarantine")
    assert data == bad
    assert attributes["errorType"] == "attribute.type"
    assert attributes["message"] == (
        "2 values do not fit their attributes: "
        "engine/temperature (temperature): send a number in degC of at most 150 or {value, unit}, "
        "not the text 'hot'; position (geoPoint): send lat as a number from -90 to 90, not 91"
    )
    assert (attributes["sourceMessageId"], attributes["index"]) == ("m7", "1")
    assert (attributes["topic"], attributes["projectId"]) == ("default-processor", PROJECT)
    line = _line(capsys)
    assert (line["messages"], line["forwarded"], line["quarantined"]) == (4, 3, 1)
    assert "mistyped" not in line


async def test_a_redelivery_sets_the_same_entry_aside_and_passes_the_same_events(service: Service) -> None:
    _check(service, "strict")
    body = push([event(id="bad", data=_HOT), event(id="good")], message_id="m7")
    service.topics.errors["quarantine"] = [Transient("down")]
    assert await service.post(body) == 500
    assert await service.post(body) == 204
    assert await service.post(body) == 204
    entries = {(a["sourceMessageId"], a["index"]) for _, a in service.topics.to("quarantine")}
    assert entries == {("m7", "0")}
    assert {e["id"] for e in service.topics.events("writer")} == {"good"}


async def test_what_was_set_aside_passes_once_the_attribute_takes_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    _check(service, "strict")
    assert await service.post(push([event(data=_HOT)])) == 204
    ((original, _),) = service.topics.to("quarantine")
    _check(service, "strict", [{"path": "engine/temperature", "type": "string"}])
    service.documents.stored[names.project(PROJECT)]["revision"] = 2
    now = clock.now_ms()
    monkeypatch.setattr(clock, "now_ms", lambda: now + 10_000)
    assert await service.post(push(original)) == 204
    assert [e["data"] for e in service.topics.events("writer")] == [_HOT]


async def test_warn_passes_the_event_as_it_is_and_counts_it(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    _check(service, "warn")
    odd = {"value": 70, "unit": "m"}
    batch = [
        event(id="a", data=_HOT),
        event(id="b"),
        event("t-2", id="c", data=[{"path": "engine/temperature", "value": odd}]),
    ]
    assert await service.post(push(batch)) == 204
    assert [(e["id"], e["data"]) for e in service.topics.events("writer")] == [
        (e["id"], e["data"]) for e in batch
    ]
    assert service.topics.to("quarantine") == []
    line = _line(capsys)
    assert (line["forwarded"], line["quarantined"], line["mistyped"]) == (3, 0, 2)
    assert line["mistypedSample"]["deviceId"] == "d1"
    assert line["mistypedSample"]["problem"].startswith("engine/temperature (temperature): send a number")


async def test_the_message_that_goes_on_is_the_same_in_every_mode(service: Service) -> None:
    for mode in ("off", "warn", "strict"):
        _check(service, mode)
        service.documents.stored[names.project(PROJECT)]["revision"] = len(mode)
        assert await service.post(push([event()])) == 204
    first, *others = [data for _, data, _ in service.topics.published]
    assert others == [first, first]


async def test_off_looks_at_nothing(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    _check(service, "off")
    assert await service.post(push([event(data=_HOT)])) == 204
    assert len(service.topics.events("writer")) == 1
    assert "mistyped" not in _line(capsys)
    assert definitions.compiled(checks_text("off", _ATTRIBUTES)) is None
    assert definitions.compiled(checks_text("strict", [])) is None


@pytest.mark.parametrize(
    "data",
    [
        [],
        None,
        [{"path": "engine/temperature", "op": "delete"}],
        [{"path": "engine/temperature", "value": None}],
        [{"path": "engine", "value": None, "op": "replace"}],
        # No writes at all: whoever stores them says so.
        "x",
        {"engine": 5},
        [{"path": 5}],
        [{"path": "engine/temperature", "value": "hot", "op": "what"}],
    ],
)
async def test_what_is_no_value_is_not_refused(service: Service, data: Any) -> None:
    _check(service, "strict")
    assert await service.post(push([event(data=data)])) == 204
    assert len(service.topics.events("writer")) == 1
    assert service.topics.to("quarantine") == []


async def test_acknowledgements_and_event_records_are_not_checked(service: Service) -> None:
    _check(service, "strict", [{"path": "note", "type": "int"}])
    ack = {
        "type": "deviceEventAckMsg",
        "id": "r1",
        "time": 1,
        "receivedTime": 2,
        "projectId": PROJECT,
        "deviceId": "d1",
        "data": {"note": "seen"},
    }
    record = event(data=None, event=[{"type": "visit", "data": {"note": "x"}}])
    assert await service.post(push([ack, record])) == 204
    assert len(service.topics.events("writer")) == 2


async def test_a_refused_event_keeps_the_route_that_it_came_with(service: Service) -> None:
    _check(service, "strict")
    wrapped = {"type": "routeMsg", "message": event(data=_HOT), "route": ["audit"]}
    assert await service.post(push(wrapped)) == 204
    ((_, attributes),) = service.topics.to("quarantine")
    assert (attributes["errorType"], attributes["route"]) == ("attribute.type", '["audit"]')


async def test_a_long_list_of_problems_is_cut(service: Service) -> None:
    many = [{"path": f"p{i}", "type": "enum", "values": ["x" * 200, "y" * 200]} for i in range(100)]
    _check(service, "strict", many)
    assert await service.post(push([event(data=[{"path": f"p{i}", "value": 1} for i in range(100)])])) == 204
    ((_, attributes),) = service.topics.to("quarantine")
    assert attributes["message"].startswith("100 values do not fit their attributes: p0 (enum): send one of")


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("{", "ERROR"),
        ('{"mode": "loud"}', "ERROR"),
        (json.dumps({"mode": "strict", "paths": {"t": {"type": "hologram"}}}), "WARNING"),
    ],
)
async def test_checks_that_are_none_stop_no_event_and_are_logged_once(
    service: Service, capsys: pytest.CaptureFixture[str], text: str, severity: str
) -> None:
    service.documents.stored[names.blueprint(PROJECT, "b1")]["checks"] = text
    service.documents.stored[names.blueprint(PROJECT, "b2")] = {"checks": text}
    add_device(service, "d3", "t-3", blueprintId="b2")
    assert await service.post(push([event(), event("t-3")])) == 204
    assert len(service.topics.events("writer")) == 2
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["severity"] for line in lines] == [severity, "INFO"]


async def test_checks_stored_as_a_map_count_too(service: Service) -> None:
    checks = {"mode": "strict", "paths": {"t": {"type": "boolean"}}}
    service.documents.stored[names.blueprint(PROJECT, "b1")]["checks"] = checks
    assert await service.post(push([event()])) == 204
    assert [a["errorType"] for _, a in service.topics.to("quarantine")] == ["attribute.type"]


async def test_checks_cost_no_call_more(service: Service) -> None:
    _check(service, "strict")
    body = push([event(), event("t-2")])
    assert await service.post(body) == 204
    assert len(service.documents.reads) == 3  # aliases and revision, devices, blueprint
    assert await service.post(body) == 204
    assert len(service.documents.reads) == 3
