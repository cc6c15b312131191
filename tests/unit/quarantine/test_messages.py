"""The message that sets something aside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared import quarantine
from shared.clients import pubsub
from shared.errors import Rejected
from shared.quarantine import SetAside, set_aside, to_message, wrap


def _entry(data: bytes = b"{}", **fields: Any) -> SetAside:
    error = fields.pop("error", Rejected("e.type", "why"))
    return SetAside(error, data, "svc", "writer", "m1", **fields)


def test_attributes_stay_within_what_pubsub_takes() -> None:
    error = Rejected("e" * 500, "é\ud800" * 900)
    entry = _entry(error=error, project_id="p" * 3000, options={"a": "é" * 400}, route=["x"])
    data, attributes = to_message(entry)
    assert data == b"{}"
    assert max(len(value.encode()) for value in attributes.values()) <= 1024
    assert len(attributes["message"].encode()) <= 900
    assert "projectId" not in attributes


def test_a_route_that_is_too_long_stays_around_the_message() -> None:
    data, attributes = to_message(_entry(b'{"a": 1}', options={"a": "é" * 600}, route=["x"]))
    assert json.loads(data) == {
        "type": "routeMsg",
        "message": {"a": 1},
        "options": {"a": "é" * 600},
        "route": ["x"],
    }
    assert "options" not in attributes
    assert "route" not in attributes


@pytest.mark.parametrize(
    ("options", "route", "expected"),
    [
        (b"", b"", {"a": 1}),
        (b'{"o":1}', b"", {"type": "routeMsg", "message": {"a": 1}, "options": {"o": 1}}),
        (b"", b'["w"]', {"type": "routeMsg", "message": {"a": 1}, "route": ["w"]}),
    ],
)
def test_wrapping(options: bytes, route: bytes, expected: Any) -> None:
    assert json.loads(wrap(b'{"a":1}', options, route)) == expected


async def test_many_entries_go_in_calls_that_pubsub_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[bytes]] = []

    async def publish(
        topic: str, messages: list[tuple[bytes, dict[str, str]]], within: float = 10
    ) -> list[str]:
        assert topic == quarantine.TOPIC
        calls.append([data for data, _ in messages])
        return [str(index) for index in range(len(messages))]

    monkeypatch.setattr(pubsub, "publish", publish)
    await set_aside([])
    assert calls == []
    entries = [_entry(bytes([65 + i]) * 2_500_000) for i in range(7)]
    await set_aside(entries)
    assert [data for call in calls for data in call] == [entry.data for entry in entries]
    assert [len(call) for call in calls] == [3, 3, 1]
    calls.clear()
    await set_aside([_entry(b"%d" % i) for i in range(1500)])
    assert sum(map(len, calls)) == 1500
    assert max(map(len, calls)) <= pubsub.MAX_MESSAGES
