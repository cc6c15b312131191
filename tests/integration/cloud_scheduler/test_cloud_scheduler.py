"""The stand-in for Cloud Scheduler as Google's client sees it, and as the target of its jobs does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.api_core import exceptions
from google.cloud.scheduler_v1 import HttpMethod, Job

from shared import clock
from tests.integration.cloud_scheduler.conftest import PARENT, Scheduler, name, running
from tests.integration.pubsub.conftest import eventually, stays
from tests.integration.pubsub.endpoint import Endpoint


def _idle(scheduler: Scheduler, code: int = 0) -> Callable[[], bool]:
    """Whether the job's last attempt is over, and how it ended."""

    def check() -> bool:
        shown = scheduler.shown()
        return not shown["out"] and bool(shown["lastAttempt"]) and shown["code"] == code

    return check


def test_a_job_is_sent_when_its_time_has_come_with_the_services_headers(
    scheduler: Scheduler, endpoint: Endpoint
) -> None:
    target = {"uri": endpoint.url, "headers": {"X-Own": "1", "User-Agent": "me"}, "body": b"hello"}
    made = scheduler.create("", http_target=target)
    assert (made.state, made.time_zone, made.attempt_deadline.seconds) == (Job.State.ENABLED, "UTC", 180)
    assert (made.retry_config.retry_count, made.retry_config.min_backoff_duration.seconds) == (0, 5)
    stays(lambda: not endpoint.received)
    due = made.schedule_time
    assert due.second == 0
    scheduler.advance(60)
    (got,) = endpoint.wait(1)
    assert (got.body, got.headers["x-own"]) == (b"hello", "1")
    assert got.headers["content-type"] == "application/octet-stream"
    assert (got.headers["user-agent"], got.headers["x-cloudscheduler"]) == ("Google-Cloud-Scheduler", "true")
    assert got.headers["x-cloudscheduler-jobname"] == "job"
    assert got.headers["x-cloudscheduler-scheduletime"] == due.strftime("%Y-%m-%dT%H:%M:%SZ")
    eventually(_idle(scheduler))
    after = scheduler.get()
    assert (after.schedule_time - due).total_seconds() == 60
    assert after.last_attempt_time >= due


def test_a_clock_that_leaps_over_many_times_of_a_job_runs_it_once(
    scheduler: Scheduler, endpoint: Endpoint
) -> None:
    scheduler.create(endpoint.url)
    scheduler.advance(86_400)
    endpoint.wait(1)
    eventually(_idle(scheduler))
    stays(lambda: len(endpoint.received) == 1)
    scheduler.advance(60)
    endpoint.wait(2)


def test_a_schedule_is_one_of_its_time_zone(scheduler: Scheduler) -> None:
    made = scheduler.create("http://127.0.0.1:1/", cron="30 7 * * *", time_zone="America/New_York")
    local = made.schedule_time.astimezone(ZoneInfo("America/New_York"))
    assert (local.hour, local.minute) == (7, 30)


def test_what_fails_comes_again_with_back_off_until_its_tries_are_used_up(
    scheduler: Scheduler, endpoint: Endpoint
) -> None:
    endpoint.status = 503
    retry = {"retry_count": 2, "min_backoff_duration": {"seconds": 100}}
    scheduler.create(endpoint.url, cron="0 * * * *", retry_config=retry)
    scheduler.to_second(1, 3600)
    endpoint.wait(1)
    eventually(_idle(scheduler, 14))
    assert scheduler.get().status.message == "HTTP status 503"
    scheduler.advance(90)
    stays(lambda: len(endpoint.received) == 1)
    scheduler.advance(15)
    endpoint.wait(2)
    eventually(lambda: scheduler.shown()["failures"] == 2)
    scheduler.advance(190)
    stays(lambda: len(endpoint.received) == 2)
    scheduler.advance(15)
    third = endpoint.wait(3)[2]
    eventually(lambda: scheduler.shown()["failures"] == 0)
    # All three are of one time; now the schedule is followed again.
    assert {got.headers["x-cloudscheduler-scheduletime"] for got in endpoint.received} == {
        third.headers["x-cloudscheduler-scheduletime"]
    }
    assert scheduler.get().schedule_time.minute == 0
    endpoint.status = 200
    scheduler.advance(3600)
    endpoint.wait(4)
    eventually(_idle(scheduler))


def test_the_next_time_of_the_schedule_ends_an_execution_that_does_not_come_through(
    scheduler: Scheduler, endpoint: Endpoint
) -> None:
    endpoint.status = 500
    retry = {"retry_count": 5, "min_backoff_duration": {"seconds": 45}}
    scheduler.create(endpoint.url, retry_config=retry)
    scheduler.to_second(1)
    endpoint.wait(1)
    eventually(lambda: scheduler.shown()["failures"] == 1)
    scheduler.advance(46)
    endpoint.wait(2)
    eventually(lambda: scheduler.shown()["failures"] == 0)
    scheduler.to_second(1)
    times = [got.headers["x-cloudscheduler-scheduletime"] for got in endpoint.wait(3)]
    assert times[0] == times[1] < times[2]


def test_a_job_runs_once_at_a_time_and_what_came_due_meanwhile_follows(
    scheduler: Scheduler, endpoint: Endpoint
) -> None:
    endpoint.gate.clear()
    scheduler.create(endpoint.url)
    scheduler.advance(60)
    endpoint.wait(1)
    scheduler.advance(60)
    stays(lambda: len(endpoint.received) == 1)
    endpoint.gate.set()
    endpoint.wait(2)
    assert endpoint.most_at_once == 1


def test_a_deadline_that_passes_is_a_failure(scheduler: Scheduler, endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    scheduler.create(endpoint.url, cron="0 0 1 1 *", attempt_deadline={"seconds": 20})
    scheduler.client.run_job(name=name("job"))
    endpoint.wait(1)
    scheduler.advance(21)
    eventually(_idle(scheduler, 4))


def test_nobody_who_listens_is_a_failure_too(scheduler: Scheduler) -> None:
    scheduler.create("http://127.0.0.1:1/")
    scheduler.advance(60)
    eventually(_idle(scheduler, 14))


def test_a_paused_job_does_nothing_until_it_is_resumed(scheduler: Scheduler, endpoint: Endpoint) -> None:
    scheduler.create(endpoint.url)
    paused = scheduler.client.pause_job(name=name("job"))
    assert (paused.state, paused.schedule_time) == (Job.State.PAUSED, None)
    with pytest.raises(exceptions.FailedPrecondition, match="ENABLED"):
        scheduler.client.pause_job(name=name("job"))
    scheduler.advance(300)
    stays(lambda: not endpoint.received)
    # A change leaves it paused.
    scheduler.client.update_job(job={"name": name("job"), "schedule": "*/2 * * * *"}, update_mask="schedule")
    assert scheduler.get().state == Job.State.PAUSED
    resumed = scheduler.client.resume_job(name=name("job"))
    assert resumed.state == Job.State.ENABLED
    assert resumed.schedule_time.timestamp() > scheduler.now()
    with pytest.raises(exceptions.FailedPrecondition, match="PAUSED"):
        scheduler.client.resume_job(name=name("job"))
    scheduler.advance(120)
    endpoint.wait(1)


def test_a_job_that_is_paused_while_it_is_out_stays_paused(scheduler: Scheduler, endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    scheduler.create(endpoint.url)
    scheduler.advance(60)
    endpoint.wait(1)
    scheduler.client.pause_job(name=name("job"))
    endpoint.gate.set()
    eventually(_idle(scheduler))
    scheduler.advance(60)
    stays(lambda: len(endpoint.received) == 1)
    assert scheduler.get().schedule_time is None


def test_a_forced_run_leaves_the_schedule_alone(scheduler: Scheduler, endpoint: Endpoint) -> None:
    due = scheduler.create(endpoint.url, cron="0 0 1 1 *").schedule_time
    scheduler.client.run_job(name=name("job"))
    endpoint.wait(1)
    eventually(_idle(scheduler))
    assert scheduler.get().schedule_time == due
    scheduler.client.pause_job(name=name("job"))
    scheduler.client.run_job(name=name("job"))
    endpoint.wait(2)


def test_jobs_are_changed_listed_and_removed(scheduler: Scheduler, endpoint: Endpoint) -> None:
    for short in ("c", "a", "b"):
        scheduler.create(endpoint.url, short, description=short)
    listed = scheduler.client.list_jobs(request={"parent": PARENT, "page_size": 2})
    assert [job.description for job in listed] == ["a", "b", "c"]
    with pytest.raises(exceptions.AlreadyExists):
        scheduler.create(endpoint.url, "a")
    whole = {"name": name("a"), "schedule": "5 * * * *", "http_target": {"uri": endpoint.url}}
    changed = scheduler.client.update_job(job=whole)
    assert (changed.schedule, changed.description, changed.schedule_time.minute) == ("5 * * * *", "", 5)
    scheduler.client.delete_job(name=name("a"))
    for call in (scheduler.client.get_job, scheduler.client.delete_job, scheduler.client.pause_job):
        with pytest.raises(exceptions.NotFound, match="Job not found"):
            call(name=name("a"), retry=None)
    with pytest.raises(exceptions.NotFound):
        scheduler.client.update_job(job=whole)
    made = scheduler.client.create_job(parent=PARENT, job={**whole, "name": ""})
    assert made.name.startswith(f"{PARENT}/jobs/")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({"cron": "every 5 minutes"}, "Schedule or time zone"),
        ({"cron": "0 0 31 2 *"}, "Schedule or time zone"),
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
        ({"http_target": {"uri": "ftp://x/"}}, "HttpTarget.uri"),
        ({"http_target": {"uri": "http://x/", "http_method": HttpMethod.GET, "body": b"x"}}, "body"),
        ({"attempt_deadline": {"seconds": 5}}, "attempt_deadline"),
        ({"retry_config": {"retry_count": 6}}, "retry_count"),
        ({"description": "x" * 501}, "description"),
        ({"short": "a b"}, "no name of a job"),
        ({"name": "projects/q/locations/europe-west1/jobs/a"}, "below the parent"),
    ],
)
def test_a_job_that_the_service_would_not_take_is_refused(
    scheduler: Scheduler, job: dict[str, Any], said: str
) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=said):
        scheduler.create("http://x/", **job)


def test_what_it_has_not_is_said_by_name(scheduler: Scheduler) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match="pubsub_target"):
        scheduler.client.create_job(
            parent=PARENT,
            job={
                "name": name("p"),
                "schedule": "* * * * *",
                "pubsub_target": {"topic_name": "projects/p/topics/t", "data": b"x"},
            },
        )
    scheduler.create("http://x/")
    with pytest.raises(exceptions.MethodNotImplemented, match="update_mask state"):
        scheduler.client.update_job(job={"name": name("job")}, update_mask="state")


def test_faults_and_calls(scheduler: Scheduler, endpoint: Endpoint) -> None:
    scheduler.create(endpoint.url, retry_config={"retry_count": 1})
    scheduler.control("DELETE", "/calls")
    scheduler.control("POST", "/faults", {"rules": [{"method": "Dispatch", "drop_answer_rate": 1}]})
    scheduler.advance(60)
    endpoint.wait(1)
    eventually(_idle(scheduler, 14))
    scheduler.control("DELETE", "/faults")
    scheduler.advance(6)
    endpoint.wait(2)
    assert scheduler.control("GET", "/calls")["Dispatch"] == 2


def test_jobs_their_failures_and_what_was_out_outlive_a_kill(tmp_path: Path, endpoint: Endpoint) -> None:
    clock_file = tmp_path / "clock"
    endpoint.status = 500
    with running(tmp_path / "data", clock_file) as scheduler:
        scheduler.create(endpoint.url, "paused")
        scheduler.client.pause_job(name=name("paused"))
        retry = {"retry_count": 2, "min_backoff_duration": {"seconds": 400}}
        due = scheduler.create(endpoint.url, cron="0 0 1 * *", retry_config=retry).schedule_time
        scheduler.advance(due.timestamp() - scheduler.now() + 1)
        endpoint.wait(1)
        eventually(lambda: scheduler.shown()["failures"] == 1)
        endpoint.gate.clear()
        scheduler.advance(401)
        endpoint.wait(2)
    endpoint.gate.set()
    with running(tmp_path / "data", clock_file) as scheduler:
        # What was out is sent again, as the same execution and with its one failure.
        got = endpoint.wait(3)[2]
        assert got.headers["x-cloudscheduler-scheduletime"] == due.strftime("%Y-%m-%dT%H:%M:%SZ")
        eventually(lambda: scheduler.shown()["failures"] == 2)
        assert scheduler.get("paused").state == Job.State.PAUSED
        assert scheduler.shown("paused")["next"] is None


def test_what_came_due_while_none_ran_runs_once_at_the_next_start(tmp_path: Path, endpoint: Endpoint) -> None:
    clock_file = tmp_path / "clock"
    with running(tmp_path / "data", clock_file) as scheduler:
        scheduler.create("http://functions/x", cron="0 * * * *")
    clock.advance(clock_file, 5 * 3600)
    with running(tmp_path / "data", clock_file, "--route", f"http://functions/={endpoint.url}/") as scheduler:
        (got,) = endpoint.wait(1)
        assert got.path == "/push/x"
        eventually(_idle(scheduler))
        stays(lambda: len(endpoint.received) == 1)
        assert scheduler.get().schedule_time.timestamp() > scheduler.now()
