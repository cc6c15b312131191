"""What a timer's action may name: topics, scripts' options, URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.api.resources import reasoning
from functions.api.resources.references import check_url, topics
from shared.errors import ApiError


def check_action(action: Mapping[str, Any]) -> None:
    """ApiError 400 for an action that cannot be done; whether its script is there is not seen here."""
    if action["type"] == "queryUrl":
        # Where its name leads is seen when it is called.
        check_url(action["url"], "timer.url", "action")
    if action["type"] != "publishTopic":
        return
    if action["topic"] not in topics():
        raise ApiError(
            400,
            "timer.topic",
            f"there is no topic {action['topic']!r} that a timer may publish to",
            f"use one of {', '.join(sorted(topics()))}; functions/services.yaml declares others under custom",
        )
    if action["topic"] == reasoning.TOPIC and (
        problem := reasoning.option_problem(action.get("options") or {})
    ):
        raise ApiError(400, "timer.options", f"action: {problem}", "say which script the timer runs")
