"""Messages that devices fetch, that a server of the user's own takes, and what is said of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.outbound_stack import OutboundStack


def _network(stack: OutboundStack, project: str, transport: str = "poll", **more: Any) -> str:
    """A network with two devices, d1 and d2, called t-1 and t-2."""
    network = f"{project}-net"
    stack.network(project, network, {"transport": transport, **more})
    for number in (1, 2):
        stack.device(project, f"d{number}", network, f"t-{number}")
    return network


def _fetch(stack: OutboundStack, network: str, device: str = "t-1", **params: str) -> list[dict[str, Any]]:
    answer = stack.ask("GET", f"out/{network}/{device}", **params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


def _sent(stack: OutboundStack, *messages: dict[str, Any]) -> None:
    stack.publish("outbound", *messages)
    stack.settle()


def test_a_device_fetches_what_waits_once(stack: OutboundStack, project: str) -> None:
    network = _network(stack, project)
    first, second = (stack.init(project, f"m{n}", time=stack.now() + n, message={"n": n}) for n in (1, 2))
    _sent(stack, second, first, stack.init(project, "other", "d2"))
    found = _fetch(stack, network)
    assert [(one["msgId"], one["message"]) for one in found] == [("m1", {"n": 1}), ("m2", {"n": 2})]
    assert found[0]["expireTime"] == first["expireTime"]
    assert _fetch(stack, network) == []
    _sent(stack, first, second)
    assert _fetch(stack, network) == []
    assert stack.state(project, "m1") == "sent"
    # One that lost the answer asks for it again.
    assert [one["msgId"] for one in _fetch(stack, network, again="true")] == ["m1", "m2"]
    assert stack.ask("POST", f"ack/{network}", {"msgId": "m1", "deviceId": "t-1"}).status_code == 202
    stack.settle()
    assert [one["msgId"] for one in _fetch(stack, network, again="true")] == ["m2"]
    assert [one["msgId"] for one in _fetch(stack, network, "t-2")] == ["other"]


def test_of_many_who_fetch_at_once_one_gets_it(stack: OutboundStack, project: str) -> None:
    network = _network(stack, project)
    _sent(stack, *(stack.init(project, f"m{n}") for n in range(5)))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _fetch(stack, network), range(8)))
    assert sorted(one["msgId"] for found in answers for one in found) == [f"m{n}" for n in range(5)]


def test_what_is_too_late_is_not_fetched(stack: OutboundStack, project: str) -> None:
    network = _network(stack, project)
    _sent(stack, stack.init(project, "m1", expireTime=stack.now() + 30_000))
    stack.advance(31)
    assert _fetch(stack, network, again="true") == []
    stack.settle()
    assert stack.state(project, "m1") == "expired"


def test_of_one_key_the_newest_is_fetched(stack: OutboundStack, project: str) -> None:
    network = _network(stack, project)
    for number in range(3):
        _sent(stack, stack.init(project, f"m{number}", key="k", time=stack.now() + number))
    assert [one["msgId"] for one in _fetch(stack, network)] == ["m2"]
    # One that was asked for before it and comes after it was fetched.
    _sent(stack, stack.init(project, "late", key="k", time=stack.now() - 60_000))
    assert _fetch(stack, network) == []
    assert stack.state(project, "late") == "replaced"


@pytest.mark.parametrize(
    ("path", "params", "status", "error"),
    [
        ("out/{net}/t-9", {}, 404, "device.unknown"),
        ("out/{net}/t-1", {"aliasKey": "imei"}, 400, "event.unknownAliasKey"),
        ("out/{net}/t-1", {"again": "1"}, 400, "request.badQuery"),
        ("out/{net}/t-1", {"more": "1"}, 400, "request.badQuery"),
        ("out/{net}/t-1/x", {}, 404, "request.unknownPath"),
        ("out/{net}", {}, 404, "request.unknownPath"),
        pytest.param("out/{net}/" + "x" * 129, {}, 400, "event.badDeviceId", id="long"),
        ("out/other-net/t-1", {}, 401, "auth.wrongKey"),
    ],
)
def test_what_cannot_be_fetched(
    stack: OutboundStack, project: str, path: str, params: dict[str, str], status: int, error: str
) -> None:
    answer = stack.ask("GET", path.format(net=_network(stack, project)), **params)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_only_the_networks_that_say_so_are_asked_for_messages(stack: OutboundStack, project: str) -> None:
    network = _network(stack, project, "custom")
    assert stack.ask("GET", f"out/{network}/t-1").json()["error"] == "network.noPoll"
    wrong = stack.ask("POST", f"out/{network}/t-1", {})
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")


def test_an_answer_changes_its_own_message_and_no_other(stack: OutboundStack, project: str) -> None:
    network = _network(stack, project)
    _sent(stack, *(stack.init(project, name) for name in ("m1", "m2", "m3")))
    _fetch(stack, network)

    def say(**ack: Any) -> None:
        answer = stack.ask("POST", f"ack/{network}", ack)
        assert (answer.status_code, answer.json()["ids"]) == (202, [ack["msgId"]])
        stack.settle()

    say(msgId="m1", deviceId="t-2")
    say(msgId="none", deviceId="t-1")
    assert [stack.state(project, name) for name in ("m1", "m2", "none")] == ["sent", "sent", None]
    say(msgId="m1", deviceId="t-1", response={"ok": True})
    say(msgId="m1", deviceId="t-1", status="failed", response="late")
    say(msgId="m1", deviceId="t-1", status="sent")
    record = stack.record(project, "m1")
    assert (record["state"], record["response"]) == ("acked", '{"ok":true}')
    say(msgId="m2", deviceId="t-1", status="failed", response="jammed")
    assert (stack.state(project, "m2"), stack.record(project, "m2")["response"]) == ("failed", '"jammed"')
    say(msgId="m3", deviceId="t-9")
    assert stack.state(project, "m3") == "sent"
    assert stack.pull("quarantine") == []
    # Another project's message of the same name is nothing to this one.
    elsewhere = {"type": "deviceAckMsg", "msgId": "m3", "projectId": f"{project}x", "deviceId": "d1"}
    stack.publish("outbound", {**elsewhere, "receivedTime": 1})
    stack.settle()
    assert stack.state(project, "m3") == "sent"


def test_where_devices_acknowledge_what_is_not_acknowledged_expires(
    stack: OutboundStack, project: str
) -> None:
    network = _network(stack, project, expectsAck=True)
    _sent(stack, *(stack.init(project, name, expireTime=stack.now() + 30_000) for name in ("m1", "m2")))
    _fetch(stack, network)
    stack.ask("POST", f"ack/{network}", {"msgId": "m1", "deviceId": "t-1"})
    stack.settle()
    stack.advance(31)
    stack.settle()
    assert [stack.state(project, name) for name in ("m1", "m2")] == ["acked", "expired"]
    stack.ask("POST", f"ack/{network}", {"msgId": "m2", "deviceId": "t-1"})
    stack.settle()
    assert stack.state(project, "m2") == "expired"


@pytest.mark.parametrize(
    ("ack", "error"),
    [
        ({"deviceId": "t-1"}, "ack.badMsgId"),
        ({"msgId": "a/b", "deviceId": "t-1"}, "ack.badMsgId"),
        ({"msgId": "m1"}, "event.noDevice"),
        ({"msgId": "m1", "deviceId": "t-1", "status": "done"}, "ack.badStatus"),
        ({"msgId": "m1", "deviceId": "t-1", "status": ["acked"]}, "ack.badStatus"),
        ({"msgId": "m1", "deviceId": "t-1", "response": "x" * 16_001}, "ack.tooLarge"),
        ({"msgId": "m1", "deviceId": "t-1", "data": {}}, "ack.unknownField"),
        ({"msgId": "m1", "deviceId": "t-1", "aliasKey": "imei"}, "event.unknownAliasKey"),
        (["m1"], "ack.notAnObject"),
    ],
)
def test_an_answer_that_is_none_is_refused_by_name(
    stack: OutboundStack, project: str, ack: Any, error: str
) -> None:
    network = _network(stack, project)
    good = {"msgId": "m1", "deviceId": "t-1"}
    answer = stack.ask("POST", f"ack/{network}", [ack, good])
    assert answer.status_code == 207
    assert [(one["index"], one["error"]) for one in answer.json()["errors"]] == [(0, error)]
    assert answer.json()["ids"] == ["m1"]


def test_a_server_of_the_users_own_gets_it_and_says_what_became_of_it(
    stack: OutboundStack, project: str
) -> None:
    network = _network(stack, project, "custom")
    stack.pull("outbound")
    _sent(stack, stack.init(project, "m1", message={"n": 1}), stack.init(project, "m2"))
    mine = [(data, about) for data, about in stack.pull("outbound") if about.get("transport") == "custom"]
    for _, about in mine:
        assert (about["networkId"], about["projectId"]) == (network, project)
    given = {data["msgId"]: data for data, _ in mine}
    assert (given["m1"]["aliases"], given["m1"]["message"]) == ({"serial": "t-1"}, {"n": 1})
    assert set(given) == {"m1", "m2"}
    sent = {"type": "outboundSentMsg", "msgId": "m1", "projectId": project, "deviceId": "d1"}
    _sent(stack, {**sent, "deviceId": "d2"}, {**sent, "networkId": "other"})
    assert stack.state(project, "m1") == "queued"
    _sent(stack, {**sent, "sendInfo": {"frame": 7}}, sent)
    assert (stack.state(project, "m1"), stack.record(project, "m1")["sentInfo"]) == ("sent", '{"frame":7}')
    _sent(stack, {**sent, "status": "failed"})
    assert stack.state(project, "m1") == "sent"
    _sent(stack, {**sent, "msgId": "m2", "status": "failed", "sendInfo": "no route"})
    assert (stack.state(project, "m2"), stack.record(project, "m2")["error"]) == (
        "failed",
        'reported: "no route"',
    )
    stack.ask("POST", f"ack/{network}", {"msgId": "m1", "deviceId": "t-1"})
    stack.settle()
    assert stack.state(project, "m1") == "acked"


@pytest.mark.parametrize("store", ["firestore", "pubsub"])
def test_while_a_store_fails_no_answer_is_lost(stack: OutboundStack, project: str, store: str) -> None:
    network = _network(stack, project)
    _sent(stack, *(stack.init(project, f"m{n}") for n in range(10)))
    _fetch(stack, network)
    acks = [{"msgId": f"m{n}", "deviceId": "t-1"} for n in range(10)]
    assert stack.ask("POST", f"ack/{network}", acks[:5]).status_code == 202
    rule = {"method": "*", "error_rate": 0.3, "drop_answer_rate": 0.3}
    if store == "pubsub":
        rule["method"] = "Push"
    stack.faults(getattr(stack, store), rule)
    stack.ask("POST", f"ack/{network}", acks)
    stack.faults(getattr(stack, store))
    assert stack.ask("POST", f"ack/{network}", acks[5:]).status_code == 202
    stack.settle()
    assert {stack.state(project, f"m{n}") for n in range(10)} == {"acked"}
