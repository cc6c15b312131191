"""A push that does nothing: what a push-driven function costs before it does any work."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from bench.figures import Figure, Target, interleaved
from bench.load import Poster
from bench.server import NOOP, Server, function, serving

_CONCURRENT = 4
PUSHED = ("transponder", "message_processor")

# An empty batch, as Pub/Sub pushes it wrapped.
EMPTY_BATCH = json.dumps(
    {
        "message": {
            "data": base64.b64encode(b"[]").decode(),
            "messageId": "1",
            "attributes": {"v": "1", "hops": "1"},
            "publishTime": "2026-01-01T00:00:00Z",
        },
        "subscription": "projects/fulcrum-bench/subscriptions/noop",
        "deliveryAttempt": 1,
    }
).encode()
PUSH_HEADERS = {"Content-Type": "application/json"}
# The same message as a CloudEvent in binary mode, which is how Eventarc delivers Pub/Sub to a function.
EVENT_HEADERS = {
    **PUSH_HEADERS,
    "ce-id": "1",
    "ce-specversion": "1.0",
    "ce-source": "//pubsub.googleapis.com/projects/fulcrum-bench/topics/noop",
    "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    "ce-time": "2026-01-01T00:00:00Z",
}


def measure(poster: Poster, env: dict[str, str], quick: bool) -> list[Figure]:
    """``warm_noop_push``: CPU microseconds a push, the dearer of the two functions that are pushed to."""
    count, repetitions = (200, 3) if quick else (1000, 7)

    def cost(server: Server, headers: dict[str, str]) -> Callable[[], tuple[float]]:
        def once() -> tuple[float]:
            before = server.cpu_ns()
            poster.post(server.url, [EMPTY_BATCH] * count, headers, _CONCURRENT)
            return ((server.cpu_ns() - before) / 1e3 / count,)

        server.wait()
        once()  # warm
        return once

    with (
        serving(NOOP) as noop,
        serving(function(PUSHED[0]), env) as first,
        serving(function(PUSHED[1]), env) as second,
    ):
        medians = interleaved(
            repetitions,
            {
                "noop": cost(noop, EVENT_HEADERS),
                PUSHED[0]: cost(first, PUSH_HEADERS),
                PUSHED[1]: cost(second, PUSH_HEADERS),
            },
        )
    baseline = medians.pop("noop")[0]
    figures = [
        Figure(f"warm_noop_push_{name}", value, baseline, "us CPU a push")
        for name, (value,) in medians.items()
    ]
    worst = max(figures, key=lambda figure: figure.value)
    return [Figure("warm_noop_push", worst.value, baseline, worst.unit, Target(0.30)), *figures]
