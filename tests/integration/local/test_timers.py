"""Timers on a whole stack: armed by the schedule, fired by tasks, kept with its state over a restart."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import firestore
from google.pubsub_v1 import PublisherClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from local.stack import Stack

pytestmark = pytest.mark.slow


def _publish(stack: Stack, *messages: dict[str, Any]) -> None:
    with grpc.insecure_channel(stack.env()["PUBSUB_EMULATOR_HOST"]) as channel:
        client = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        message = types.PubsubMessage(data=json.dumps(list(messages)).encode())
        client.publish(topic=f"projects/{stack.project}/topics/scheduler", messages=[message])


def _timers(stack: Stack) -> dict[str, dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", stack.env()["FIRESTORE_EMULATOR_HOST"])
        client = firestore.Client(project=stack.project)
    try:
        found = client.collection("projects/farm/runningTimers").stream()
        return {document.get("timerId"): document.to_dict() for document in found}
    finally:
        client.close()


def _set(timer_id: str, timer: dict[str, Any]) -> dict[str, Any]:
    message = {"deviceId": "none", "data": {"mode": "night"}}
    action = {"type": "publishTopic", "topic": "writer", "message": message}
    stamp = [time.time_ns() // 1_000_000, timer_id]
    about = {"type": "setTimerMsg", "id": timer_id, "stamp": stamp, "projectId": "farm"}
    return {**about, "timer": timer, "action": action}


def _eventually(check: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_timers_fire_on_a_stack_and_outlive_it(tmp_path: Path) -> None:
    once = {"type": "once", "delay": 60_000}
    with Stack(tmp_path / "stack", data=tmp_path / "data") as stack:
        _publish(
            stack,
            _set("soon", once),
            _set("kept", {"type": "once", "delay": 150_000}),
            _set("far", {"type": "once", "delay": 3_600_000}),
        )
        stack.drain()
        assert {timer["state"] for timer in _timers(stack).values()} == {"running"}
        assert stack.tasks()["timers"]["scheduled"] == 2
        stack.advance_clock(61)
        _eventually(lambda: _timers(stack)["soon"]["state"] == "finished")
        stack.drain()
    with Stack(tmp_path / "stack", data=tmp_path / "data") as stack:
        assert stack.tasks()["timers"]["scheduled"] == 1
        stack.advance_clock(91)
        _eventually(lambda: _timers(stack)["kept"]["state"] == "finished")
        assert _timers(stack)["far"]["state"] == "running"
        # The schedule sees the moved clock, and sweeps: what was far off becomes a task.
        stack.advance_clock(3_300)
        _eventually(lambda: stack.tasks()["timers"]["scheduled"] == 1)
        stack.advance_clock(180)
        _eventually(lambda: _timers(stack)["far"]["state"] == "finished")
        stack.drain()
        assert {timer["occurrences"] for timer in _timers(stack).values()} == {1}
