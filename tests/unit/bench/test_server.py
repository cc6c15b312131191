"""The baselines are functions-framework sources that answer, and a server that does not is an error."""

from __future__ import annotations

import pytest

from bench.pushes import EMPTY_BATCH, EVENT_HEADERS
from bench.server import HELLO, NOOP, Request, Source, serving
from bench.start import GREETING, first_answer
from local.processes import StartError


def test_hello_world_answers_and_its_tree_has_used_time_and_memory() -> None:
    cpu_ms, memory_mib = first_answer(HELLO, GREETING, {})
    assert cpu_ms > 0
    assert memory_mib > 1


def test_the_push_baseline_takes_what_pushed_functions_get_as_a_cloud_event() -> None:
    with serving(NOOP) as server:
        server.ask(Request("/", EMPTY_BATCH, EVENT_HEADERS, frozenset({200})))
        before = server.cpu_ns()
        server.ask(Request("/", EMPTY_BATCH, EVENT_HEADERS, frozenset({200})))
        assert server.cpu_ns() > before


def test_an_answer_that_is_not_expected_is_shown() -> None:
    refused = Request("/", b"{}", {}, frozenset({401}))
    with serving(HELLO) as server, pytest.raises(StartError, match="hello answered 200: b'Hello world!'"):
        server.ask(refused)


def test_a_source_that_is_not_there_does_not_keep_the_bench_waiting() -> None:
    with serving(Source("bench/absent.py", "absent")) as server, pytest.raises(StartError, match="absent"):
        server.wait()
