"""What the API gives a replay: events as the script got them, and what was known before them."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from fulcrum.core import fold
from fulcrum.script.replay import lines
from shared.messages import EventRecord, Write
from tests.integration.replay.conftest import Place
from tests.support.history import at, event, rows_of

SINCE, UNTIL = at("10:00:00.0"), at("11:00:00.0")
BODY: dict[str, Any] = {"since": SINCE, "until": UNTIL}
L = TypeVar("L")


def of(kind: type[L], found: list[lines.AnyLine]) -> list[L]:
    return [line for line in found if isinstance(line, kind)]


async def test_events_come_with_their_runs_and_the_rest_as_writes(place: Place) -> None:
    first = event(place.project, SINCE + 1000, {"t": 5}, id="e1")
    other = event(place.project, SINCE + 2000, {"t": 6}, id="e2", device_id="d2")
    place.history.write(first, other, first)
    effects = [{"type": "sendSms", "message": {"recipients": ["+47"], "message": "warm"}, "id": "x"}]
    cache = {"value": {"n": 1}}
    place.ran(SINCE + 1000, "e1", effects=effects, effect_count=1, cache=cache, cpu_us=7, params={"limit": 4})
    found = await place.ask(BODY)
    (ran,) = of(lines.Event, found)
    assert ran.message == {
        "type": "deviceDataEventMsg",
        **{"id": "e1", "hash": "h-e1", "time": SINCE + 1000, "receivedTime": SINCE + 1000},
        **{"projectId": place.project, "deviceId": "d1", "systemId": "s1", "blueprintId": "b1"},
        "data": [{"path": "t", "value": 5}],
    }
    assert (ran.now, ran.stored, ran.params, ran.follows) == (
        SINCE + 1000,
        SINCE + 1000,
        {"limit": 4},
        "result",
    )
    assert ran.run is not None
    assert (ran.run.key, ran.run.effects, ran.run.cpu_us) == (place.key("d1", "e1"), effects, 7)
    assert ran.run.cache is not None
    assert ran.run.cache.value == {"n": 1}
    (written,) = of(lines.Writing, found)
    assert (written.device_id, written.id, written.data, written.own) == ("d2", "e2", [Write("t", 6)], False)
    header = found[0]
    assert isinstance(header, lines.Header)
    assert (header.selection, header.version, header.name) == ("ran", 0, "Too warm")
    assert "notDeployed" in {note.code for note in header.notes}
    assert of(lines.End, found)[0].count == 2


async def test_a_script_that_never_ran_meets_all_events(place: Place) -> None:
    one = event(place.project, SINCE + 1000, writes=[Write("b/c", 1), Write("a", op="delete")], id="e1")
    alarm = event(
        place.project,
        SINCE + 3000,
        id="e2",
        writes=[Write("a", {"x": 1}, "replace")],
        event=[EventRecord("alarm", None, None, {"level": 2}), EventRecord("visit", SINCE, "own", 1)],
    )
    place.history.write(alarm, one)
    found = await place.ask({**BODY, "entry": "check", "params": {"limit": 2}})
    first, second = of(lines.Event, found)
    assert first.message["data"] == [
        {"path": "b/c", "value": 1},
        {"path": "a", "value": None, "op": "delete"},
    ]
    assert second.message["data"] == [{"path": "a", "value": {"x": 1}, "op": "replace"}]
    assert second.message["event"] == [
        {"type": "alarm", "data": {"level": 2}},
        {"type": "visit", "time": SINCE, "id": "own", "data": 1},
    ]
    assert (first.entry, first.params, first.run) == ("check", {"limit": 2}, None)


async def test_order_is_that_of_receipt(place: Place) -> None:
    late = event(place.project, SINCE + 1000, {"t": 1}, id="late", received_time=SINCE + 9000)
    early = event(place.project, SINCE + 5000, {"t": 2}, id="early")
    tie = [
        event(place.project, SINCE + 7000 + n, {"t": n}, id=f"t{n}", received_time=SINCE + 8000)
        for n in (1, 0)
    ]
    before = event(place.project, SINCE + 100, {"t": 3}, id="before", received_time=SINCE - 1)
    after = event(place.project, UNTIL, {"t": 4}, id="after")
    place.history.write(late, *tie, early, before, after)
    found = await place.ask(BODY)
    assert [line.message["id"] for line in of(lines.Event, found)] == ["early", "t0", "t1", "late"]


async def test_what_was_stopped_or_replaced_comes_as_it_came_in(place: Place) -> None:
    stopped = event(place.project, SINCE + 1000, {"t": 5}, id="e1", kind="input", script_id="s1")
    came = event(place.project, SINCE + 2000, {"t": 6}, id="e2", kind="input", script_id="s1")
    kept = event(place.project, SINCE + 2000, {"t": 60}, id="e2")
    elsewhere = event(place.project, SINCE + 3000, {"t": 7}, id="e3", kind="input", script_id="s2")
    beside = event(place.project, SINCE + 4000, {"t": 8}, id="e4")
    place.history.write(stopped, came, kept, elsewhere, beside)
    place.ran(SINCE + 1000, "e1", result="stopped")
    place.ran(SINCE + 2000, "e2", result="replaced", message={"data": [{"path": "t", "value": 60}]})
    place.ran(SINCE + 4000, "e4", result="stopped")
    found = await place.ask(BODY)
    events = of(lines.Event, found)
    assert [(line.message["id"], line.message["data"][0]["value"], line.follows) for line in events] == [
        ("e1", 5, "result"),
        ("e2", 6, "result"),
        ("e4", 8, "input"),
    ]
    assert events[1].run is not None
    assert events[1].run.message == {"data": [{"path": "t", "value": 60}]}
    assert of(lines.Writing, found) == []


async def test_what_scripts_wrote_is_told_apart(place: Place) -> None:
    place.ran(SINCE + 500, "e0")
    place.history.write(
        event(place.project, SINCE + 1000, {"avg": 1}, id="x1", script_id="s1", source="script"),
        event(place.project, SINCE + 2000, {"avg": 2}, id="x2", script_id="s2", source="script"),
    )
    own, others = of(lines.Writing, await place.ask(BODY))
    assert (own.id, own.own, own.script_id) == ("x1", True, "s1")
    assert (others.id, others.own, others.script_id) == ("x2", False, "s2")


async def test_states_and_caches_are_those_of_the_beginning(place: Place) -> None:
    place.history.write(
        event(place.project, SINCE - 9000, {"a": 1, "b/c": 2}, id="1"),
        event(place.project, SINCE - 8000, {"a": 2}, id="2"),
        event(place.project, SINCE - 7000, {"a": 3}, id="3", historical=True),
        event(place.project, SINCE - 6000, {"a": 4}, id="4", received_time=SINCE + 1),
        event(place.project, SINCE + 10, {"a": 5}, id="5", received_time=SINCE - 5),
        event(place.project, SINCE + 2000, {"a": 9}, id="6"),
    )
    place.ran(SINCE - 5000, "1", cache={"value": {"n": 1}}, script_cache={"value": [1]})
    place.ran(SINCE - 4000, "2", cache={"value": {"n": 2}})
    place.ran(SINCE + 2000, "6", cache={"value": {"n": 3}})
    found = await place.ask(BODY)
    (state,) = of(lines.State, found)
    registers = fold.decode(state.registers.encode())
    assert fold.derive(registers) == {"a": 5, "b": {"c": 2}}
    assert registers["a"][0] == (SINCE + 10, "5")
    caches = {line.device_id: line.value for line in of(lines.CacheLine, found)}
    assert caches == {"d1": {"n": 2}, None: [1]}


async def test_runs_that_came_late_leave_their_caches_to_those_after_them(place: Place) -> None:
    """What counts is what an event of the period found: by when runs came, not by the clock alone."""
    for device, started, received in (
        # Received before the period; run in it, yet before any of the period's own.
        ("d1", SINCE - 500, SINCE - 600),
        ("d1", SINCE + 20, SINCE - 5),
        ("d1", SINCE + 50, SINCE + 10),
        # Run amid the period's own: it cannot be placed.
        ("d2", SINCE - 400, SINCE - 450),
        ("d2", SINCE + 40, SINCE + 30),
        ("d2", SINCE + 90_000, SINCE - 3),
        # By a clock that is behind, and of this period all the same.
        ("d3", SINCE - 300, SINCE - 350),
        ("d3", SINCE - 1, SINCE),
    ):
        left = {"value": started - SINCE}
        place.ran(started, f"{device}-{started}", device, received_time=received, cache=left)
    found = await place.ask(BODY)
    caches = {line.device_id: (line.value, line.late) for line in of(lines.CacheLine, found)}
    assert caches == {"d1": (20, None), "d2": (-400, SINCE + 90_000), "d3": (-300, None)}


async def test_a_state_that_was_stored_late_is_told(place: Place) -> None:
    place.history.write(
        event(place.project, SINCE - 9000, {"a": 1}, id="1"),
        # Stored at its own time, here: received before the period.
        event(place.project, SINCE + 10, {"a": 2}, id="2", received_time=SINCE - 5),
        event(place.project, SINCE + 2000, {"a": 9}, id="3"),
        event(place.project, SINCE - 9000, {"a": 1}, id="4", device_id="d2"),
        event(place.project, SINCE + 2000, {"a": 9}, id="5", device_id="d2"),
    )
    found = of(lines.State, await place.ask(BODY))
    assert {line.device_id: line.late for line in found} == {"d1": SINCE + 10, "d2": None}


async def test_a_state_that_retention_keeps_is_not_late_and_what_it_let_go_is_told(place: Place) -> None:
    write = event(place.project, SINCE - 86_400_000, {"a": 1}, id="1")
    (row,) = rows_of([write])
    kept = {**row, "kind": "baseline", "original_time": str(write.time), "stored_time": (SINCE + 10) * 1000}
    place.history.append([{**kept, "time": (SINCE - 9000) * 1000}])
    place.history.write(event(place.project, SINCE + 2000, {"b": 9}, id="2"))
    found = await place.ask(BODY)
    assert [(line.device_id, line.late) for line in of(lines.State, found)] == [("d1", None)]
    assert "retention" not in {note.code for note in notes_of(found)}

    place.put("blueprints", "b1", retention={"history": {"paths": [{"path": "pos", "days": 1}]}})
    long_before = {"since": SINCE - 7 * 86_400_000, "until": UNTIL}
    place.history.write(event(place.project, long_before["since"] + 1000, {"b": 9}, id="3"))
    (note,) = (one for one in notes_of(await place.ask(long_before)) if one.code == "retention")
    assert "is not kept" in note.text


def notes_of(found: list[lines.AnyLine]) -> list[lines.Note]:
    return [note for header in of(lines.Header, found) for note in header.notes]


async def test_a_blueprint_that_is_none_is_told(place: Place) -> None:
    """An alias, say: a replay of nothing would show no difference."""
    place.history.write(event(place.project, SINCE + 1, {"a": 1}, id="e", blueprint_id="b1"))
    assert len(of(lines.Event, await place.ask({**BODY, "blueprintId": "b1"}))) == 1
    status, content = await place.raw({**BODY, "blueprintId": "sensor"})
    assert (status, json.loads(content)["error"]) == (404, "blueprint.notFound")


async def test_records_come_as_ingest_gives_them(place: Place) -> None:
    records = [EventRecord("default", SINCE + 1000, "i1", {"k": 1}), EventRecord("alarm", SINCE, "i2")]
    place.history.write(event(place.project, SINCE + 1000, id="e", event=records))
    (line,) = of(lines.Event, await place.ask(BODY))
    assert line.message["event"] == [
        {"type": "alarm", "time": SINCE, "id": "i2"},
        {"time": SINCE + 1000, "id": "i1", "data": {"k": 1}},
    ]


async def test_one_event_comes_with_what_stood_right_before_it(place: Place) -> None:
    place.history.write(
        event(place.project, SINCE + 1000, {"a": 1}, id="1"),
        event(place.project, SINCE + 2000, {"a": 2}, id="2", received_time=SINCE + 3000),
        event(place.project, SINCE + 2500, {"a": 3}, id="3", received_time=SINCE + 3000),
        event(place.project, SINCE + 2900, {"a": 4}, id="4", received_time=SINCE + 3000),
    )
    found = await place.ask({**BODY, "eventId": "3", "devices": ["d1"]})
    (line,) = of(lines.Event, found)
    assert line.message["id"] == "3"
    (state,) = of(lines.State, found)
    assert fold.derive(fold.decode(state.registers.encode())) == {"a": 2}
    status, content = await place.raw({**BODY, "eventId": "none"})
    assert (status, json.loads(content)["error"]) == (404, "event.notFound")


async def test_one_event_comes_with_the_caches_that_its_run_found(place: Place) -> None:
    """Its call began after it was received, and so may those have that it came after."""
    received = SINCE + 3000
    place.history.write(
        *(event(place.project, SINCE + n, {"a": n}, id=f"{n}", received_time=received) for n in range(4))
    )
    for n in range(3):
        left = {"value": {"n": n}}
        place.ran(received + 100, f"{n}", seq=n, received_time=received, cache=left, script_cache=left)
    place.ran(received + 200, "3", seq=0, received_time=received, cache={"value": {"n": 3}})
    for name, before in (("0", {}), ("1", {"n": 0}), ("2", {"n": 1}), ("3", {"n": 2})):
        found = await place.ask({**BODY, "eventId": name, "devices": ["d1"]})
        caches = {line.device_id: line.value for line in of(lines.CacheLine, found)}
        assert caches == ({"d1": before, None: before} if before else {})


async def test_timers_come_from_their_runs(place: Place) -> None:
    message = {"type": "reasonRunScript", "id": "t1", "time": SINCE + 60_000, "projectId": place.project}
    message |= {"deviceId": "d1", "timerId": "watch"}
    place.ran(
        SINCE + 60_500, "t1", content_hash="", message=message, received_time=None, event_time=SINCE + 60_000
    )
    (line,) = of(lines.Event, await place.ask(BODY))
    assert (line.message, line.now, line.device_id) == (message, SINCE + 60_000, "d1")
    assert line.stored is None


async def test_what_failed_and_was_set_aside_comes_from_its_run(place: Place) -> None:
    message = {"type": "deviceDataEventMsg", "id": "bad", "hash": "h-bad", "time": SINCE + 1000}
    message |= {"projectId": place.project, "deviceId": "d1", "data": [{"path": "t", "value": "odd"}]}
    failure = {"failure_kind": "exception", "failure_type": "ValueError", "failure_message": "odd"}
    place.ran(SINCE + 1000, "bad", status="failed", result=None, message=message, **failure)
    (line,) = of(lines.Event, await place.ask(BODY))
    assert line.message == message
    assert line.run is not None
    assert (line.run.status, line.run.failure_type, line.follows) == ("failed", "ValueError", "result")


async def test_who_may_read_some_devices_replays_those(place: Place) -> None:
    place.history.write(
        event(place.project, SINCE + 1, {"t": 1}, id="e1"),
        event(place.project, SINCE + 2, {"t": 2}, id="e2", device_id="d2"),
        event(place.project, SINCE + 150, {"t": 3}, id="e3"),
    )
    place.ran(SINCE + 1, "e1", cache={"value": "mine"}, script_cache={"value": "of all"})
    place.ran(SINCE + 2, "e2", device="d2", cache={"value": "secret"}, script_cache={"value": "of all"})
    token = place.api.user(place.project, "script.read")
    documents = place.api.documents.document(f"projects/{place.project}")
    (of_user,) = documents.collection("userRoles").get()
    documents.collection("roles").document("reader").set(
        {"name": "reader", "permissions": ["device.readHistory"]}
    )
    grant = {"subjectKind": "user", "subjectId": of_user.to_dict()["subjectId"], "roleId": "reader"}
    documents.collection("userRoles").add({**grant, "resourceKind": "device", "resourceId": "d1"})
    found = await place.ask(BODY, token)
    assert [line.message["id"] for line in of(lines.Event, found)] == ["e1"]
    assert [line.id for line in of(lines.Writing, found)] == ["e3"]
    assert {line.id for line in of(lines.Definition, found) if line.kind == "device"} == {"d1"}
    header = found[0]
    assert isinstance(header, lines.Header)
    assert "permission" in {note.code for note in header.notes}
    later = await place.ask({"since": SINCE + 100, "until": UNTIL}, token)
    # The script's own cache is made of all devices.
    assert {line.device_id: line.value for line in of(lines.CacheLine, later)} == {"d1": "mine"}
    assert [line.run.script_cache for line in of(lines.Event, found) if line.run] == [None]
    assert "scriptCache" in {note.code for note in header.notes}
    assert (await place.raw({**BODY, "devices": ["d2"]}, token))[0] == 403


async def test_a_run_whose_input_nothing_has_is_counted(place: Place) -> None:
    place.ran(SINCE + 1000, "lost", status="failed", result=None)
    found = await place.ask(BODY)
    assert of(lines.Event, found) == []
    assert of(lines.End, found)[0].skipped == {"input": 1}


async def test_the_deployed_version_and_the_definitions_come_first(place: Place) -> None:
    entries = [{"name": "run", "needs": {"cache": True}}]
    fields = {"version": 3, "code": "x = 1\n", "files": json.dumps({"a.py": ""}), "requirements": ""}
    place.put("scriptStates", "s1", scriptId="s1", state="deployed", version=3)
    place.put("scriptVersions", "s1-3", scriptId="s1", entries=json.dumps(entries), **fields)
    place.history.write(event(place.project, SINCE + 1, {"t": 1}, id="e1"))
    found = await place.ask(BODY)
    header = found[0]
    assert isinstance(header, lines.Header)
    assert (header.version, header.code, header.files) == (3, "x = 1\n", {"a.py": ""})
    assert header.entries[0].needs == {"cache": True}
    known = {(line.kind, line.id): line.value for line in of(lines.Definition, found)}
    assert known["project", place.project]["name"] == "Farm"
    assert known["device", "d1"]["name"] == "d1"
    assert known["system", "sys"]["name"] == "North"
    assert known["blueprint", "b1"]["alias"] == "sensor"


async def test_a_script_beside_writer_changes_nothing_of_what_is_stored(place: Place) -> None:
    route = {"deviceDataEventMsg": {"reason": {"options": {"reasoner": {"id": "tooWarm"}}}, "writer": True}}
    place.put("devices", "d1", name="d1", blueprintId="b1", version=1, messageRoute=json.dumps(route))
    place.history.write(event(place.project, SINCE + 1, {"t": 1}, id="e1"))
    place.ran(SINCE + 1, "e1")
    (line,) = of(lines.Event, await place.ask(BODY))
    assert line.follows == "input"


async def test_devices_that_the_caller_may_not_read_are_left_out(place: Place) -> None:
    place.history.write(
        event(place.project, SINCE + 1, {"t": 1}, id="e1"),
        event(place.project, SINCE + 2, {"t": 2}, id="e2", device_id="d2"),
    )
    place.ran(SINCE + 3, "e1")
    place.ran(SINCE + 4, "e2", device="d2", message={"secret": 1})
    token = place.api.user(place.project, "script.read")
    assert (await place.raw(BODY, token))[0] == 403
    token = place.api.user(place.project, "device.readHistory", on=("device", "d2"))
    assert (await place.raw(BODY, token))[0] == 403


async def test_bad_questions_are_refused(place: Place) -> None:
    for body, error in (
        ({"since": UNTIL, "until": SINCE}, "replay.invalid"),
        ({"since": 0}, "replay.invalid"),
        ({"since": "never"}, "query.invalid"),
    ):
        status, content = await place.raw(body)
        assert (status, json.loads(content)["error"]) == (400, error)
    place.script = "none"
    assert (await place.raw(BODY))[0] == 404


async def test_another_project_s_rows_are_none_of_ours(place: Place) -> None:
    place.history.write(event("other", SINCE + 1, {"t": 1}, id="e1"))
    assert of(lines.Event, await place.ask(BODY)) == []


async def test_a_fault_of_the_store_is_told_before_the_answer_begins(place: Place) -> None:
    place.history.faults({"method": "jobs.insert", "error_rate": 1, "code": "UNAVAILABLE"})
    status, content = await place.raw(BODY)
    assert (status, json.loads(content)["error"]) == (503, "history.unavailable")
