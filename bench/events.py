"""What an event costs, from ingest to state and history, beside what it costs the naive pipeline."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping

from bench.figures import Figure, Target, interleaved
from bench.fleet import arrays, event, newest_time
from bench.load import Poster
from bench.naive_store import create_table
from bench.rig import Rig, rig
from bench.server import NAIVE, Server, serving

ARRAY = 100
CONCURRENT = 16
# Publish, merge, insert: what the naive pipeline calls for each event.
NAIVE_RPCS = 3
_DEVICES = 100
PUBLISH = "pubsub.Publish"

Sample = tuple[float, float]


class Sender:
    """Posts fresh events of a rig's devices, in turn, and takes the CPU time and wall time they cost."""

    def __init__(self, poster: Poster, rig: Rig) -> None:
        self._poster = poster
        self._rig = rig
        self._numbers = itertools.count()
        self._last = (0, 0)

    def bodies(self, count: int, stride: int = 1) -> list[bytes]:
        """``count`` new events, one device after the other, every ``stride``-th of them."""
        now = time.time_ns() // 1_000_000
        values = self._rig.fleet.values
        devices = [number * stride % len(values) for number in itertools.islice(self._numbers, count)]
        self._last = (devices[-1], now)
        return [event(values[device], f"{now}-{place}", now) for place, device in enumerate(devices)]

    def check(self) -> None:
        """See that the last event has reached its device's state: what is set aside costs little."""
        device, sent = self._last
        stored = newest_time(self._rig.emulators.grpc["firestore"], device)
        if stored != sent:
            raise RuntimeError(
                f"device {device} shows an event of {stored}, not of {sent}: see build/bench/*.log"
            )

    def send(self, bodies: list[bytes], events: int, concurrent: int = 1) -> Sample:
        """CPU microseconds of the three functions per event, and events a second until all is stored."""
        before, start = self._rig.cpu_us(), time.monotonic()
        self._poster.post(self._rig.url, bodies, self._rig.fleet.headers, concurrent)
        self._rig.emulators.drain()
        return (self._rig.cpu_us() - before) / events, events / (time.monotonic() - start)

    def in_arrays(self, count: int, stride: int = 1) -> Sample:
        """Send events in arrays of 100, one post after the other."""
        return self.send(list(arrays(self.bodies(count, stride), ARRAY)), count)

    def one_by_one(self, count: int, stride: int) -> Sample:
        """The same, but each array is stored before the next one is sent: each event is one write."""
        samples = [self.in_arrays(ARRAY, stride) for _ in range(count // ARRAY)]
        return sum(cpu for cpu, _ in samples) / len(samples), min(rate for _, rate in samples)

    def single(self, count: int) -> Sample:
        """Send single events from 16 clients at once."""
        return self.send(self.bodies(count), count, CONCURRENT)


def measure(poster: Poster, quick: bool) -> list[Figure]:
    """``event_*``, ``events_per_second_*`` and ``rpcs_per_100_events``."""
    repetitions, many, few = (2, 600, 48) if quick else (7, 3000, 160)
    with rig(_DEVICES) as ours:
        create_table(ours.emulators.http["bigquery"])
        with serving(NAIVE, ours.emulators.env) as naive:
            naive.wait()
            sender, baseline = Sender(poster, ours), Sender(poster, ours)

            def naively(concurrent: int) -> Callable[[], Sample]:
                return lambda: _naive(poster, naive, baseline.bodies(few), concurrent)

            measures: dict[str, Callable[[], Sample]] = {
                "naive": naively(1),
                "array": lambda: sender.in_arrays(many),
                "naive_concurrent": naively(CONCURRENT),
                "single": lambda: sender.single(many // 2),
            }
            for once in measures.values():
                once()  # warm: clients made, devices and routes known
            medians = interleaved(repetitions, measures)
            sender.check()
            rpcs = interleaved(1 if quick else 5, {"rpcs": lambda: (_rpcs(sender, ours),)})["rpcs"][0]
    array, single = medians["array"], medians["single"]
    naive_one, naive_many = medians["naive"], medians["naive_concurrent"]
    cpu, rate = "us CPU an event", "events a second"
    return [
        Figure("event_in_array_of_100", array[0], naive_one[0], cpu, Target(0.02)),
        Figure("event_16_concurrent_posts", single[0], naive_many[0], cpu, Target(0.12)),
        Figure("rpcs_per_100_events", rpcs, NAIVE_RPCS * ARRAY, "calls", Target(5, "value")),
        Figure("events_per_second_single", single[1], naive_many[1], rate),
        Figure("events_per_second_array", array[1], naive_many[1], rate),
    ]


def _naive(poster: Poster, naive: Server, bodies: list[bytes], concurrent: int) -> Sample:
    before, start = naive.cpu_ns(), time.monotonic()
    poster.post(naive.url, bodies, {"Content-Type": "application/json"}, concurrent)
    cpu = (naive.cpu_ns() - before) / 1e3 / len(bodies)
    return cpu, len(bodies) / (time.monotonic() - start)


def _rpcs(sender: Sender, ours: Rig) -> float:
    ours.emulators.forget_calls()
    sender.in_arrays(ARRAY)
    return made_calls(ours.emulators.calls())


def made_calls(calls: Mapping[str, int]) -> int:
    """How many of the calls functions made: to Pub/Sub they only publish, the rest is the emulator's own."""
    return sum(count for name, count in calls.items() if name == PUBLISH or not name.startswith("pubsub."))
