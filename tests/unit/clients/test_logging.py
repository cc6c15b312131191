"""Reading Cloud Logging: filters that say what is meant, pages, and what errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.logging import filters
from shared.clients import logging_rest
from shared.config import settings
from shared.errors import Rejected, Transient
from tests.unit.cli.fake_api import Answer, FakeApi, serving

PATH = "/v2/entries:list"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with serving() as made:
        monkeypatch.setenv("FULCRUM_LOGGING_ENDPOINT", made.url)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "cloud")
        settings.cache_clear()
        yield made
    settings.cache_clear()


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_a_filter_means_the_texts_and_nothing_else(texts: list[str]) -> None:
    if not all(text.isprintable() for text in texts):
        with pytest.raises(Rejected):
            logging_rest.one_of("jsonPayload.eventIds", texts)
        return
    node = filters.parse(logging_rest.one_of("jsonPayload.eventIds", texts))
    assert node == filters.Equal("jsonPayload.eventIds", frozenset(text.casefold() for text in texts))


def entry(number: int) -> dict[str, Any]:
    """An entry as it is answered."""
    time = f"2026-11-29T12:00:00.{number:06d}Z"
    return {"timestamp": time, "severity": "INFO", "jsonPayload": {"n": number}, "insertId": "x"}


async def test_pages_are_read_up_to_the_limit(server: FakeApi) -> None:
    pages = {"": ([1, 2], "t2"), "t2": ([3, 4], "t3"), "t3": ([5], "")}

    def answered(seen: Any) -> Answer:
        numbers, token = pages[seen.json.get("pageToken", "")]
        more = {"nextPageToken": token} if token else {}
        return Answer(200, {"entries": [entry(number) for number in numbers], **more})

    server.answers["POST", PATH] = answered
    found = await logging_rest.entries('severity="INFO"', 1_000, 2_000, 100)
    assert [(one.payload["n"], one.time_us % 1_000_000) for one in found] == [(n, n) for n in range(1, 6)]
    assert len(await logging_rest.entries('severity="INFO"', 1_000, 2_000, 3)) == 3
    body = server.seen[0].json
    assert body["resourceNames"] == ["projects/cloud"]
    assert body["filter"] == (
        'resource.type="cloud_run_revision" AND timestamp>="1970-01-01T00:00:01.000+00:00" '
        'AND timestamp<="1970-01-01T00:00:02.000+00:00" AND (severity="INFO")'
    )
    assert filters.parse(body["filter"]) is not None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(429, {"error": {"status": "RESOURCE_EXHAUSTED", "message": "quota"}}), Transient),
        (Answer(503, b"no json"), Transient),
        (Answer(200, b"no json"), Transient),
        (Answer(403, {"error": {"status": "PERMISSION_DENIED", "message": "no"}}), Rejected),
        (Answer(400, {"error": {"status": "INVALID_ARGUMENT", "message": "no"}}), Rejected),
    ],
)
async def test_what_errors_of_the_log_mean(
    server: FakeApi, answer: Answer, expected: type[Exception]
) -> None:
    server.answers["POST", PATH] = lambda seen: answer
    with pytest.raises(expected) as caught:
        await logging_rest.entries('severity="INFO"', 1, 2, 3)
    if answer.status == 403:
        assert getattr(caught.value, "error_type", "") == "logging.PERMISSION_DENIED"


async def test_a_log_that_is_not_there_may_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULCRUM_LOGGING_ENDPOINT", "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(Transient):
        await logging_rest.entries('severity="INFO"', 1, 2, 3)
    settings.cache_clear()


async def test_a_filter_that_is_too_long_is_not_sent(server: FakeApi) -> None:
    with pytest.raises(Rejected) as caught:
        await logging_rest.entries("x" * 20_000, 1, 2, 3)
    assert caught.value.error_type == "logging.tooLong"
    assert server.seen == []
