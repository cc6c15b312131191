"""From what is known of an event to its way: pure."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.core import ids
from functions.api.tracing.assembling import traces
from functions.api.tracing.facts import Aside, Facts, Line, Mail, Row, Run, ToDevice, Unknown
from functions.api.tracing.models import EventTrace, TraceStep
from tests.unit.api.tracing.pipeline import START, Played, played


def line(at: float, service: str, message_id: str | None, text: str = "batch", **payload: Any) -> Line:
    """A line of a service about a message of the farm, ``at`` ms after the event was received."""
    severity = payload.pop("severity", "INFO")
    own = {"messageId": message_id, "projectId": "farm"} if message_id else {}
    return Line(START + int(at * 1000), service, text, severity, {"service": service, **own, **payload})


def row(stored_ms: float = 50, **changes: Any) -> Row:
    """A row of the event ``e`` of device ``d1``."""
    fields: dict[str, Any] = {"device_id": "d1", "event_id": "e", "content_hash": "h", "kind": "data"}
    stored = {"time": START, "received": START, "stored": START + int(stored_ms * 1000), "message_id": "w"}
    return Row(**fields | stored | changes)


def facts(*rows: Row, lines: list[Line] | None = None, **more: Any) -> Facts:
    """What is known of the event ``e`` of the farm."""
    return Facts("farm", "e", rows=list(rows), lines=lines or [], **more)


def way(known: Facts) -> list[tuple[str, str, str | None]]:
    """Service, what and message id of each step of the one event."""
    (trace,) = traces(known)
    return [(step.service, step.what, step.message_id) for step in trace.steps]


WAY = [
    line(3, "ingest", None, "events published", ms=2.0, published=["d"], events=1),
    line(20, "message_processor", "d", messages=1, forwarded=1, published=["w"], attempt=1, ms=5),
    line(60, "transponder", "w", "batch stored", events=1, stored=1, attempt=1, ms=12.5),
]


def in_order(trace: EventTrace) -> bool:
    """Whether steps come by when they began, and each refers to another one of them."""
    names = {step.id for step in trace.steps}
    began = [step.since_ms - (step.ms or 0) for step in trace.steps]
    # Both are told in tenths of a millisecond.
    rising = all(before <= behind + 0.2 for before, behind in pairwise(began))
    return rising and all(step.parent is None or step.parent in names for step in trace.steps)


@given(played(), st.data())
def test_every_hop_is_told_in_order_and_nothing_of_other_projects(run: Played, data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(run.events))
    (trace,) = traces(run.facts(event))
    device_message, writer_message = run.hops[event]
    assert in_order(trace)
    assert trace.total_ms == max(step.since_ms for step in trace.steps) >= 0
    told = {(step.service, step.message_id) for step in trace.steps}
    assert {
        ("ingest", device_message),
        ("message_processor", device_message),
        ("transponder", writer_message),
    } <= told
    # Nothing that is told is about a message of another project.
    for step in trace.steps:
        assert step.message_id is None or run.project_of[step.message_id] == event.project
        # What is certain is right.
        if step.certain and step.service == "message_processor":
            assert step.message_id == device_message
        if step.certain and step.service == "ingest" and step.what == "published":
            assert step.message_id == device_message


@given(played(), st.data())
def test_without_a_log_the_times_that_were_stored_are_told(run: Played, data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(run.events))
    known = run.facts(event)
    known.lines = []
    (trace,) = traces(known)
    assert [(step.what, step.since_ms >= 0) for step in trace.steps] == [("received", True), ("stored", True)]


def test_the_way_of_an_event() -> None:
    (trace,) = traces(facts(row(), lines=WAY))
    assert way(facts(row(), lines=WAY)) == [
        ("ingest", "received", None),
        ("ingest", "published", "d"),
        ("message_processor", "routed", "d"),
        ("transponder", "stored", "w"),
    ]
    assert [step.since_ms for step in trace.steps] == [0, 3, 20, 60]
    assert [step.ms for step in trace.steps] == [None, 2, 5, 12.5]
    assert (trace.device_id, trace.total_ms, trace.received) == ("d1", 60, START // 1000)


def test_deliveries_that_failed_are_told_with_their_attempts() -> None:
    failed = line(
        10,
        "message_processor",
        "d",
        "the delivery will come again",
        severity="WARNING",
        error="no\nanswer",
        attempt=1,
    )
    again = line(30_000, "message_processor", "d", messages=1, forwarded=1, published=["w"], attempt=2)
    stored_again = line(90_000, "transponder", "w", "batch stored", events=1, stored=1, attempt=2)
    known = facts(row(), row(89_990), lines=[WAY[0], failed, again, WAY[2], stored_again])
    (trace,) = traces(known)
    told = [(step.what, step.attempt, step.since_ms) for step in trace.steps if step.message_id]
    assert told == [
        ("published", None, 3),
        ("failed", 1, 10),
        ("stored", 1, 60),
        ("routed", 2, 30_000),
        ("stored", 2, 90_000),
    ]
    assert "comes again: answer" in trace.steps[2].text


def test_what_else_went_wrong_is_told_as_its_service_says_it() -> None:
    wrong = line(
        90, "reason", "r", "run not kept in the history", severity="ERROR", error="too large", attempt=1
    )
    done = line(95, "reason", "r", "batch run", events=1, ran=1, attempt=1)
    (trace,) = traces(facts(row(), lines=[wrong, done], runs=[run_of()]))
    assert [(step.what, step.attempt) for step in trace.steps][-2:] == [("ran", 1), ("failed", 1)]
    assert trace.steps[-1].text == "run not kept in the history: too large"


def test_an_id_is_one_events_for_each_device_and_content() -> None:
    other = row(70, device_id="d2", received=START + 5_000, message_id="w2")
    changed = row(80, content_hash="h2", received=START + 9_000, message_id="w3")
    found = traces(facts(row(), other, changed, lines=WAY))
    assert [(t.device_id, t.content_hash) for t in found] == [("d1", "h"), ("d2", "h"), ("d1", "h2")]
    assert [len(t.steps) for t in found] == [4, 2, 2]


def test_an_unknown_devices_event_is_told_by_the_line_that_names_it() -> None:
    lines = [
        line(3, "ingest", None, "events published", ms=2, published=["d"], eventIds=["farm/e", "mine/e"]),
        line(9, "message_processor", "d", messages=1, forwarded=0, unknown=1, attempt=1),
    ]
    assert way(facts(lines=lines)) == [
        ("ingest", "received", None),
        ("ingest", "published", "d"),
        ("message_processor", "unknownDevice", "d"),
    ]
    # Of another project's event with the same id nothing is told.
    assert traces(Facts("other", "e", lines=lines)) == []


def test_an_unknown_devices_event_is_told_by_its_sample() -> None:
    known = facts(unknown=[Unknown("u1", "net", "room-9", START)])
    assert way(known) == [("ingest", "received", None), ("message_processor", "unknownDevice", None)]


def test_an_event_on_its_way_is_told_as_far_as_it_got() -> None:
    named = line(3, "ingest", None, "events published", ms=2, published=["d"], eventIds=["farm/e"])
    assert way(facts(lines=[named])) == [("ingest", "received", None), ("ingest", "published", "d")]
    assert way(facts(lines=[named, WAY[1]]))[-1] == ("message_processor", "routed", "d")


def test_what_is_set_aside_is_told_with_its_error() -> None:
    lines = [
        WAY[0],
        line(20, "message_processor", "d", messages=1, forwarded=0, quarantined=1, attempt=1),
        line(40, "quarantine", "d", "entry stored", entry="q1"),
    ]
    aside = Aside("q1", "attribute.type", "no number", "message_processor", START + 15_000, "d")
    known = facts(lines=lines, asides=[aside])
    assert way(known) == [
        ("ingest", "published", "d"),
        ("message_processor", "setAside", "d"),
        ("quarantine", "handled", None),
    ]
    step = next(one for one in traces(known)[0].steps if one.what == "setAside")
    assert (step.error_type, step.error, step.entry_id) == ("attribute.type", "no number", "q1")
    assert step.attempt == 1


def run_of(**changes: Any) -> Run:
    """A run of the event by the script ``s``."""
    fields: dict[str, Any] = {
        "run_key": "k",
        "script_id": "s",
        "version": 3,
        "entry": "run",
        "started": START + 70_000,
        "stored": START + 80_000,
        "status": "done",
        "device_id": "d1",
        "event_id": "e",
        "content_hash": "h",
        "received": START,
        "message_id": "r",
        "result": "unchanged",
        "wall": 2_000,
    }
    return Run(**fields | changes)


def test_what_a_script_asked_for_stands_below_its_run() -> None:
    effects = [("f1", "sendEmail", ""), ("f2", "setDeviceData", "d9"), ("f3", "setTimer", "t")]
    known = facts(
        row(),
        row(120, device_id="d9", event_id="f2", content_hash="f2", message_id="w9"),
        lines=[
            *WAY,
            line(80, "reason", "r", "batch", events=1, published=["m1", "w9"], attempt=1, ms=20),
            line(130, "transponder", "w9", "batch stored", events=1, stored=1, attempt=1),
            line(150, "emailer", "m1", "mail", sent=1, attempt=1, ms=3),
        ],
        runs=[run_of(effects=effects)],
        mails=[Mail("o1", "email", "f1", START + 149_000, 2, "m1")],
    )
    (trace,) = traces(known)
    assert in_order(trace)
    by_id = {step.id: step for step in trace.steps}

    def above(step: TraceStep) -> list[str]:
        return [] if step.parent is None else [by_id[step.parent].what, *above(by_id[step.parent])]

    told = [(step.service, step.what, step.event_id, above(step)) for step in trace.steps[4:]]
    assert told == [
        ("reason", "ran", None, []),
        ("reason", "effect", "f1", ["ran"]),
        ("reason", "effect", "f2", ["ran"]),
        ("reason", "effect", "f3", ["ran"]),
        ("transponder", "stored", "f2", ["effect", "ran"]),
        ("emailer", "sent", None, ["effect", "ran"]),
    ]
    sent = trace.steps[-1]
    assert (sent.text, sent.ms, sent.message_id) == ("mail to 2 recipients, in the outbox", 3, "m1")
    ran = trace.steps[4]
    assert (ran.script_id, ran.script_version, ran.ms) == ("s", 3, 2)
    assert "3 effects" in ran.text


@pytest.mark.parametrize(
    ("state", "problem", "said"),
    [
        ("kept", None, "text message to 1 recipient, in the outbox"),
        ("delivered", None, "text message to 1 recipient, delivered"),
        ("limited", None, "text message to 1 recipient, held back by its limits"),
        ("undelivered", "twilio.30003", "text message to 1 recipient, not delivered (twilio.30003)"),
        ("waiting", "twilio.20429", "text message to 1 recipient, waits for another try (twilio.20429)"),
    ],
)
def test_what_became_of_a_message_is_told(state: str, problem: str | None, said: str) -> None:
    run = run_of(effects=[("f1", "sendSms", "")])
    mail = Mail("o1", "sms", "f1", START + 149_000, 1, state=state, problem=problem)
    (trace,) = traces(facts(row(), runs=[run], mails=[mail]))
    assert trace.steps[-1].text == said


@pytest.mark.parametrize(
    ("state", "problem", "said"),
    [
        ("queued", None, "message to the device, waits for its device"),
        ("acked", None, "message to the device, acked"),
        ("failed", "the URL answered 404", "message to the device, failed (the URL answered 404)"),
    ],
)
def test_what_became_of_a_message_to_a_device_is_told(state: str, problem: str | None, said: str) -> None:
    run = run_of(effects=[("f1", "sendMessage", "d2"), ("f2", "sendMessage", "d3")])
    sent = ToDevice("f1", "d2", state, START + 149_000, problem)
    (trace,) = traces(facts(row(), runs=[run], to_devices={"f1": sent}))
    step = trace.steps[-1]
    assert (step.service, step.what, step.text, step.device_id) == ("rest_outbound", "sent", said, "d2")
    (above,) = (one for one in trace.steps if one.id == step.parent)
    assert (above.what, above.event_id) == ("effect", "f1")


def test_a_run_that_comes_again_repeats_no_effect() -> None:
    effects = [("f1", "sendEmail", "")]
    again = run_of(started=START + 30_000_000, repeated=True, effects=effects)
    (trace,) = traces(facts(row(), runs=[run_of(effects=effects), again]))
    assert [step.what for step in trace.steps] == ["received", "stored", "ran", "effect", "ran"]
    assert "again, from its record" in trace.steps[-1].text
    # Whoever ran it first was killed before its row was kept: the repeat alone knows what came of it.
    (trace,) = traces(facts(row(), runs=[again], mails=[Mail("o1", "email", "f1", again.started + 5_000, 1)]))
    assert [step.what for step in trace.steps] == ["received", "stored", "ran", "effect", "sent"]


def test_a_failed_run_and_its_event_in_quarantine_are_one_way() -> None:
    aside = Aside("q", "script.failed", "ZeroDivisionError", "reason", START + 90_000, "r")
    failed = run_of(status="failed", failure="ZeroDivisionError: division by zero", result=None)
    (trace,) = traces(facts(runs=[failed], asides=[aside]))
    assert [(step.what, step.error) for step in trace.steps[1:]] == [
        ("ran", "ZeroDivisionError: division by zero"),
        ("setAside", "ZeroDivisionError"),
    ]


def test_a_service_that_says_what_it_did_after_others_are_done_with_it_comes_before_them() -> None:
    late = [WAY[0], line(70, "message_processor", "d", forwarded=1, published=["w"], ms=55), WAY[2]]
    assert [service for service, _, _ in way(facts(row(), lines=late))] == [
        *("ingest", "ingest", "message_processor", "transponder"),
    ]


def test_copies_at_devices_above_are_told() -> None:
    copy = row(51, device_id="above", event_id=ids.digest("d1", "e"))
    (trace,) = traces(facts(row(), copy, lines=WAY))
    assert [(step.what, step.device_id) for step in trace.steps][-2:] == [
        ("stored", "d1"),
        ("copied", "above"),
    ]


def test_effects_that_lead_to_themselves_come_to_an_end() -> None:
    first = run_of(effects=[("e", "setDeviceData", "d1")])
    (trace,) = traces(facts(row(), runs=[first]))
    assert in_order(trace)


def test_what_a_timer_had_a_script_run_on_has_a_way_without_device() -> None:
    run = run_of(device_id=None, content_hash=None, effects=[("f1", "sendSms", "")])
    fired = line(2, "scheduler", None, "timers", projectId="farm", outcome="fired", published=["r"], ms=1)
    others = line(1, "scheduler", None, "timers", projectId="mine", outcome="fired", published=["r"], ms=1)
    (trace,) = traces(facts(runs=[run], lines=[others, fired]))
    assert [(step.service, step.what) for step in trace.steps] == [
        ("reason", "received"),
        ("scheduler", "handled"),
        ("reason", "ran"),
        ("reason", "effect"),
    ]
    assert trace.steps[0].text == "a timer, a script or a person asked for a run"
    assert (trace.steps[1].text, trace.steps[1].message_id) == ("its timer was due, and fired", "r")
    assert trace.device_id is None


def test_what_a_simulated_device_sends_begins_with_who_plays_it() -> None:
    played = line(2, "simulator", None, "simulation", projectId="farm", events=500, published=["d"], ms=9)
    others = line(1, "simulator", None, "simulation", projectId="mine", events=1, published=["x"], ms=9)
    (trace,) = traces(facts(row(source="simulator"), lines=[others, played, *WAY[1:]]))
    # It begins before its device's event is due.
    first, due = trace.steps[:2]
    assert {due.service, first.service} == {"simulator"}
    assert (due.what, due.text) == ("received", "due, as a simulated device sends it")
    assert first.text == "played it, a batch of 500"
    assert first.message_id == "d"
    # It has never been at the way in of real devices.
    assert "ingest" not in {step.service for step in trace.steps}


def test_what_the_timer_of_a_script_had_run_stands_below_what_set_it() -> None:
    sets = run_of(effects=[("f1", "setTimer", "t"), ("f2", "sendSms", "")])
    fired = [
        run_of(
            **{"run_key": f"k{n}", "event_id": f"fire{n}", "content_hash": None, "entry": "quiet"},
            **{"started": START + n * 60_000_000, "message_id": f"r{n}", "set_by": "f1"},
            effects=[(f"g{n}", "sendEmail", "")],
        )
        for n in range(1, 23)
    ]
    mail = Mail("o1", "email", "g1", START + 60_100_000, 1, "m1")
    (trace,) = traces(facts(row(), lines=WAY, runs=[sets, *fired], mails=[mail]))
    assert in_order(trace)
    by_id = {step.id: step for step in trace.steps}
    ran = [step for step in trace.steps if step.what == "ran" and "quiet" in step.text]
    assert len(ran) == 20
    assert {by_id[step.parent or ""].event_id for step in ran} == {"f1"}
    assert "fired 22 times or more" in by_id[ran[0].parent or ""].text
    (sent,) = (step for step in trace.steps if step.what == "sent")
    asked = by_id[sent.parent or ""]
    assert (asked.event_id, asked.parent) == ("g1", ran[0].id)
