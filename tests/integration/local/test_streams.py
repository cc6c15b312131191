"""Answers that come in parts are passed on part by part, and their ends are told apart."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from local.stack import Stack
from tests.integration.local.conftest import ask, eventually

pytestmark = pytest.mark.xdist_group("local-front")  # one stack for all


@contextmanager
def streamed(stack: Stack, query: str) -> Iterator[http.client.HTTPResponse]:
    url = urlsplit(stack.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    connection.request("GET", f"/echo?{query}")
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def more(stack: Stack) -> None:
    assert ask(f"{stack.url}/echo?more=1").status == 200


def test_each_part_arrives_while_the_answer_goes_on(stack: Stack) -> None:
    with streamed(stack, "stream=2") as answer:
        assert answer.readline() == b"part 0\n"
        more(stack)
        assert answer.readline() == b"part 1\n"
        more(stack)
        assert answer.read() == b""


def test_an_answer_that_breaks_off_is_no_whole_answer(stack: Stack) -> None:
    with streamed(stack, "stream=1") as answer:
        assert answer.readline() == b"part 0\n"
        stack.kill_function("echo")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()


def test_a_client_that_goes_away_ends_the_answer(stack: Stack) -> None:
    before = ask(f"{stack.url}/echo").body["closed"]
    with streamed(stack, "stream=3") as answer:
        assert answer.readline() == b"part 0\n"
    eventually(lambda: ask(f"{stack.url}/echo?more=1").body["closed"] > before, "the stream is closed")
