"""The server of a user's own that the documentation shows, as it stands there, on Google's own client."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from google.cloud import pubsub_v1
from google.pubsub_v1 import types

from local.processes import ROOT
from tests.support.ingest import KEY
from tests.support.outbound_stack import OutboundStack
from tests.support.push_stack import CLOUD_PROJECT
from tests.support.timer_stack import eventually

_README = ROOT / "functions" / "rest_outbound" / "README.md"


def _code(stack: OutboundStack, network: str) -> str:
    """The documented server, with the addresses of this stack; its last line waits no longer than a test."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", _README.read_text(), re.DOTALL | re.MULTILINE)
    for documented, mine in (
        ("https://ingest.example.com", stack.url("ingest").rstrip("/")),
        ("fk_...", KEY.text),
        ("/ack/farm-lora", f"/ack/{network}"),
        ("projects/my-project/", f"projects/{CLOUD_PROJECT}/"),
    ):
        assert documented in code
        code = code.replace(documented, mine)
    *lines, last = code.splitlines()
    assert last.endswith(".result()")
    return "\n".join([*lines, f"future = {last.removesuffix('.result()')}"])


def test_the_documented_server_takes_messages_and_reports_them(
    stack: OutboundStack, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", stack.pubsub.grpc)
    network = f"{project}-net"
    stack.network(project, network, {"transport": "custom"})
    stack.device(project, "d1", network, "t-1")
    (documented,) = re.findall(r"--message-filter '(.*)'", _README.read_text())
    subscription = types.Subscription(
        name=f"projects/{CLOUD_PROJECT}/subscriptions/farm-downlink",
        topic=f"projects/{CLOUD_PROJECT}/topics/outbound",
        filter=documented.replace("farm-lora", network),
    )
    stack.subscriber.create_subscription(request=subscription)
    taken: list[tuple[str, Any]] = []
    arrived = threading.Event()

    def downlink(serial: str, message: Any) -> None:
        taken.append((serial, message))
        arrived.set()

    surroundings: dict[str, Any] = {"downlink": downlink}
    exec(_code(stack, network), surroundings)  # noqa: S102 it is ours
    future: pubsub_v1.subscriber.futures.StreamingPullFuture = surroundings["future"]
    try:
        stack.publish("outbound", stack.init(project, "m1", message={"n": 1}))
        assert arrived.wait(30)
        eventually(lambda: stack.state(project, "m1") == "sent")
        surroundings["report"]({"msgId": "m1", "aliases": {"serial": "t-1"}}, "acked", {"ok": True})
        eventually(lambda: stack.state(project, "m1") == "acked")
    finally:
        future.cancel()
        future.result(timeout=30)
    assert taken == [("t-1", {"n": 1})]
    assert stack.record(project, "m1")["response"] == '{"ok":true}'
