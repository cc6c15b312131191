"""Redeliveries, races, faults and new versions: each effect once, and it is the first run's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from fulcrum.script import wire
from functions.reason import commits, flight
from shared import script_documents
from shared.clients import firestore, script_calls
from shared.errors import Rejected, Transient
from tests.support.reason import PROJECT, Reason, T, event, lost, routed

SERIES = ["writer"]
COUNTS = """
from fulcrum.script import needs

@needs("cache")
def run(message, context):
    n = context.cache.get("n", 0) + 1
    context.set_cache({"n": n})
    context.send_sms(f"VERSION event {message['id']} is number {n}", to=["+4791234567"])
    return {"data": [{"path": "n", "value": n}]}
"""


def counts(version: int) -> str:
    """A script whose effects say its version and what its cache was."""
    return COUNTS.replace("VERSION", f"v{version}")


def texts(reason: Reason) -> list[str]:
    """The text messages, each id once; that one id never says two things is checked here."""
    found: dict[str, str] = {}
    for message in reason.topics.events("messenger"):
        assert found.setdefault(message["id"], message["message"]) == message["message"]
    return sorted(found.values())


def cache(reason: Reason) -> Any:
    """The one cache there is."""
    ((_, found),) = reason.documents.below("caches").items()
    return json.loads(found["value"])


async def test_a_redelivery_repeats_the_first_run_whatever_is_deployed_then(reason: Reason) -> None:
    reason.deploy(counts(1))
    batch = routed([event("1", time=T), event("2", time=T + 1)], route=SERIES)
    assert await reason.push(batch) == 204
    reason.deploy(counts(2), 2)
    assert await reason.push(batch) == 204
    assert texts(reason) == ["v1 event 1 is number 1", "v1 event 2 is number 2"]
    assert cache(reason) == {"n": 2}
    written = [each["data"] for each in reason.topics.events("writer") if each.get("kind") != "input"]
    assert written == [[{"path": "n", "value": n}] for n in (1, 2, 1, 2)]
    assert len(reason.functions.calls) == 1
    assert [row.get("repeated", False) for row in reason.runs.rows] == [False, False, True, True]
    assert {row["version"] for row in reason.runs.rows} == {1}


async def test_an_event_that_is_there_twice_is_run_once(reason: Reason) -> None:
    reason.deploy(counts(1))
    batch = routed([event("1"), event("2", time=T + 1), event("1")], route=SERIES)
    first, second = reason.push(batch, message_id="a"), reason.push(batch, message_id="b")
    assert set(await asyncio.gather(first, second)) == {204}
    assert texts(reason) == ["v1 event 1 is number 1", "v1 event 2 is number 2"]
    assert cache(reason) == {"n": 2}


async def test_a_script_that_stands_twice_in_a_series_runs_once_at_each_place(reason: Reason) -> None:
    reason.deploy(
        """
def run(message, context):
    value = message["data"][0]["value"]
    context.send_sms(f"place {value}", to=["+4791234567"])
    return {"data": [{"path": "t", "value": value + 1}]}
"""
    )
    first = routed(
        event("1"), route=[{"topic": "reason", "options": {"reasoner": {"id": "alarm"}}}, "writer"]
    )
    assert await reason.push(first) == 204
    ((second, _),) = reason.topics.to("reason")
    for again in (second, first, second):
        assert await reason.push(again) == 204
    assert texts(reason) == ["place 1", "place 2"]
    written = [each["data"][0]["value"] for each in reason.topics.events("writer") if "kind" not in each]
    assert written == [3, 3]
    assert len(reason.functions.calls) == 2


POINTS: dict[str, Callable[[Reason], None]] = {
    "the read fails": lambda r: r.documents.read_errors.append(Transient("UNAVAILABLE")),
    "the call fails": lambda r: r.functions.errors.append(Transient("503")),
    "the commit fails": lambda r: r.documents.before_commit.append(lost),
    "the commit's answer is lost": lambda r: r.documents.after_commit.append(lost),
    "the text is not published": lambda r: r.topics.errors.update(messenger=[Transient("UNAVAILABLE")]),
    "the event is not published": lambda r: r.topics.errors.update(writer=[Transient("UNAVAILABLE")]),
    "the rows are not appended": lambda r: r.runs.errors.append(Transient("UNAVAILABLE")),
}


@pytest.mark.parametrize("point", POINTS)
async def test_whatever_fails_each_effect_is_the_first_run_s(reason: Reason, point: str) -> None:
    reason.deploy(counts(1))
    batch = routed([event("1", time=T), event("2", time=T + 1)], route=SERIES)
    POINTS[point](reason)
    answers = await reason.push(batch)
    assert answers in (204, 503)
    reason.deploy(counts(2), 2)
    assert await reason.push_until_done(batch) == 1
    version = 2 if answers == 503 and point in ("the read fails", "the call fails") else 1
    assert texts(reason) == [f"v{version} event 1 is number 1", f"v{version} event 2 is number 2"]
    assert cache(reason) == {"n": 2}
    assert {row["event_id"] for row in reason.runs.rows} == {"1", "2"}


async def test_a_cache_that_others_change_has_the_script_run_again(reason: Reason) -> None:
    reason.deploy(counts(1))
    assert await reason.push(routed(event("0"))) == 204
    ((name, _),) = reason.documents.below("caches").items()
    document = script_documents.device_cache(PROJECT, "alarm", "d1")
    assert document.endswith(name)

    def other() -> None:
        reason.documents.put(document, value='{"n": 10}')

    reason.documents.before_commit.append(other)
    assert await reason.push(routed([event("1", time=T + 1), event("2", time=T + 2)])) == 204
    assert texts(reason)[1:] == ["v1 event 1 is number 11", "v1 event 2 is number 12"]
    assert cache(reason) == {"n": 12}


async def test_a_cache_that_others_never_leave_alone_has_the_delivery_come_again(
    reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight, "TRIES", 3)
    reason.deploy(counts(1))
    document = script_documents.device_cache(PROJECT, "alarm", "d1")
    reason.documents.before_commit += [lambda: reason.documents.put(document, value='{"n": 1}')] * 3
    assert await reason.push(routed(event("1"))) == 503
    assert (texts(reason), reason.runs.rows, reason.quarantined()) == ([], [], [])


async def test_what_is_too_much_for_one_commit_goes_in_several_in_order(
    reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = commits.parts
    monkeypatch.setattr(commits, "parts", lambda script, done: original(script, done, max_writes=4))
    reason.deploy(counts(1))
    batch = routed([event(str(n), time=T + n) for n in range(7)])
    # The third commit's answer is lost: what the first two wrote holds.
    reason.documents.before_commit += [lambda: None, lambda: None, lost]
    assert await reason.push(batch) == 204
    assert texts(reason) == [f"v1 event {n} is number {n + 1}" for n in range(7)]
    assert [len(each) for each in reason.documents.commits] == [4, 4, 2]
    assert cache(reason) == {"n": 7}


async def test_a_version_that_answers_before_its_state_says_so_gets_what_it_needs(reason: Reason) -> None:
    reason.deploy("def run(message, context):\n    return None\n")
    assert await reason.push(routed(event("0"))) == 204
    reason.deploy(counts(2), 2, told=False)
    assert await reason.push(routed(event("1"))) == 204
    assert texts(reason) == ["v2 event 1 is number 1"]
    assert reason.runs.rows[-1]["version"] == 2


async def test_a_script_that_moves_is_called_where_it_is(reason: Reason) -> None:
    reason.deploy(counts(1))
    assert await reason.push(routed(event("0"))) == 204
    # Its state is still remembered.
    reason.deploy(counts(2), 2, script="other")
    reason.documents.put(script_documents.state(PROJECT, "alarm"), url="http://other", version=2)
    del reason.functions.codes["http://alarm"]
    assert await reason.push(routed(event("1", time=T + 1))) == 204
    assert texts(reason)[-1] == "v2 event 1 is number 2"


async def test_events_that_a_call_did_not_reach_are_called_with_what_the_first_ones_left(
    reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason.deploy(
        """
from fulcrum.script import needs

@needs("deviceData", "cache")
def run(message, context):
    context.log(context.device_data.get("t"), context.cache.get("n", 0))
    context.set_cache({"n": context.cache.get("n", 0) + 1})
"""
    )
    call = reason.functions.call

    async def two_at_most(url: str, body: bytes, within: float) -> bytes:
        answer = json.loads(await call(url, body, within))
        return json.dumps({**answer, "outcomes": answer["outcomes"][:2]}).encode()

    monkeypatch.setattr(script_calls, "call", two_at_most)
    batch = [event(str(n), time=T + n, values={"t": n}) for n in range(5)]
    assert await reason.push(routed(batch, route=SERIES)) == 204
    logs = [json.loads(row["logs"])[0]["text"] for row in reason.runs.rows]
    assert logs == ["None 0", "0 1", "1 2", "2 3", "3 4"]
    assert [len(each.events) for each in reason.functions.calls] == [5, 3, 1]


async def test_what_is_left_when_time_is_up_comes_again_by_itself(
    reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason.deploy(counts(1))
    monkeypatch.setattr(flight, "MAX_SECONDS", -1.0)
    batch = routed([event("1"), event("2", time=T + 1)], route=SERIES)
    assert await reason.push(batch, hops=5) == 204
    ((again, attributes),) = reason.topics.to("reason")
    assert (again, attributes["hops"]) == (batch, "5")
    monkeypatch.undo()


@pytest.mark.parametrize(
    "error", [script_calls.TooLarge("script.tooLarge", "x"), script_calls.Refused("script.refused", "y")]
)
async def test_a_call_that_is_refused_is_halved_until_one_event_is_to_blame(
    reason: Reason, error: Rejected, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason.deploy("def run(message, context):\n    return None\n")

    def refuse(call: wire.Call) -> None:
        if any(each.message["id"] == "3" for each in call.events):
            raise error

    reason.functions.before.append(refuse)
    batch = [event(str(n), time=T + n) for n in range(6)]
    assert await reason.push(routed(batch, route=SERIES)) == 204
    assert [each["id"] for each in reason.topics.events("writer")] == ["0", "1", "2", "4", "5"]
    ((data, attributes),) = reason.quarantined()
    assert (data["id"], attributes["errorType"]) == ("3", error.error_type)


async def test_a_commit_that_is_refused_is_halved_until_one_event_is_to_blame(reason: Reason) -> None:
    reason.deploy(counts(1))
    commit = reason.documents.commit

    async def refuse(writes: Any) -> Any:
        fields = [write.update.fields for write in writes]
        if any("eventId" in each and each["eventId"].string_value == "2" for each in fields):
            raise Rejected("store.invalid", "Commit: INVALID_ARGUMENT")
        return await commit(writes)

    reason.patch.setattr(firestore, "commit", refuse)
    batch = [event(str(n), time=T + n) for n in range(5)]
    assert await reason.push(routed(batch, route=SERIES)) == 204
    assert texts(reason) == [f"v1 event {n} is number {m}" for n, m in ((0, 1), (1, 2), (3, 3), (4, 4))]
    ((data, attributes),) = reason.quarantined()
    assert (data["id"], attributes["errorType"]) == ("2", "store.invalid")


async def test_a_call_that_takes_too_long_goes_again_with_few(reason: Reason) -> None:
    reason.deploy("def run(message, context):\n    return None\n")
    reason.functions.errors.append(script_calls.TooSlow("75 s"))
    batch = [event(str(n), time=T + n) for n in range(20)]
    assert await reason.push(routed(batch, route=SERIES)) == 204
    assert [len(each.events) for each in reason.functions.calls] == [8, 8, 4]
    assert len(reason.topics.events("writer")) == 20


@pytest.mark.parametrize(
    "answer",
    [b"", b"{}", b'{"scriptVersion":1,"outcomes":[{"key":"other"}]}', b'{"scriptVersion":1,"outcomes":[]}'],
)
async def test_an_answer_that_is_none_has_the_delivery_come_again(
    reason: Reason, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason.deploy("def run(message, context):\n    return None\n")

    async def call(url: str, body: bytes, within: float) -> bytes:
        return answer

    monkeypatch.setattr(script_calls, "call", call)
    assert await reason.push(routed(event("1"), route=SERIES)) == 503
    assert reason.topics.published == []


async def test_a_row_that_the_history_refuses_costs_no_event(
    reason: Reason, capsys: pytest.CaptureFixture[str]
) -> None:
    reason.deploy(counts(1))
    reason.runs.refused = {0: "bad row"}
    assert await reason.push(routed(event("1"), route=SERIES)) == 204
    assert len(reason.topics.events("writer")) == 2
    assert '"run not kept in the history"' in capsys.readouterr().err


async def test_an_effect_that_its_topic_refuses_sets_the_event_aside_with_all_of_it(reason: Reason) -> None:
    reason.deploy(counts(1))
    reason.topics.known.discard("messenger")
    batch = [event("1"), event("2", time=T + 1)]
    assert await reason.push(routed(batch, route=SERIES)) == 204
    assert [attributes["errorType"] for _, attributes in reason.quarantined()] == ["topic.unknown"] * 2
    assert reason.topics.events("writer") == []
    reason.topics.known.add("messenger")
    assert await reason.push(routed(batch, route=SERIES)) == 204
    assert texts(reason) == ["v1 event 1 is number 1", "v1 event 2 is number 2"]


_SMS = {"type": "sendSms", "message": {"recipients": ["+4791234567"], "message": "x"}}


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        ({"status": "failed", "effects": [_SMS]}, "script.failed"),
        ({"status": "failed"}, "script.failed"),
        ({"effects": [_SMS], "failure": {"kind": "exception"}}, "script.failed"),
        ({"status": "unmet", "missing": ["cache"], "cache": {"value": 1}}, "script.failed"),
        ({"effects": [_SMS] * 101}, "script.effect"),
    ],
)
async def test_an_outcome_that_cannot_be_fails_its_event_alone(
    reason: Reason, outcome: dict[str, Any], error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason.deploy("def run(message, context):\n    return None\n")

    async def call(url: str, body: bytes, within: float) -> bytes:
        events = json.loads(body)["events"]
        given = [{"key": each["key"], **(outcome if each["message"]["id"] == "1" else {})} for each in events]
        return json.dumps({"scriptVersion": 1, "outcomes": given}).encode()

    monkeypatch.setattr(script_calls, "call", call)
    for _ in range(2):
        assert await reason.push(routed([event("1"), event("2", time=T + 1)], route=SERIES)) == 204
    assert [(data["id"], attributes["errorType"]) for data, attributes in reason.quarantined()] == [
        ("1", error)
    ] * 2
    assert (texts(reason), reason.documents.below("runs"), reason.documents.below("caches")) == ([], {}, {})
    assert {each["id"] for each in reason.topics.events("writer")} == {"2"}
