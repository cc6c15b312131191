"""Calls fail, answers are lost, functions are killed: what had a 2xx stands in history once and in state."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo import fleet
from local.stack import Emulator, Stack
from shared import clock
from tests.faults.fleet_run import running

EMULATORS: tuple[Emulator, ...] = ("pubsub", "firestore", "bigquery")
FUNCTIONS = ("ingest", "message_processor", "transponder")
# One call in five goes wrong: half of those before any work is done, half after it.
FAULTS = [{"method": "*", "error_rate": 0.1, "drop_answer_rate": 0.1}]


@contextmanager
def killing(stack: Stack, seed: int) -> Iterator[list[str]]:
    """SIGKILL functions at random while the block runs; yields the list of those that were hit.

    At random times, each of them as often as the others: a lottery might spare one in a short run.
    """
    rng = random.Random(seed)
    over = threading.Event()
    hit: list[str] = []

    def work() -> None:
        while not over.wait(rng.uniform(0.1, 0.5)):
            for name in sorted(FUNCTIONS, key=lambda name: (hit.count(name), rng.random())):
                if stack.kill_function(name):
                    hit.append(name)
                    break

    killer = threading.Thread(target=work)
    killer.start()
    try:
        yield hit
    finally:
        over.set()
        killer.join()


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
def test_nothing_is_lost_and_nothing_counted_twice(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        events = fleet.events(run.devices, 10_000, clock.now_ms(), seed=7)
        for number, emulator in enumerate(EMULATORS):
            run.stack.set_faults(emulator, FAULTS, seed=number)
        with killing(run.stack, seed=3) as hit:
            run.send(events)
        run.stack.drain(180, skip_backoff=True)
        for emulator in EMULATORS:
            run.stack.set_faults(emulator, [])
        proof = run.prove()
        assert set(hit) == set(FUNCTIONS), "the killer must have met every function"
        assert proof.rows > proof.events, "with this many faults something must have been delivered twice"
        assert proof.faults() == []
        assert proof.quarantined == 0
        assert proof.events == len({(s.device_id, s.event_id) for s in run.accepted if s.fate == "known"})
