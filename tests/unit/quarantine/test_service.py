"""The quarantine function through its true entry: nothing is lost, nothing is kept twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared import clock, names
from shared.config import settings
from shared.errors import Rejected, Transient
from shared.quarantine import PART_BYTES, SetAside, part_name, to_message
from tests.support.processing import Service, push

PROJECT = "farm"
_DEAD = {
    "CloudPubSubDeadLetterSourceSubscription": "default-processor-message-processor",
    "CloudPubSubDeadLetterSourceSubscriptionProject": "p",
    "CloudPubSubDeadLetterSourceDeliveryCount": "20",
    "CloudPubSubDeadLetterSourceTopicPublishTime": "2026-11-24T09:00:00.000+00:00",
}


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    settings.cache_clear()
    made = Service("quarantine", monkeypatch, [])
    yield made
    await made.client.aclose()
    settings.cache_clear()


def _set_aside(data: bytes, **fields: Any) -> bytes:
    given: dict[str, Any] = {
        "service": "transponder",
        "topic": "writer",
        "message_id": "s1",
        "project_id": PROJECT,
        **fields,
    }
    error = given.pop("error", Rejected("message.undecodable", "no time"))
    entry = SetAside(error, data, **given)
    return push(*to_message(entry), "q1", "projects/p/subscriptions/quarantine-quarantine")


def _entries(service: Service, project: str = PROJECT) -> list[dict[str, Any]]:
    prefix = names.project(project) + "/quarantine/"
    return [
        fields
        for name, fields in service.documents.stored.items()
        if name.startswith(prefix) and "/" not in name[len(prefix) :]
    ]


async def test_what_a_service_set_aside_is_kept_with_its_reason(service: Service) -> None:
    data = b'{"type": "deviceDataEventMsg",  "networkId": "n1", "x": "\\u00e9"}'
    body = _set_aside(data, index=3, options={"a": 1}, route=["audit"])
    assert await service.post(body) == 204
    (entry,) = _entries(service)
    assert entry["data"] == data
    assert (entry["errorType"], entry["message"]) == ("message.undecodable", "no time")
    assert (entry["service"], entry["topic"]) == ("transponder", "writer")
    assert (entry["sourceMessageId"], entry["index"]) == ("s1", 3)
    assert (entry["projectId"], entry["networkId"], entry["size"]) == (PROJECT, "n1", len(data))
    assert entry["attributes"]["route"] == '["audit"]'
    assert entry["attributes"]["options"] == '{"a":1}'
    assert abs(entry["time"] - clock.now_ms()) < 60_000
    assert (clock.to_ms(entry["expireAt"]) - clock.now_ms()) / 86_400_000 > 89


async def test_a_redelivery_and_a_repeat_are_kept_once(service: Service) -> None:
    body = _set_aside(b'{"a":1}')
    repeat = json.loads(body)
    repeat["message"]["messageId"] = "q2"
    for each in (body, body, json.dumps(repeat).encode()):
        assert await service.post(each) == 204
    assert len(_entries(service)) == 1


async def test_different_places_data_or_sources_are_different_entries(service: Service) -> None:
    for body in (
        _set_aside(b'{"a":1}'),
        _set_aside(b'{"a":1}', index=1),
        _set_aside(b'{"a":2}'),
        _set_aside(b'{"a":1}', message_id="s2"),
        _set_aside(b'{"a":1}', topic="reason"),
    ):
        assert await service.post(body) == 204
    assert len(_entries(service)) == 5


async def test_a_dead_letter_is_kept_with_its_attributes(service: Service) -> None:
    data = json.dumps([{"projectId": PROJECT, "networkId": "n1"}] * 2).encode()
    attributes = {**_DEAD, "hops": "1", "v": "1"}
    first = push(data, attributes, "d1", "projects/p/subscriptions/dead-letter-quarantine")
    # Pub/Sub may forward one message twice, under different ids.
    second = push(data, attributes, "d2", "projects/p/subscriptions/dead-letter-quarantine")
    assert [await service.post(body) for body in (first, first, second)] == [204] * 3
    (entry,) = _entries(service)
    assert entry["data"] == data
    assert entry["errorType"] == "delivery.exhausted"
    assert "20 attempts" in entry["message"]
    assert entry["subscription"] == "default-processor-message-processor"
    assert (entry["attributes"]["hops"], entry["networkId"]) == ("1", "n1")


async def test_a_dead_letter_without_attributes_is_told_by_its_subscription(service: Service) -> None:
    body = push(b"\xff\x00", {}, "d1", "projects/p/subscriptions/dead-letter-quarantine")
    assert await service.post(body) == 204
    (entry,) = _entries(service, names.NO_PROJECT)
    assert (entry["data"], entry["errorType"]) == (b"\xff\x00", "delivery.exhausted")


async def test_a_batch_of_several_projects_belongs_to_none(service: Service) -> None:
    await service.post(push([{"projectId": "a"}, {"projectId": "b"}], _DEAD))
    assert len(_entries(service, names.NO_PROJECT)) == 1


@pytest.mark.parametrize("project", ["a/b", "__x__", "", "x" * 900])
async def test_an_impossible_project_is_none(service: Service, project: str) -> None:
    assert await service.post(_set_aside(b"{}", project_id=project)) == 204
    (entry,) = _entries(service, names.NO_PROJECT)
    assert entry["projectId"] == names.NO_PROJECT


@pytest.mark.parametrize(
    "body", [b"hello", b"{}", b'{"message": {"messageId": "1", "data": "%%%"}}', b"\xff"]
)
async def test_a_body_that_is_no_push_is_kept_as_it_came(service: Service, body: bytes) -> None:
    assert [await service.post(body), await service.post(body)] == [204, 204]
    (entry,) = _entries(service, names.NO_PROJECT)
    assert (entry["data"], entry["errorType"]) == (body, "push.undecodable")


async def test_an_empty_request_is_refused(service: Service) -> None:
    assert await service.post(b"") == 400
    assert service.documents.stored == {}


@pytest.mark.parametrize(("size", "parts"), [(0, 0), (PART_BYTES, 0), (PART_BYTES + 1, 2), (9_000_000, 12)])
async def test_long_data_stand_in_parts_below_their_entry(service: Service, size: int, parts: int) -> None:
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    assert await service.post(_set_aside(data)) == 204
    (entry,) = _entries(service)
    assert entry.get("parts", 0) == parts
    (name,) = (n for n in service.documents.stored if "/parts/" not in n)
    entry_id = name.rpartition("/")[2]
    found = [service.documents.stored[part_name(PROJECT, entry_id, i)] for i in range(parts)]
    assert (b"".join(part["data"] for part in found) if parts else entry["data"]) == data
    assert all(part["expireAt"] == entry["expireAt"] for part in found)
    assert service.documents.writes[-1] == [name]


async def test_it_is_not_acknowledged_before_it_is_stored(service: Service) -> None:
    body = _set_aside(b"x" * (PART_BYTES + 1))
    for error in (Transient("down"), Rejected("store.invalid", "never")):
        service.documents.write_errors.append(error)
        assert await service.post(body) == 500
    service.documents.codes = [0, 10]
    assert await service.post(body) == 500
    assert _entries(service) == []
    service.documents.codes = [0, 0, 14]
    assert await service.post(body) == 500
    assert await service.post(body) == 204
    assert len(_entries(service)) == 1


async def test_attributes_with_reserved_names_are_kept(service: Service) -> None:
    attributes = {"__x__": "1", "errorType": "e", "time": "soon", "index": "-1"}
    assert await service.post(push(b"{}", attributes, "q1")) == 204
    (entry,) = _entries(service, names.NO_PROJECT)
    assert entry["attributes"] == attributes
    assert (entry["errorType"], entry["index"]) == ("e", 0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"type": "x", "id": "a"}', ["a"]),
        (b'[{"id": "a"}, {"id": "a"}, 5, {"id": 7}, {"id": ""}, {"no": "id"}, {"id": "b"}]', ["a", "b"]),
        (b'{"type": "routeMsg", "message": [{"id": "a"}], "route": []}', ["a"]),
        (b'[{"id": "' + b"x" * 300 + b'"}, {"id": "\xff"}, {"id": "b"}]', ["b"]),
        (b"[" + b",".join(b'{"id": "%d"}' % n for n in range(600)) + b"]", [str(n) for n in range(500)]),
        (b"no json", []),
        (b'"text"', []),
    ],
)
async def test_an_entry_names_the_messages_in_it(service: Service, data: bytes, expected: list[str]) -> None:
    assert await service.post(_set_aside(data)) == 204
    assert _entries(service)[0]["eventIds"] == expected


async def test_a_scripts_failure_is_kept_with_its_version_and_traceback(service: Service) -> None:
    error = Rejected("script.failed", 'crash: boom\nFile "main.py", line 2\n    boom()')
    body = _set_aside(b"{}", error=error, script_id="s", script_version=3, service="reason")
    assert await service.post(body) == 204
    (entry,) = _entries(service)
    assert (entry["message"], entry["scriptId"], entry["scriptVersion"]) == ("crash: boom", "s", 3)
    assert entry["detail"] == 'File "main.py", line 2\n    boom()'
    assert await service.post(_set_aside(b"[]")) == 204
    plain = next(entry for entry in _entries(service) if entry["data"] == b"[]")
    assert not {"detail", "scriptId", "scriptVersion"} & plain.keys()
