"""Jobs as functions switch them, and as a stack makes them, against the stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.provision_scheduler import provision
from local.topology import SERVICES, Schedule, Topology, load
from shared.clients import cloud_scheduler
from shared.config import settings
from shared.errors import Transient
from tests.integration.cloud_scheduler.conftest import PARENT, Scheduler, running


@pytest.fixture
async def client(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setenv("FULCRUM_SCHEDULER_ENDPOINT", scheduler.grpc)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    settings.cache_clear()
    yield cloud_scheduler
    await cloud_scheduler.close()
    settings.cache_clear()


async def test_a_job_is_switched_off_and_on_any_number_of_times(client: Any, scheduler: Scheduler) -> None:
    scheduler.create("http://x/", "simulate")
    assert await client.exists("simulate")
    for _ in range(2):
        assert await client.pause("simulate")
        assert scheduler.shown("simulate")["state"] == "PAUSED"
    for _ in range(2):
        assert await client.resume("simulate")
        assert scheduler.shown("simulate")["state"] == "ENABLED"


async def test_a_job_that_is_not_there_is_said_to_be_not_there(client: Any) -> None:
    assert not await client.exists("none")
    assert not await client.pause("none")
    assert not await client.resume("none")


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "INTERNAL"])
async def test_a_service_that_fails_is_temporary(client: Any, scheduler: Scheduler, code: str) -> None:
    scheduler.create("http://x/", "simulate")
    scheduler.control("POST", "/faults", {"rules": [{"method": "*", "error_rate": 1, "code": code}]})
    try:
        for call in (client.exists, client.pause, client.resume):
            with pytest.raises(Transient, match="injected fault"):
                await call("simulate")
    finally:
        scheduler.control("DELETE", "/faults")
    assert scheduler.shown("simulate")["state"] == "ENABLED"


def _with(topology: Topology, **schedules: Schedule) -> Topology:
    return replace(topology, schedules=schedules)


def test_jobs_are_made_as_declared_and_what_functions_switched_stays(tmp_path: Path) -> None:
    topology = load(SERVICES)
    tick = Schedule("tick", "scheduler", "* * * * *", {"type": "a"}, paused=True)
    nightly = Schedule("nightly", "scheduler", "0 3 * * *", {"type": "b"})
    with running(tmp_path / "data", tmp_path / "clock") as scheduler:

        def states() -> dict[str, tuple[str, str]]:
            listed = scheduler.client.list_jobs(parent=PARENT)
            return {job.name.rpartition("/")[2]: (job.state.name, job.schedule) for job in listed}

        provision(_with(topology, tick=tick, nightly=nightly), "p", scheduler.grpc)
        assert states() == {"tick": ("PAUSED", "* * * * *"), "nightly": ("ENABLED", "0 3 * * *")}
        job = scheduler.get("nightly")
        assert job.http_target.uri == "http://functions.fulcrum.local/scheduler"
        assert (job.http_target.body, job.time_zone) == (b'{"type": "b"}', "UTC")
        assert job.attempt_deadline.seconds == topology.functions["scheduler"].timeout_seconds

        scheduler.client.resume_job(name=f"{PARENT}/jobs/tick")
        scheduler.client.pause_job(name=f"{PARENT}/jobs/nightly")
        scheduler.control("DELETE", "/calls")
        provision(_with(topology, tick=tick, nightly=nightly), "p", scheduler.grpc)
        assert states() == {"tick": ("ENABLED", "* * * * *"), "nightly": ("PAUSED", "0 3 * * *")}
        assert "UpdateJob" not in scheduler.control("GET", "/calls")

        later = replace(nightly, cron="0 4 * * *")
        provision(_with(topology, nightly=later), "p", scheduler.grpc)
        assert states() == {"nightly": ("PAUSED", "0 4 * * *")}
