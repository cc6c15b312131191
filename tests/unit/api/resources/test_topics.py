"""Which topics routes and timers may name: the platform's, and those that users declared."""

from __future__ import annotations

import pytest

from fulcrum.core import ids
from functions.api.resources.references import topics
from shared.config import settings
from tests.support.api import Api


async def test_a_declared_topic_can_be_named_and_no_other(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULCRUM_CUSTOM_TOPICS", "alarms, billing,")
    settings.cache_clear()
    assert topics() == {"writer", "reason", "alarms", "billing"}
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        for topic, status in (
            ("alarms", 201),
            ("billing", 201),
            ("writer", 201),
            ("secrets", 400),
            ("", 400),
        ):
            route = {"deviceDataEventMsg": [topic]}
            for plural, body in (
                ("messageRoutes", {"name": "R", "route": route}),
                ("blueprints", {"name": "B", "alias": f"b{topic}", "messageRoute": route}),
                ("timers", {"name": "T", "timer": {"type": "repeating", "delay": 1000},
                            "action": {"type": "publishTopic", "topic": topic}}),
            ):  # fmt: skip
                answer = await http.post(f"/v1/project/{project}/{plural}", json=body)
                assert answer.status_code == status, (topic, plural, answer.text)
                assert status == 201 or repr(topic) in answer.json()["message"] or "action" in answer.text
