"""Messages to devices that HTTP reaches, from what asks for them to the request and what is kept of it."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from shared import outbound_secrets
from shared.config import settings
from tests.integration.pubsub.endpoint import Endpoint
from tests.support.api import OUTBOUND_KEY
from tests.support.outbound_stack import OutboundStack
from tests.support.timer_stack import eventually

MINUTE = 60_000
LONG = "x" * 100_001
AHEAD = 2**42


def _rest(stack: OutboundStack, project: str, endpoint: Endpoint, **more: Any) -> str:
    """A network that sends to the endpoint, with the device d1 in it; the network's id."""
    network = f"{project}-net"
    url = endpoint.url.replace("/push", "/{alias}")
    way = {"transport": "rest", "urlTemplate": url, "headers": {"X-A": "b"}, **more}
    stack.network(project, network, way)
    stack.device(project, "d1", network, "t 1/a")
    return network


def test_it_is_sent_once_however_often_it_comes(
    stack: OutboundStack, project: str, endpoint: Endpoint
) -> None:
    _rest(stack, project, endpoint)
    message = stack.init(project, "m1", message={"valve": "open"})
    for _ in range(10):
        stack.publish("outbound", message, message)
    stack.settle()
    (got,) = endpoint.received
    assert (got.path, got.body) == ("/t%201%2Fa", b'{"valve":"open"}')
    assert (got.headers["x-a"], got.headers["content-type"]) == ("b", "application/json")
    assert got.headers["idempotency-key"]
    record = stack.record(project, "m1")
    assert (record["state"], record["attempts"], record["sentInfo"]) == ("sent", 1, '{"status":200}')
    stack.publish("outbound", message)
    stack.advance(120)
    stack.settle()
    assert len(endpoint.received) == 1
    assert stack.pull("quarantine") == []


def test_templates_and_secret_headers(
    stack: OutboundStack, project: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = f"{project}-net"
    monkeypatch.setenv("FULCRUM_OUTBOUND_KEY", OUTBOUND_KEY)
    settings.cache_clear()
    sealed = outbound_secrets.seal(network, {"Authorization": "Bearer hush-hush"})
    settings.cache_clear()
    assert "hush" not in str(sealed)
    body = {"id": "{msgId}", "payload": "{message}", "text": "to {alias:serial}: {message} {other}", "n": [1]}
    url = endpoint.url + "?device={deviceId}&alias={alias:serial}"
    way = {"transport": "rest", "urlTemplate": url, "body": body}
    stack.network(project, network, way, secretHeaders=sealed)
    endpoint.answer = b'{"you": "Bearer hush-hush", "token": "hush-hush"}'
    stack.device(project, "d1", network, "t&1")
    stack.publish("outbound", stack.init(project, "m1", message=[7]))
    (got,) = endpoint.wait(1)
    assert got.headers["accept-encoding"] == "identity"
    assert got.path == "/push?device=d1&alias=t%261"
    assert got.headers["authorization"] == "Bearer hush-hush"
    assert httpx.Response(200, content=got.body).json() == {
        "id": "m1",
        "payload": [7],
        "text": "to t&1: [7] {other}",
        "n": [1],
    }
    stack.settle()
    # Some URLs answer with what they were sent.
    told = msgspec.json.decode(stack.record(project, "m1")["sentInfo"])
    assert told == {"status": 200, "body": '{"you": "***", "token": "***"}'}
    assert "hush" not in (stack.folder / "rest_outbound.log").read_text()


def test_a_device_that_comes_back_in_time_gets_it_once(
    stack: OutboundStack, project: str, endpoint: Endpoint
) -> None:
    endpoint.statuses = [503, 429]
    _rest(stack, project, endpoint)
    stack.publish("outbound", stack.init(project, "m1"))
    stack.settle()
    record = stack.record(project, "m1")
    assert (record["state"], record["attempts"], record["error"]) == ("queued", 1, "the URL answered 503")
    stack.advance(11)
    endpoint.wait(2)
    stack.settle()
    stack.advance(25)
    stack.settle()
    assert len(endpoint.received) == 2
    stack.advance(6)
    endpoint.wait(3)
    stack.settle()
    assert stack.state(project, "m1") == "sent"
    assert len({got.headers["idempotency-key"] for got in endpoint.received}) == 1
    stack.advance(4_000)
    stack.settle()
    assert (stack.state(project, "m1"), len(endpoint.received)) == ("sent", 3)


def test_a_device_that_is_away_for_longer_than_its_time_gets_it_never(
    stack: OutboundStack, project: str, endpoint: Endpoint
) -> None:
    endpoint.status = 503
    _rest(stack, project, endpoint)
    stack.publish("outbound", stack.init(project, "m1", expireTime=stack.now() + 45_000))
    for _ in range(5):
        stack.settle()
        stack.advance(10)
    eventually(lambda: stack.state(project, "m1") == "expired")
    sent = len(endpoint.received)
    assert sent == 3
    endpoint.status = 200
    stack.publish("outbound", {"type": "deviceSeenMsg", "projectId": project, "deviceId": "d1"})
    stack.advance(4_000)
    stack.settle()
    assert (stack.state(project, "m1"), len(endpoint.received)) == ("expired", sent)


def test_it_is_tried_at_once_when_the_device_is_heard_of(
    stack: OutboundStack, project: str, endpoint: Endpoint
) -> None:
    endpoint.statuses = [503] * 4
    _rest(stack, project, endpoint)
    seen = {"type": "deviceSeenMsg", "projectId": project, "deviceId": "d1"}
    device = stack.documents.document(f"projects/{project}/devices/d1")
    stack.publish("outbound", stack.init(project, "m1"))
    for seconds in (11, 31, 61):
        stack.settle()
        stack.advance(seconds)
    endpoint.wait(4)
    stack.settle()
    record = stack.record(project, "m1")
    assert record["nextTry"] > stack.now() + 100_000
    heard = device.get().to_dict()["messagesWait"]
    assert stack.now() < heard < record["nextTry"]
    # Too soon after the last attempt: it is noted again, and not tried.
    stack.publish("outbound", seen)
    stack.settle()
    assert (len(endpoint.received), device.get().to_dict()["messagesWait"]) == (4, heard)
    stack.advance(61)
    stack.publish("outbound", seen, seen)
    stack.publish("outbound", seen)
    stack.settle()
    assert (len(endpoint.received), stack.state(project, "m1")) == (5, "sent")
    assert "messagesWait" not in device.get().to_dict()
    stack.advance(300)
    stack.settle()
    assert len(endpoint.received) == 5


def test_what_is_refused_for_good_fails(stack: OutboundStack, project: str, endpoint: Endpoint) -> None:
    endpoint.status = 404
    network = _rest(stack, project, endpoint)
    stack.device(project, "d2", network)
    stack.publish("outbound", stack.init(project, "m1"), stack.init(project, "m2", "d2"))
    stack.settle()
    stack.advance(120)
    stack.settle()
    assert len(endpoint.received) == 1
    assert stack.record(project, "m1")["error"] == "the URL answered 404"
    assert "has no alias 'serial'" in stack.record(project, "m2")["error"]
    assert {stack.state(project, name) for name in ("m1", "m2")} == {"failed"}


def test_a_redirect_to_a_page_has_handed_nothing_over(
    stack: OutboundStack, project: str, endpoint: Endpoint
) -> None:
    endpoint.statuses, endpoint.headers = [302], {"Location": "/login"}
    _rest(stack, project, endpoint)
    stack.publish("outbound", stack.init(project, "m1"))
    stack.settle()
    assert (stack.state(project, "m1"), len(endpoint.received)) == ("failed", 1)
    assert stack.record(project, "m1")["error"].startswith("url.redirects: the redirect asks for GET")


@pytest.mark.parametrize("url", ["http://10.0.0.1/x", "http://169.254.169.254/x", "http://2130706433.:80/"])
def test_a_private_address_is_never_called(stack: OutboundStack, project: str, url: str) -> None:
    stack.network(project, f"{project}-net", {"transport": "rest", "urlTemplate": url})
    stack.device(project, "d1", f"{project}-net", "t")
    stack.publish("outbound", stack.init(project, "m1"))
    stack.settle()
    assert stack.state(project, "m1") == "failed"
    assert stack.record(project, "m1")["error"].startswith("url.private")


def test_of_one_key_only_the_newest_goes_out(stack: OutboundStack, project: str, endpoint: Endpoint) -> None:
    endpoint.status = 503
    _rest(stack, project, endpoint)
    time = stack.now()
    keyed = [
        stack.init(project, f"m{n}", key="setpoint", time=time + n, message=n, expireTime=time + 3_600_000)
        for n in range(4)
    ]
    other = stack.init(project, "other", key="colour")
    stack.publish("outbound", keyed[1], other)
    stack.settle()
    stack.publish("outbound", keyed[2], keyed[3])
    stack.settle()
    # One that was asked for before them, and comes late.
    stack.publish("outbound", keyed[0])
    stack.settle()
    states = [stack.state(project, f"m{n}") for n in range(4)]
    assert states == ["replaced", "replaced", "replaced", "queued"]
    assert {stack.record(project, f"m{n}")["by"] for n in range(3)} <= {"m2", "m3"}
    endpoint.status = 200
    before = len(endpoint.received)
    stack.advance(31)
    endpoint.wait(before + 2)
    stack.settle()
    assert sorted(got.body for got in endpoint.received[before:]) == [b"3", b'{"n":1}']
    assert (stack.state(project, "m3"), stack.state(project, "other")) == ("sent", "sent")


def test_of_one_key_a_newer_one_is_not_sent_while_an_older_one_is_under_way(
    stack: OutboundStack, project: str, endpoint: Endpoint
) -> None:
    _rest(stack, project, endpoint)
    time = stack.now()
    endpoint.gate.clear()
    stack.publish("outbound", stack.init(project, "old", key="k", time=time, message="old"))
    endpoint.wait(1)
    newer = stack.init(project, "new", key="k", time=time + 1, message="new")
    stack.publish("outbound", newer, stack.init(project, "other", message="other"))
    # That one goes out meanwhile, and the newer one has had its turn as well.
    endpoint.wait(2)
    httpx.post(
        stack.url("rest_outbound"),
        json={"type": "sendMessage", "projectId": project, "msgId": "new", "attempt": 0},
        timeout=30,
    )
    assert [got.body for got in endpoint.received] == [b'"old"', b'"other"']
    endpoint.gate.set()
    stack.settle()
    assert [got.body for got in endpoint.received] == [b'"old"', b'"other"', b'"new"']
    assert {stack.state(project, name) for name in ("old", "new")} == {"sent"}
    # Of one whose sender is gone nobody waits longer than its lease.
    endpoint.gate.clear()
    stack.publish("outbound", stack.init(project, "lost", key="l", time=time, message="lost"))
    endpoint.wait(4)
    stack.kill("rest_outbound")
    endpoint.gate.set()
    stack.start("rest_outbound")
    stack.publish("outbound", stack.init(project, "next", key="l", time=time + 1, message="next"))
    eventually(lambda: stack.state(project, "next") is not None)
    assert stack.state(project, "lost") == "queued"
    stack.advance(61)
    stack.settle()
    assert (stack.state(project, "lost"), stack.state(project, "next")) == ("replaced", "sent")
    assert "is not known" in stack.record(project, "lost")["error"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"msgId": ""}, "outbound.invalid"),
        ({"msgId": "a/b"}, "outbound.invalid"),
        ({"msgId": "__x__"}, "outbound.invalid"),
        ({"deviceId": "a/b"}, "outbound.invalid"),
        ({"deviceId": "none"}, "outbound.noDevice"),
        ({"deviceId": "d0"}, "outbound.noTransport"),
        ({"projectId": "a/b"}, "outbound.project"),
        ({"projectId": "none"}, "outbound.project"),
        ({"key": ""}, "outbound.invalid"),
        ({"time": -1}, "outbound.invalid"),
        ({"time": AHEAD, "expireTime": AHEAD + 1}, "outbound.invalid"),
        ({"expireTime": 1}, "outbound.invalid"),
        ({"expireTime": 2**52}, "outbound.invalid"),
        ({"expireTime": None}, "message.undecodable"),
        ({"message": LONG}, "outbound.invalid"),
        ({"type": "outboundMsg"}, "message.undecodable"),
    ],
)
def test_what_is_no_message_is_set_aside(
    stack: OutboundStack, project: str, endpoint: Endpoint, change: dict[str, Any], reason: str
) -> None:
    _rest(stack, project, endpoint)
    stack.device(project, "d0", "no-network")
    stack.publish("outbound", {**stack.init(project, "bad"), **change}, stack.init(project, "good"))
    stack.settle()
    ((data, attributes),) = stack.pull("quarantine")
    assert (attributes["errorType"], attributes["topic"], attributes["index"]) == (reason, "outbound", "0")
    assert data == {**data, **change}
    assert stack.state(project, "good") == "sent"
    assert len(endpoint.received) == 1


def test_an_id_of_another_devices_message_is_set_aside(
    stack: OutboundStack, project: str, endpoint: Endpoint
) -> None:
    network = _rest(stack, project, endpoint)
    stack.device(project, "d2", network, "t-2")
    stack.publish("outbound", stack.init(project, "m1"))
    stack.settle()
    stack.publish("outbound", stack.init(project, "m1", "d2"))
    stack.settle()
    ((_, attributes),) = stack.pull("quarantine")
    assert attributes["errorType"] == "outbound.taken"
    assert (stack.record(project, "m1")["deviceId"], len(endpoint.received)) == ("d1", 1)


@pytest.mark.parametrize("body", [b"", b"{}", b"no push", b'{"type":"sendMessage"}', b'{"type":"other"}'])
def test_what_is_neither_push_nor_task_is_refused(stack: OutboundStack, body: bytes) -> None:
    assert httpx.post(stack.url("rest_outbound"), content=body).status_code == 400


def test_a_task_for_nothing_does_nothing(stack: OutboundStack, project: str, endpoint: Endpoint) -> None:
    endpoint.statuses = [503]
    _rest(stack, project, endpoint)
    stack.publish("outbound", stack.init(project, "m1"))
    stack.settle()

    def post(kind: str, **more: Any) -> int:
        body = {"type": kind, "projectId": project, "msgId": "m1", **more}
        return httpx.post(stack.url("rest_outbound"), json=body).status_code

    assert post("sendMessage", attempt=0) == 204
    assert post("sendMessage", attempt=7) == 204
    assert post("sendMessage", msgId="none", attempt=0) == 204
    assert post("expireMessage") == 500
    assert post("expireMessage", msgId="none") == 204
    assert (stack.state(project, "m1"), len(endpoint.received)) == ("queued", 1)
    assert post("sendMessage", attempt=1) == 204
    assert (stack.state(project, "m1"), len(endpoint.received)) == ("sent", 2)


@pytest.mark.parametrize("store", ["firestore", "tasks", "pubsub"])
def test_while_a_store_fails_none_is_lost_nor_sent_twice(
    stack: OutboundStack, project: str, endpoint: Endpoint, store: str
) -> None:
    _rest(stack, project, endpoint)
    rule = {"method": "*", "error_rate": 0.25, "drop_answer_rate": 0.25}
    if store == "pubsub":
        rule["method"] = "Push"
    stack.faults(getattr(stack, store), rule)
    stack.publish("outbound", *(stack.init(project, f"m{n}", message=n) for n in range(10)))
    eventually(lambda: len(endpoint.received) >= 5)
    stack.faults(getattr(stack, store))
    # Whoever could not write down that it had begun, or ended, comes again once his lease has run out.
    for _ in range(2):
        stack.advance(61)
        stack.settle()
    assert {stack.state(project, f"m{n}") for n in range(10)} == {"sent"}
    assert sorted(int(got.body) for got in endpoint.received) == list(range(10))


def test_killed_between_request_and_note_it_is_sent_again_under_the_same_name(
    stack: OutboundStack, project: str, endpoint: Endpoint
) -> None:
    _rest(stack, project, endpoint)
    endpoint.gate.clear()
    stack.publish("outbound", stack.init(project, "m1"))
    endpoint.wait(1)
    stack.kill("rest_outbound")
    endpoint.gate.set()
    stack.start("rest_outbound")
    stack.advance(2)
    assert stack.state(project, "m1") == "queued"
    stack.advance(61)
    endpoint.wait(2)
    stack.settle()
    assert stack.state(project, "m1") == "sent"
    assert len({got.headers["idempotency-key"] for got in endpoint.received}) == 1
    assert len(endpoint.received) == 2
