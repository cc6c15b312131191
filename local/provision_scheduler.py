"""Jobs of Cloud Scheduler, through Google's client."""

from __future__ import annotations

import json
from typing import Any

import grpc
from google.cloud.scheduler_v1 import CloudSchedulerClient, HttpMethod, types
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport

from local.environment import FUNCTIONS_URL
from local.provision_tasks import LOCATION
from local.topology import Schedule, Topology

_SECONDS = 10.0
# The service allows no less, and no more than half an hour.
_LEAST_DEADLINE = 15
_MOST_DEADLINE = 1800
# A function that is not there yet, or fails, is called again before the next minute.
_RETRY = {
    "retry_count": 3,
    "min_backoff_duration": {"seconds": 5},
    "max_backoff_duration": {"seconds": 60},
    "max_doublings": 5,
}
_COMPARED = ("http_target", "schedule", "time_zone", "retry_config", "attempt_deadline")


def provision(topology: Topology, project: str, emulator: str) -> None:
    """Make the jobs that ``services.yaml`` has, change those that are otherwise, remove those it has no more.

    A job that exists stays paused, or not, as it is: that is the functions' affair.
    """
    parent = f"projects/{project}/locations/{LOCATION}"
    with grpc.insecure_channel(emulator) as channel:
        client = CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel))
        existing = {job.name: job for job in client.list_jobs(parent=parent, timeout=_SECONDS)}
        for schedule in topology.schedules.values():
            deadline = topology.functions[schedule.function].timeout_seconds
            job = types.Job(_described(schedule, parent, deadline))
            there = existing.pop(job.name, None)
            if there is None:
                client.create_job(parent=parent, job=job, timeout=_SECONDS)
                if schedule.paused:
                    client.pause_job(name=job.name, timeout=_SECONDS)
            # A change makes a job forget what it was about to do.
            elif any(getattr(there, field) != getattr(job, field) for field in _COMPARED):
                client.update_job(job=job, timeout=_SECONDS)
        for name in existing:
            client.delete_job(name=name, timeout=_SECONDS)


def _described(schedule: Schedule, parent: str, deadline: int) -> dict[str, Any]:
    return {
        "name": f"{parent}/jobs/{schedule.name}",
        "schedule": schedule.cron,
        "time_zone": "UTC",
        "attempt_deadline": {"seconds": min(max(deadline, _LEAST_DEADLINE), _MOST_DEADLINE)},
        "retry_config": _RETRY,
        "http_target": {
            "uri": FUNCTIONS_URL + schedule.function,
            "http_method": HttpMethod.POST,
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(dict(schedule.message)).encode(),
        },
    }
