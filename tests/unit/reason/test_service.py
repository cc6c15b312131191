"""What a delivery does: the results of scripts, their effects, and what is set aside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fulcrum.core import fold, ids
from fulcrum.core.writes import Write
from fulcrum.script.identity import effect_id
from shared import names, script_documents
from tests.support.reason import PROJECT, Reason, T, event, routed

NOTHING = "def run(message, context):\n    return None\n"
STOP = "def run(message, context):\n    return False\n"
DOUBLE = """
def run(message, context):
    return {"data": [{"path": w["path"], "value": w["value"] * 2} for w in message["data"]], "id": "other"}
"""
SERIES = ["writer"]


async def test_a_message_goes_on_unchanged(reason: Reason) -> None:
    reason.deploy(NOTHING)
    message = event("1")
    assert await reason.push(routed([message], route=SERIES)) == 204
    ((data, attributes),) = reason.topics.to("writer")
    assert (data, attributes["hops"]) == (message, "3")
    assert reason.documents.below("runs") == {}
    (row,) = reason.runs.rows
    assert (row["status"], row["result"], row["event_id"]) == ("done", "unchanged", "1")


async def test_a_stopped_message_is_kept_as_input_and_goes_no_further(reason: Reason) -> None:
    reason.deploy(STOP)
    message = event("1")
    assert await reason.push(routed(message, route=SERIES)) == 204
    ((data, _),) = reason.topics.to("writer")
    assert data == message | {"kind": "input", "scriptId": "alarm"}
    (record,) = reason.documents.below("runs").values()
    assert json.loads(record["outcome"])["result"] is False
    assert reason.runs.rows[0]["result"] == "stopped"


async def test_a_replaced_message_goes_on_with_its_own_ids(reason: Reason) -> None:
    reason.deploy(DOUBLE)
    message = event("1", values={"t": 4})
    assert await reason.push(routed(message, route=SERIES)) == 204
    written = reason.topics.events("writer")
    data = [{"path": "t", "value": 8}]
    assert written == [message | {"kind": "input", "scriptId": "alarm"}, message | {"data": data}]
    row = reason.runs.rows[0]
    assert (row["result"], json.loads(row["message"])["data"]) == ("replaced", data)


async def test_beside_the_writer_a_result_changes_nothing(reason: Reason) -> None:
    reason.deploy(DOUBLE)
    assert await reason.push(routed(event("1"))) == 204
    assert reason.topics.published == []
    assert reason.documents.below("runs") == {}
    assert reason.runs.rows[0]["result"] == "replaced"


EVERYTHING = """
from fulcrum.script import needs

@needs("params")
def run(message, context):
    context.send_email(to=["ada@example.com"], subject="Hot", text="41")
    context.send_sms("41", to=["+4791234567"])
    context.set_device_data({"alarm": True})
    context.set_device_data({"n": 1}, device_id="parent")
    context.set_device_data({"n": 2}, device_id="parent", route=True)
    context.set_timer("watch", delay=60_000, params={"why": "x"})
    context.cancel_timer("other")
    context.publish("audit", {"what": 1})
    context.publish("reason", {}, {"reasoner": {"id": "second"}})
"""


async def test_effects_become_messages_under_their_own_ids(reason: Reason) -> None:
    reason.device("parent", systemId="s2", blueprintId="b2", networkId="n2")
    reason.deploy(EVERYTHING)
    assert await reason.push(routed(event("1"), route=["audit"])) == 204
    ((key, record),) = reason.documents.below("runs").items()
    expected = [effect_id(key, index) for index in range(9)]
    (mail,) = reason.topics.events("email")
    assert (mail["type"], mail["id"], mail["projectId"]) == ("emailMsg", expected[0], PROJECT)
    assert (mail["to"], mail["subject"], mail["text"]) == (["ada@example.com"], "Hot", "41")
    (text,) = reason.topics.events("messenger")
    assert text == {
        "type": "smsMsg",
        "id": expected[1],
        "projectId": PROJECT,
        "recipients": ["+4791234567"],
        "message": "41",
    }
    own, parent = reason.topics.events("writer")
    assert own == {
        **event("1", values={"alarm": True}),
        **{"id": expected[2], "hash": expected[2], "source": "script", "scriptId": "alarm"},
    }
    assert (parent["deviceId"], parent["systemId"], parent["blueprintId"]) == ("parent", "s2", "b2")
    (along,) = reason.topics.events("default-processor")
    assert (along["type"], along["deviceId"], along["id"]) == ("inboundDataEventMsg", "parent", expected[4])
    timer, cancel = reason.topics.events("scheduler")
    assert (timer["type"], timer["stamp"], timer["scriptId"]) == (
        "setTimerMsg",
        [T + 5, f"005-{expected[5]}"],
        "alarm",
    )
    assert timer["id"] == ids.digest("timer", "alarm", "d1", "watch")
    assert (cancel["type"], cancel["id"]) == ("cancelTimerMsg", ids.digest("timer", "alarm", "d1", "other"))
    assert reason.topics.to("audit")[0][0] == {"id": expected[7], "what": 1, "projectId": PROJECT}
    ((asked, attributes),) = reason.topics.to("reason")
    assert asked["options"] == {"reasoner": {"id": "second"}}
    assert asked["message"]["type"] == "reasonRunScript"
    assert (asked["message"]["id"], asked["message"]["deviceId"]) == (expected[8], "d1")
    assert attributes["hops"] == "3"
    assert json.loads(record["devices"])["parent"] == ["s2", "b2", "n2"]
    assert [effect["id"] for effect in json.loads(reason.runs.rows[0]["effects"])] == expected


async def test_a_script_that_a_timer_runs_is_run_by_what_the_timer_sends(reason: Reason) -> None:
    reason.deploy(EVERYTHING)
    reason.device("parent")
    assert await reason.push(routed(event("1"))) == 204
    action = reason.topics.events("scheduler")[0]["action"]
    assert (action["type"], action["topic"]) == ("publishTopic", "reason")
    fired = action["message"]
    fired["message"] |= {"id": "fire-1", "time": T + 60_005}
    reason.deploy("def run(message, context):\n    context.log(message, context.params, context.now)\n", 2)
    reason.documents.stored[script_documents.state(PROJECT, "alarm")]["version"] = 2
    assert await reason.push(fired) == 204
    row = reason.runs.rows[-1]
    assert (row["status"], row["event_id"], row["device_id"]) == ("done", "fire-1", "d1")
    message, effects = json.loads(row["message"]), json.loads(reason.runs.rows[0]["effects"])
    assert message["timerId"] == ids.digest("timer", "alarm", "d1", "watch")
    assert message["setBy"] == next(one["id"] for one in effects if one["type"] == "setTimer")
    assert json.loads(row["params"]) == {"why": "x"}


async def test_what_a_device_sends_once_more_asks_for_what_it_asked_for_at_first(reason: Reason) -> None:
    reason.deploy(EVERYTHING)
    reason.device("parent")
    assert await reason.push(routed(event("1"))) == 204
    # Its device had no answer, and sends it again: the same event, received later.
    assert await reason.push(routed(event("1", receivedTime=T + 90_000))) == 204
    first, again, *others = reason.topics.events("scheduler")[::2]
    assert not others
    # A later stamp would set a timer once more that has fired meanwhile.
    assert first == again
    assert {row["received_time"] for row in reason.runs.rows} == {(T + 5) * 1000}


CONTEXT = """
from fulcrum.script import needs

@needs("deviceData", "device", "system", "blueprint", "project", "cache", "scriptCache", params=["limit"])
def run(message, context):
    context.log(context.device_data.get("t"), context.device["name"], context.system["name"])
    context.log(context.blueprint["alias"], context.project["name"], context.params["limit"])
    context.set_cache({"n": context.cache.get("n", 0) + 1})
    context.set_script_cache({"n": context.script_cache.get("n", 0) + 1})
"""


def state_of(values: dict[str, Any], time: int = T - 1) -> bytes:
    registers: fold.Registers = {}
    fold.fold(registers, [((time, "0"), fold.settle([Write(path, value) for path, value in values.items()]))])
    return fold.encode(registers)


def furnish(reason: Reason) -> None:
    """What a script may see."""
    reason.device("d1", name="room", registers=state_of({"t": 0}))
    reason.documents.put(names.document("projects", PROJECT, "systems", "s1"), name="north", secret="x")
    reason.documents.put(names.blueprint(PROJECT, "b1"), alias="room")
    reason.documents.put(names.project(PROJECT), name="Farm")


@pytest.mark.parametrize("by_timer", [False, True])
async def test_a_script_sees_what_it_needs_read_once_for_the_batch(reason: Reason, by_timer: bool) -> None:
    furnish(reason)
    reason.deploy(CONTEXT)
    batch = [event(str(n), time=T + n, values={"t": n + 1}) for n in range(3)]
    if by_timer:
        batch = [
            {"type": "reasonRunScript", "id": str(n), "time": T + n, "projectId": PROJECT, "deviceId": "d1"}
            for n in range(3)
        ]
    assert await reason.push(routed(batch, limit=7, route=SERIES)) == 204
    logs = [[line["text"] for line in json.loads(row["logs"])] for row in reason.runs.rows]
    states = [0, 0, 0] if by_timer else [0, 1, 2]
    assert logs == [[f"{state} room north", "room Farm 7"] for state in states]
    assert json.loads(reason.documents.below("scriptCaches")["alarm"]["value"]) == {"n": 3}
    ((_, cache),) = reason.documents.below("caches").items()
    assert (json.loads(cache["value"]), cache["deviceId"]) == ({"n": 3}, "d1")
    (call,) = reason.functions.calls
    assert call.systems == {"s1": {"id": "s1", "name": "north"}}
    # The script; what it needs (in two steps where no message names the system); one commit.
    assert (len(reason.documents.reads), len(reason.documents.commits)) == (3 if by_timer else 2, 1)


async def test_nothing_is_read_that_is_not_needed(reason: Reason) -> None:
    furnish(reason)
    reason.deploy(NOTHING)
    assert await reason.push(routed([event("1"), event("2")])) == 204
    assert [name for name in reason.documents.reads[1] if "/runs/" not in name] == []
    (call,) = reason.functions.calls
    assert (call.devices, call.project, call.caches) == ({}, {}, {})


async def test_what_is_missing_is_counted_and_the_event_goes_on(reason: Reason) -> None:
    reason.deploy(
        'from fulcrum.script import needs\n@needs(params=["limit"])\ndef run(message, context): 1 / 0\n'
    )
    assert await reason.push(routed(event("1"), route=SERIES)) == 204
    assert reason.topics.events("writer") == [event("1")]
    assert reason.runs.rows[0]["status"] == "unmet"


FAILS = """
def run(message, context):
    if message["id"] == "bad":
        context.send_sms("never", to=["+4791234567"])
        raise ValueError("t is too odd")
"""


async def test_an_event_that_fails_is_set_aside_alone_and_can_be_run_again(reason: Reason) -> None:
    reason.deploy(FAILS)
    batch = [event("1"), event("bad"), event("2")]
    assert await reason.push(routed(batch, route=SERIES, limit=3)) == 204
    assert [each["id"] for each in reason.topics.events("writer")] == ["1", "2"]
    assert reason.topics.events("messenger") == []
    ((data, attributes),) = reason.quarantined()
    assert (data, attributes["errorType"], attributes["topic"]) == (event("bad"), "script.failed", "reason")
    first, *tail = attributes["message"].splitlines()
    assert first == "script alarm version 1, run: exception: ValueError: t is too odd"
    assert "line 5" in "".join(tail)
    assert (attributes["scriptId"], attributes["scriptVersion"]) == ("alarm", "1")
    assert json.loads(attributes["options"]) == {"reasoner": {"id": "alarm", "limit": 3}}
    assert json.loads(attributes["route"]) == SERIES
    row = next(row for row in reason.runs.rows if row["event_id"] == "bad")
    assert (row["status"], row["failure_type"]) == ("failed", "ValueError")
    # As quarantine publishes it again.
    reason.deploy(NOTHING, 1)
    again = {
        "type": "routeMsg",
        "message": data,
        "options": json.loads(attributes["options"]),
        "route": SERIES,
    }
    assert await reason.push(again, message_id="m2") == 204
    assert reason.topics.events("writer")[-1] == event("bad")


async def test_a_mail_of_a_template_needs_no_text_of_its_own(reason: Reason) -> None:
    reason.deploy(
        "def run(message, context):\n"
        "    context.send_email(to='ada@example.com', template='tooWarm', context={'t': 41})\n"
        "    context.send_email({'templateId': 'T1', 'blindTo': ['ada@example.com']})\n"
    )
    assert await reason.push(routed(event("1"))) == 204
    first, second = reason.topics.events("email")
    assert (first["template"], first["context"], "subject" in first) == ("tooWarm", {"t": 41}, False)
    assert (second["templateId"], second["blindTo"]) == ("T1", ["ada@example.com"])


async def test_a_message_to_a_device_goes_to_whoever_sends_it(reason: Reason) -> None:
    reason.documents.put(names.device(PROJECT, "valve"), name="Valve", systemId="s1")
    reason.deploy(
        "def run(message, context):\n"
        "    context.send_message({'open': True}, 'valve', ttl=60_000, key='k')\n"
        "    context.send_message(1)\n"
    )
    for _ in range(2):
        assert await reason.push(routed(event("1"))) == 204
    first, second, *again = reason.topics.events("outbound")
    assert again == [first, second]
    (key,) = {row["run_key"] for row in reason.runs.rows}
    assert first == {
        "type": "outboundInitMsg",
        "msgId": effect_id(key, 0),
        "time": T + 5,
        "expireTime": T + 60_005,
        "projectId": PROJECT,
        "deviceId": "valve",
        "message": {"open": True},
        "key": "k",
        "source": "script",
    }
    assert (second["deviceId"], second["message"]) == ("d1", 1)
    assert second["expireTime"] == T + 5 + 86_400_000


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ('context.send_message(1, device_id="nobody")', "the project has no device 'nobody'"),
        ('context.publish("writer", {})', "there is no topic 'writer' of yours (declared are: audit)"),
        ('context.set_device_data({"a": 1}, device_id="nobody")', "the project has no device 'nobody'"),
        ('context.set_device_data({"a": 1}, time=5)', "before the year 2000"),
        ('context.send_sms("x", to=["91234567"])', "no number with its country's prefix"),
        ('context.send_email("x", to=["ada"], text="y")', "'ada' is no address"),
        ('context.publish("reason", {})', "options name no script"),
        (
            'context.set_timer("a", delay=1000, action={"type": "publishTopic", "topic": "email"})',
            "there is no topic 'email' of yours",
        ),
    ],
)
async def test_an_effect_that_is_not_allowed_fails_its_event(reason: Reason, body: str, what: str) -> None:
    reason.deploy(f"def run(message, context):\n    if message['id'] == 'bad':\n        {body}\n")
    assert await reason.push(routed([event("1"), event("bad")], route=SERIES)) == 204
    assert [each["id"] for each in reason.topics.events("writer")] == ["1"]
    ((_, attributes),) = reason.quarantined()
    assert attributes["errorType"] == "script.effect"
    assert what in attributes["message"]
    assert reason.documents.below("runs") == {}


@pytest.mark.parametrize(
    ("result", "what"),
    [
        ({"time": 5}, "before the year 2000"),
        ({"time": T + 900_000}, "minutes after the event was received"),
        ({"event": [{"id": "a"}, {"id": "a"}]}, "two event records"),
        ({"event": 5}, "no list of objects"),
        ({"event": [{"id": 5}]}, "Expected `str | null`"),
        ({"historical": "yes"}, "historical is 'yes'"),
    ],
)
async def test_a_result_that_is_no_message_fails_its_event(reason: Reason, result: Any, what: str) -> None:
    reason.deploy(f"def run(message, context):\n    return {result!r}\n")
    assert await reason.push(routed(event("1"), route=SERIES)) == 204
    ((_, attributes),) = reason.quarantined()
    assert attributes["errorType"] == "script.failed"
    assert what in attributes["message"]
    assert reason.topics.events("writer") == []


async def test_what_an_event_left_that_fails_afterwards_is_not_seen_by_the_next(reason: Reason) -> None:
    reason.deploy(
        """
from fulcrum.script import needs

@needs("cache")
def run(message, context):
    context.set_cache({"n": context.cache.get("n", 0) + 1})
    if message["id"] == "bad":
        context.publish("nowhere", {})
"""
    )
    batch = [event(name, time=T + n) for n, name in enumerate(["1", "bad", "2"])]
    assert await reason.push(routed(batch)) == 204
    ((_, cache),) = reason.documents.below("caches").items()
    assert json.loads(cache["value"]) == {"n": 2}


async def test_scripts_are_found_by_alias(reason: Reason) -> None:
    reason.deploy(NOTHING, script="s9")
    lock = names.document("projects", PROJECT, "locks", ids.digest("script", "alias", "tooWarm"))
    reason.documents.put(lock, kind="script", field="alias", holder="s9")
    assert await reason.push(routed(event("1"), "tooWarm")) == 204
    assert reason.runs.rows[0]["script_id"] == "s9"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b'"a text"', "message.undecodable"),
        ({"type": "foreign"}, "script.options"),
        (routed({"type": "foreign"}), "message.unknownType"),
        (routed({**event("1"), "time": "late"}), "message.undecodable"),
        (routed({**event("1"), "time": 10**18}), "event.time"),
        (routed({**event("1"), "receivedTime": -1}), "event.time"),
        (routed({**event("1"), "deviceId": "a/b"}), "message.badId"),
        (routed({**event("1"), "blueprintId": "__x__"}), "message.badId"),
        (routed(event("1"), "nobody"), "script.unknown"),
        (routed(event("1"), "../x"), "script.unknown"),
        (routed(event("1"), entry="other"), "script.entry"),
        (routed(event("1"), "idle"), "script.notDeployed"),
        ({"type": "routeMsg", "message": event("1"), "options": {"reasoner": {"id": 5}}}, "script.options"),
    ],
)
async def test_bad_input_is_set_aside(reason: Reason, data: Any, error: str) -> None:
    reason.deploy(NOTHING)
    reason.documents.put(script_documents.state(PROJECT, "idle"), state="undeployed")
    assert await reason.push(data) == 204
    ((_, attributes),) = reason.quarantined()
    assert attributes["errorType"] == error


async def test_a_bad_message_costs_no_other(reason: Reason) -> None:
    reason.deploy(NOTHING)
    assert await reason.push(routed([event("1"), {"type": "foreign"}, event("2")], route=SERIES)) == 204
    assert [each["id"] for each in reason.topics.events("writer")] == ["1", "2"]
    assert [attributes["index"] for _, attributes in reason.quarantined()] == ["1"]


async def test_a_script_that_feeds_itself_is_cut(reason: Reason) -> None:
    reason.deploy("def run(message, context):\n    context.set_device_data({'n': 1}, route=True)\n")
    hops, message = 2, event("1")
    while not reason.quarantined():
        assert hops < 30
        assert await reason.push(routed(message), hops=hops) == 204
        if reason.quarantined():
            break
        data, attributes = reason.topics.to("default-processor")[-1]
        # As message_processor sends it on.
        message = event(data["id"], hash=data["hash"])
        hops = int(attributes["hops"]) + 1
    ((_, attributes),) = reason.quarantined()
    assert attributes["errorType"] == "route.loop"


async def test_what_goes_nowhere_is_set_aside(reason: Reason) -> None:
    reason.deploy(NOTHING)
    assert await reason.push(routed([event("1")], route=["nowhere"])) == 204
    ((_, attributes),) = reason.quarantined()
    assert (attributes["errorType"], json.loads(attributes["route"])) == ("topic.unknown", ["nowhere"])


async def test_no_push_is_answered_400(reason: Reason) -> None:
    assert (await reason.client.post("/", content=b"{}")).status_code == 400


async def test_two_projects_in_a_delivery_are_kept_apart(reason: Reason) -> None:
    reason.deploy("def run(message, context):\n    context.set_device_data({'a': 1})\n")
    other = event("2", projectId="ranch")
    assert await reason.push(routed([event("1"), other])) == 204
    assert [each["projectId"] for each in reason.topics.events("writer")] == [PROJECT]
    ((data, attributes),) = reason.quarantined()
    assert (data, attributes["errorType"], attributes["projectId"]) == (other, "script.unknown", "ranch")
