"""What a timer's action may name: topics, scripts' options, URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.api.resources import reasoning
from functions.api.resources.references import topics
from shared import url_rules
from shared.config import settings
from shared.errors import ApiError, Rejected


def check_action(action: Mapping[str, Any]) -> None:
    """ApiError 400 for an action that cannot be done; whether its script is there is not seen here."""
    if action["type"] == "queryUrl":
        _check_url(action["url"])
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


def _check_url(url: str) -> None:
    """ApiError 400 for a URL that may not be called; where its name leads is seen when it is called."""
    try:
        url_rules.check_url(url, url_rules.networks(settings().text("URL_NETWORKS", "")))
    except Rejected as error:
        raise ApiError(
            400,
            "timer.url",
            f"action: {error.message}",
            "name a host of the public Internet, or an address of a network that URL_NETWORKS allows",
        ) from None
