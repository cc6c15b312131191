"""Baseline of an event: the obvious pipeline, one event at a time through Google's high-level clients.

One HTTP function takes one event, publishes it and waits, merges it into the device's document, and inserts
its history row. It has no checks, no keys and no routing, so that it costs less than a real one would.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import functions_framework
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, firestore, pubsub_v1

from bench.names import CLOUD_PROJECT, NAIVE_TABLE, NAIVE_TOPIC


# Made once, at the first event: a gRPC channel made before gunicorn forks would not work after it.
@cache
def _publisher() -> Any:
    return pubsub_v1.PublisherClient()


@cache
def _firestore() -> Any:
    return firestore.Client(project=CLOUD_PROJECT)


@cache
def _bigquery() -> Any:
    return bigquery.Client(project=CLOUD_PROJECT, credentials=AnonymousCredentials())


@functions_framework.http  # type: ignore[untyped-decorator]  # the framework has no types
def naive(request: Any) -> tuple[str, int]:
    """Carry one event the whole way; answers 202 when all three services have confirmed."""
    event = request.get_json()
    _publisher().publish(NAIVE_TOPIC, request.get_data()).result()
    batch = _firestore().batch()
    reference = _firestore().document(f"naive/{event['deviceId']}")
    batch.set(reference, {"data": event["data"], "lastSeen": event["time"]}, merge=True)
    batch.commit()
    row = {
        "device_id": event["deviceId"],
        "event_id": event["id"],
        "time": event["time"] / 1000,
        "data": json.dumps(event["data"]),
    }
    errors = _bigquery().insert_rows_json(NAIVE_TABLE, [row], row_ids=[event["id"]])
    if errors:
        raise RuntimeError(f"BigQuery refused the row: {errors}")
    return "accepted", 202
