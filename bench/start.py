"""Cold start and memory: from the start of a process to its first answers."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.figures import Figure, Target, interleaved
from bench.fleet import Fleet, event
from bench.pushes import EMPTY_BATCH, PUSH_HEADERS, PUSHED
from bench.server import HELLO, Request, Source, function, serving

GREETING = Request("/", b"{}", {"Content-Type": "application/json"}, frozenset({200}))
# What needs no client: ingest refuses a post without a key before it asks anybody, and an empty batch is
# acknowledged as it is.
WITHOUT_KEY = Request("/rcv/bench", b"{}", {"Content-Type": "application/json"}, frozenset({401}))
EMPTY_PUSH = Request("/", EMPTY_BATCH, PUSH_HEADERS, frozenset({200, 202, 204}))

START = Target(1.3)
FIRST_WRITE = Target(1.8)
MEMORY = Target(1.7)


def first_answer(source: Source, request: Request, env: dict[str, str]) -> tuple[float, float]:
    """CPU milliseconds and PSS MiB of a fresh process tree when it has answered ``request``."""
    with serving(source, env) as server:
        server.ask(request)
        return server.cpu_ns() / 1e6, server.memory_kib() / 1024


def measure(fleet: Fleet, env: dict[str, str], quick: bool) -> list[Figure]:
    """Every ``cold_start*`` and ``memory_*`` figure; ``fleet`` takes the first accepted event."""

    def first_write() -> tuple[float, float]:
        body = event(fleet.values[0], "first", time.time_ns() // 1_000_000)
        request = Request(fleet.path, body, fleet.headers, frozenset({202}))
        return first_answer(function("ingest"), request, env)

    def starting(source: Source, request: Request) -> Callable[[], tuple[float, float]]:
        return lambda: first_answer(source, request, env)

    measures = {
        "hello": starting(HELLO, GREETING),
        "ingest": starting(function("ingest"), WITHOUT_KEY),
        "first_write": first_write,
        **{name: starting(function(name), EMPTY_PUSH) for name in PUSHED},
    }
    for once in measures.values():
        once()  # compiles bytecode, as a deployed image has it compiled
    medians = interleaved(1 if quick else 15, measures)
    hello_cpu, hello_memory = medians["hello"]
    cpu, memory = "ms CPU", "MiB PSS"
    return [
        Figure("cold_start", medians["ingest"][0], hello_cpu, cpu, START),
        *(Figure(f"cold_start_{name}", medians[name][0], hello_cpu, cpu, START) for name in PUSHED),
        Figure("cold_start_first_write", medians["first_write"][0], hello_cpu, cpu, FIRST_WRITE),
        Figure("memory_first_request", medians["ingest"][1], hello_memory, memory, MEMORY),
        Figure("memory_first_write", medians["first_write"][1], hello_memory, memory, MEMORY),
    ]
