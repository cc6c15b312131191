"""Ten minutes without one of the stores: events wait, none is lost, none is set aside."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from demo import fleet
from local.stack import Emulator
from shared import clock
from tests.faults.fleet_run import running

OUTAGE_MINUTES = 10


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("store", ["pubsub", "firestore", "bigquery"])
def test_an_outage_loses_and_quarantines_nothing(tmp_path: Path, store: Emulator) -> None:
    with running(tmp_path) as run:
        events = fleet.events(run.devices, 2_000, clock.now_ms(), seed=11)
        run.send(events[:1_000])
        run.stack.set_faults(store, [{"method": "*", "error_rate": 1.0}])
        run.stack.reset_calls(store)
        with run.sending(events[1_000:]):
            for _ in range(OUTAGE_MINUTES):
                # Each minute of the stack's clock lets back-offs come due; a moment of ours lets them run.
                run.stack.advance_clock(60)
                time.sleep(0.7)
            assert sum(run.stack.calls(store).values()) > 0, "the outage must have been met"
            run.stack.set_faults(store, [])
        run.stack.drain(120, skip_backoff=True)
        proof = run.prove()
        assert proof.faults() == []
        assert proof.quarantined == 0
        assert proof.events == len({(s.device_id, s.event_id) for s in run.accepted if s.fate == "known"})
