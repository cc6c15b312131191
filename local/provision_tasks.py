"""Queues of Cloud Tasks, through Google's client."""

from __future__ import annotations

from typing import Any

import grpc
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from local.topology import Queue, Topology

# Where the functions look for their queues (see shared.config).
LOCATION = "europe-west1"


def provision(topology: Topology, project: str, emulator: str) -> None:
    """Make the queues, or set those that exist to what ``services.yaml`` says."""
    if not topology.queues:
        return
    parent = f"projects/{project}/locations/{LOCATION}"
    with grpc.insecure_channel(emulator) as channel:
        client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        for queue in topology.queues.values():
            # Google's API makes a queue that is not there when it is to be changed.
            client.update_queue(request={"queue": _described(queue, parent)}, timeout=10.0)


def _described(queue: Queue, parent: str) -> dict[str, Any]:
    return {
        "name": f"{parent}/queues/{queue.name}",
        "retry_config": {
            "max_attempts": queue.max_attempts,
            "min_backoff": {"seconds": queue.retry_minimum_seconds},
            "max_backoff": {"seconds": queue.retry_maximum_seconds},
        },
    }
