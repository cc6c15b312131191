"""Timers through a real scheduler, from the message that sets them to what they publish."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.pubsub.endpoint import Endpoint
from tests.support.timer_stack import TimerStack, eventually

MINUTE = 60_000
LONG = "x" * 200_000


def _alarms(stack: TimerStack, project: str) -> list[tuple[str, int]]:
    """What timers of a project published: their names in the message, and when they were due."""
    return [
        (data["timer"], int(attributes["time"]))
        for data, attributes in stack.pull("alarms")
        if attributes["projectId"] == project
    ]


def _set(stack: TimerStack, *messages: dict[str, Any]) -> None:
    stack.send(*messages)
    stack.settle()


def test_once_fires_at_its_instant_and_is_then_finished(stack: TimerStack, project: str) -> None:
    _set(stack, stack.set(project, "t", {"type": "once", "delay": 30_000}))
    (timer,) = stack.timers(project).values()
    assert timer["state"] == "running"
    assert timer["fireTime"] == timer["start"] + 30_000
    stack.advance(25)
    stack.settle()
    assert _alarms(stack, project) == []
    stack.advance(6)
    found = eventually(lambda: _alarms(stack, project))
    assert found == [("t", timer["fireTime"])]
    eventually(lambda: stack.timers(project)["t"]["state"] == "finished")
    assert stack.timers(project)["t"]["occurrences"] == 1
    assert "expireAt" in stack.timers(project)["t"]


def test_what_was_set_comes_again_and_changes_nothing(stack: TimerStack, project: str) -> None:
    message = stack.set(project, "t", {"type": "once", "delay": 1_000})
    _set(stack, message, message)
    stack.advance(2)
    assert len(eventually(lambda: _alarms(stack, project))) == 1
    eventually(lambda: stack.timers(project)["t"]["state"] == "finished")
    _set(stack, message)
    stack.advance(10)
    stack.settle()
    assert _alarms(stack, project) == []
    # Set by something later it is a new start.
    _set(stack, stack.set(project, "t", {"type": "once", "delay": 1_000}))
    stack.advance(2)
    assert len(eventually(lambda: _alarms(stack, project))) == 1


def test_repeating_keeps_its_grid_and_the_sweep_arms_what_is_far_off(stack: TimerStack, project: str) -> None:
    _set(stack, stack.set(project, "t", {"type": "repeating", "delay": 10 * MINUTE, "runImmediately": True}))
    start = stack.timers(project)["t"]["start"]
    found = eventually(lambda: _alarms(stack, project))
    for _ in range(22):
        stack.advance(60)
        stack.sweep()
        stack.settle()
        found += _alarms(stack, project)
    assert found == [("t", start + number * 10 * MINUTE) for number in range(3)]


def test_a_long_outage_is_one_late_firing_and_not_many(stack: TimerStack, project: str) -> None:
    _set(stack, stack.set(project, "t", {"type": "repeating", "delay": MINUTE}))
    start = stack.timers(project)["t"]["start"]
    stack.advance(10 * 60 + 5)
    found = eventually(lambda: _alarms(stack, project))
    assert found == [("t", start + MINUTE)]
    eventually(lambda: stack.timers(project)["t"]["fireTime"] == start + 11 * MINUTE)
    _set(stack, stack.cancel(project, "t"))


def test_a_cancelled_timer_never_fires_whatever_comes_late(stack: TimerStack, project: str) -> None:
    early = stack.set(project, "early", {"type": "once", "delay": 20_000})
    unseen = stack.set(project, "unseen", {"type": "once", "delay": 20_000})
    _set(stack, early)
    _set(stack, stack.cancel(project, "early"), stack.cancel(project, "unseen"))
    _set(stack, early, unseen)
    assert {timer["state"] for timer in stack.timers(project).values()} == {"cancelled"}
    stack.advance(40)
    stack.sweep()
    stack.settle()
    assert _alarms(stack, project) == []
    assert [
        line["outcome"] for line in stack.log() if line.get("projectId") == project and "outcome" in line
    ] == ["stale"]


def test_the_same_id_again_is_a_reset(stack: TimerStack, project: str) -> None:
    _set(stack, stack.set(project, "t", {"type": "once", "delay": 20_000}))
    stack.advance(15)
    _set(stack, stack.set(project, "t", {"type": "once", "delay": 20_000}))
    due = stack.timers(project)["t"]["fireTime"]
    stack.advance(10)
    stack.settle()
    assert _alarms(stack, project) == []
    stack.advance(11)
    assert eventually(lambda: _alarms(stack, project)) == [("t", due)]


@pytest.mark.parametrize(
    ("path", "about"), [("devices/d1", {"deviceId": "d1"}), ("timers/t", {"managed": True})]
)
def test_a_timer_that_is_set_after_the_deletion_of_what_it_is_for_does_nothing(
    stack: TimerStack, project: str, path: str, about: dict[str, Any]
) -> None:
    repeating = {"type": "repeating", "delay": 10_000}
    holder = stack.documents.document(f"projects/{project}/{path}")
    holder.set({"projectId": project})
    _set(stack, stack.set(project, "t", repeating, **about))
    stack.advance(11)
    assert len(eventually(lambda: _alarms(stack, project))) == 1
    # The deletion clears what hangs on it; then comes what was set meanwhile, and comes again.
    holder.delete()
    late = stack.set(project, "t", repeating, **about)
    _set(stack, late, late)
    stack.advance(11)
    eventually(lambda: stack.timers(project)["t"]["state"] == "cancelled")
    _set(stack, late)
    stack.advance(60)
    stack.sweep()
    stack.settle()
    assert _alarms(stack, project) == []
    assert stack.timers(project)["t"]["state"] == "cancelled"
    lines = [line for line in stack.log() if line.get("projectId") == project]
    # The task of what was set first finds nothing to do.
    assert sorted(line["outcome"] for line in lines if "outcome" in line) == ["fired", "orphaned", "stale"]


def test_an_action_is_changed_without_a_reset_in_whatever_order(stack: TimerStack, project: str) -> None:
    first = stack.set(project, "t", {"type": "once", "delay": 20_000})
    patch = stack.set(project, "t", {}, patchAction=True)
    patch["action"]["message"] = {"timer": "patched"}
    _set(stack, patch)
    _set(stack, first)
    due = stack.timers(project)["t"]["fireTime"]
    stack.advance(21)
    assert eventually(lambda: _alarms(stack, project)) == [("patched", due)]


def test_what_is_related_is_cancelled_together_and_what_comes_late_too(
    stack: TimerStack, project: str
) -> None:
    for device_id in ("d1", "d2"):
        stack.device(project, device_id)
    once = {"type": "once", "delay": 30_000}
    late = stack.set(project, "late", once, deviceId="d1", scriptId="s1")
    _set(
        stack,
        stack.set(project, "mine", once, deviceId="d1", scriptId="s1"),
        stack.set(project, "script's", once, deviceId="d2", scriptId="s1"),
        stack.set(project, "other", once, deviceId="d1", scriptId="s2"),
    )
    related = {"type": "cancelRelatedTimerMsg", "projectId": project, "stamp": stack.stamp()}
    _set(stack, {**related, "deviceId": "d1", "scriptId": "s1"})
    states = {name: timer["state"] for name, timer in stack.timers(project).items()}
    assert states == {"mine": "cancelled", "script's": "running", "other": "running"}
    _set(stack, late)
    _set(stack, stack.set(project, "after", once, deviceId="d1", scriptId="s1"))
    stack.advance(31)
    stack.settle()
    assert sorted(name for name, _ in _alarms(stack, project)) == ["after", "other", "script's"]
    assert stack.timers(project)["late"]["state"] == "cancelled"


def test_a_script_is_run_by_its_timer(stack: TimerStack, project: str) -> None:
    stack.device(project, "d1")
    once = {"type": "once", "delay": 1_000}
    run = {"reasoner": {"id": "s1", "targetFunction": "check", "limit": 3}}
    message = {"type": "reasonRunScript", "projectId": "elsewhere", "source": "script", "deviceId": "d1"}
    message |= {"setBy": "effect-1"}
    routed = {"type": "routeMsg", "message": message, "options": {"reasoner": {"id": "s1", "x": 1}}}
    topic = {"type": "publishTopic", "topic": "reason"}
    _set(
        stack,
        stack.set(project, "a", once, action={**topic, "options": run}, deviceId="d1", systemId="y1"),
        stack.set(project, "b", once, action={**topic, "message": routed}),
    )
    stack.advance(2)
    stack.settle()
    due = {name: timer["lastFired"] for name, timer in stack.timers(project).items()}
    sent = {data["message"]["timerId"]: data for data, _ in stack.pull("reason")}
    assert sent["a"]["options"] == run
    assert sent["b"]["options"] == {"reasoner": {"id": "s1", "x": 1}}
    inner = sent["a"]["message"]
    assert inner == {
        "type": "reasonRunScript",
        "id": inner["id"],
        "time": due["a"],
        "projectId": project,
        "deviceId": "d1",
        "systemId": "y1",
        "timerId": "a",
    }
    given = sent["b"]["message"]
    assert (given["projectId"], given["deviceId"], given["setBy"]) == (project, "d1", "effect-1")


def test_data_are_written_as_of_the_instant(stack: TimerStack, project: str) -> None:
    of = {"systemId": "s1", "blueprintId": "b1", "networkId": "n1"}
    stack.device(project, "d1").update(of)
    # By what the device is of its history finds the row: not the message's to say.
    message = {"data": {"mode": "night"}, "blueprintId": "b2", "networkId": 7}
    action = {"type": "publishTopic", "topic": "writer", "message": message}
    _set(stack, stack.set(project, "t", {"type": "once", "delay": 1_000}, action=action, deviceId="d1"))
    due = stack.timers(project)["t"]["fireTime"]
    stack.advance(2)
    ((data, attributes),) = eventually(lambda: stack.pull("writer"))
    assert (data["type"], data["projectId"], data["deviceId"]) == ("deviceDataEventMsg", project, "d1")
    assert {key: data[key] for key in of} == of
    assert (data["time"], data["data"]) == (due, [{"path": "mode", "value": "night"}])
    assert data["id"] == data["hash"]
    assert attributes["projectId"] == project


def test_a_message_of_a_timer_is_of_its_project(stack: TimerStack, project: str) -> None:
    once = {"type": "once", "delay": 1_000}
    stack.device(project, "d9")
    forged = {"projectId": "elsewhere", "deviceId": "d9", "id": "mine", "type": "deviceDataEventMsg"}
    _set(
        stack,
        *(
            stack.set(
                project, topic, once, action={"type": "publishTopic", "topic": topic, "message": forged}
            )
            for topic in ("alarms", "writer")
        ),
        stack.set(
            project,
            "plain",
            once,
            action={"type": "publishTopic", "topic": "alarms", "message": {"text": "no project in it"}},
        ),
    )
    stack.advance(2)
    stack.settle()
    own = {"projectId": project}
    alarms = [(data, attributes["projectId"]) for data, attributes in stack.pull("alarms")]
    assert sorted(alarms, key=str) == sorted(
        [(forged | own, project), ({"text": "no project in it"}, project)], key=str
    )
    ((data, attributes),) = stack.pull("writer")
    assert (data["projectId"], data["deviceId"], attributes["projectId"]) == (project, "d9", project)
    assert data["id"] != "mine"


@pytest.mark.parametrize("named", ["a/b", "../../other/devices/d1", "__x__", "", "x" * 129, 7, None, "d2"])
def test_data_of_no_device_are_set_aside(stack: TimerStack, project: str, named: Any) -> None:
    stack.device(project, "d1")
    action = {"type": "publishTopic", "topic": "writer", "message": {"deviceId": named, "data": {"a": 1}}}
    _set(stack, stack.set(project, "t", {"type": "once", "delay": 1_000}, action=action, deviceId="d1"))
    stack.advance(2)
    ((_, attributes),) = eventually(lambda: stack.pull("quarantine"))
    assert attributes["errorType"] == "timer.action"
    assert stack.pull("writer") == []
    stack.settle()
    assert stack.timers(project)["t"]["state"] == "finished"


def test_a_url_is_called_and_tried_again_under_the_same_name(stack: TimerStack, project: str) -> None:
    endpoint = Endpoint(statuses=[503, 429, 204])
    try:
        action = {"type": "queryUrl", "url": endpoint.url, "method": "POST", "header": {"X-A": "b"}}
        once = {"type": "once", "delay": 1_000}
        _set(stack, stack.set(project, "t", once, action={**action, "body": {"n": 1}}))
        for count in (1, 2, 3):
            stack.advance(2)
            endpoint.wait(count)
        stack.settle()
        assert len({got.headers["idempotency-key"] for got in endpoint.received}) == 1
        assert endpoint.received[0].body == b'{"n":1}'
        assert endpoint.received[0].headers["x-a"] == "b"
        assert stack.timers(project)["t"]["state"] == "finished"
        endpoint.status = 404
        _set(stack, stack.set(project, "gone", once, action=action))
        stack.advance(2)
        ((again, attributes),) = eventually(lambda: stack.pull("quarantine"))
        assert (attributes["errorType"], attributes["message"]) == ("timer.url", "the URL answered 404")
        # What was set aside does the action once more when it is sent again.
        endpoint.status = 204
        before = len(endpoint.received)
        _set(stack, again, again)
        stack.advance(2)
        endpoint.wait(before + 1)
        stack.settle()
        assert len(endpoint.received) == before + 1
    finally:
        endpoint.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "timer.id"),
        ({"id": "x" * 501}, "timer.id"),
        ({"stamp": [2**60, "x"]}, "timer.stamp"),
        ({"stamp": None}, "message.undecodable"),
        ({"type": "startTimerMsg"}, "message.undecodable"),
        ({"projectId": "a/b"}, "timer.project"),
        ({"projectId": "none"}, "timer.project"),
        ({"timer": {"type": "once"}}, "timer.invalid"),
        ({"timer": {"type": "repeating", "delay": 1}}, "timer.invalid"),
        ({"action": {}}, "timer.action"),
        ({"action": {"type": "publishTopic", "topic": "jobs"}}, "timer.action"),
        ({"action": {"type": "publishTopic", "topic": "reason", "message": {}}}, "timer.action"),
        ({"action": {"type": "queryUrl", "url": "http://169.254.169.254/"}}, "timer.action"),
        ({"action": {"type": "queryUrl", "url": "http://10.0.0.1/"}}, "timer.action"),
        ({"action": {"type": "publishTopic", "topic": "alarms", "message": {"x": LONG}}}, "timer.action"),
    ],
)
def test_what_sets_no_timer_is_set_aside(
    stack: TimerStack, project: str, change: dict[str, Any], reason: str
) -> None:
    good = stack.set(project, "good", {"type": "once", "delay": 3_600_000})
    _set(stack, {**stack.set(project, "bad", {"type": "once", "delay": 1_000}), **change}, good)
    ((data, attributes),) = stack.pull("quarantine")
    assert (attributes["errorType"], attributes["topic"], attributes["index"]) == (reason, "scheduler", "0")
    assert data == {**data, **change}
    assert list(stack.timers(project)) == ["good"]


@pytest.mark.parametrize("body", [b"", b"{}", b"no push", b'{"type":"fireTimer"}', b'{"type":"other"}'])
def test_what_is_neither_push_nor_task_nor_sweep_is_refused(stack: TimerStack, body: bytes) -> None:
    assert httpx.post(stack.schedulers[0].url, content=body).status_code == 400


def test_a_task_that_comes_early_or_for_nothing_does_nothing(stack: TimerStack, project: str) -> None:
    _set(stack, stack.set(project, "t", {"type": "once", "delay": 600_000}))
    timer = stack.timers(project)["t"]
    stamp = [timer["stampTime"], timer["stampId"]]
    task = {"type": "fireTimer", "projectId": project, "timerId": "t", "stamp": stamp}

    def post(**change: Any) -> int:
        body = {**task, "fireTime": timer["fireTime"], **change}
        return httpx.post(stack.schedulers[0].url, json=body).status_code

    assert post() == 500
    assert post(fireTime=timer["start"]) == 204
    assert post(timerId="none", fireTime=timer["start"]) == 204
    assert _alarms(stack, project) == []


def test_what_could_not_be_armed_after_a_firing_is_armed_when_the_task_comes_again(
    stack: TimerStack, project: str
) -> None:
    _set(stack, stack.set(project, "t", {"type": "repeating", "delay": 10_000}))
    stack.faults(stack.tasks, {"method": "CreateTask", "error_rate": 1.0})
    stack.advance(11)
    eventually(lambda: stack.timers(project)["t"]["occurrences"] == 1)
    stack.faults(stack.tasks)
    stack.settle()
    stack.advance(10)
    eventually(lambda: stack.timers(project)["t"]["occurrences"] == 2)
    _set(stack, stack.cancel(project, "t"))
    assert len(_alarms(stack, project)) == 2


@pytest.mark.parametrize("store", ["firestore", "tasks", "pubsub"])
def test_while_a_store_fails_nothing_is_lost_nor_done_twice(
    stack: TimerStack, project: str, store: str
) -> None:
    rule = {"method": "*", "error_rate": 0.3, "drop_answer_rate": 0.3}
    if store == "pubsub":
        rule["method"] = "Push"
    message = [stack.set(project, f"t{n}", {"type": "once", "delay": 1_000}) for n in range(10)]
    stack.faults(getattr(stack, store), rule)
    stack.send(*message)
    eventually(lambda: len(stack.timers(project)) == 10 if store != "firestore" else True)
    stack.advance(5)
    stack.faults(getattr(stack, store))
    stack.settle()
    stack.advance(2)
    stack.sweep()
    stack.settle()
    eventually(lambda: {timer["state"] for timer in stack.timers(project).values()} == {"finished"})
    # Timers of other tests fire at the same stack.
    fired = [
        (data["timer"], attributes["id"])
        for data, attributes in stack.pull("alarms")
        if attributes["projectId"] == project
    ]
    assert len(set(fired)) == 10
    assert {name for name, _ in fired} == {f"t{n}" for n in range(10)}
