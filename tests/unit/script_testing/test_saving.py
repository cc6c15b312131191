"""From what was recorded of an event to a file that runs it again and expects the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fulcrum.core import fold
from fulcrum.core.settle import settle
from fulcrum.core.writes import Write
from fulcrum.script import wire
from fulcrum.script.loading import load
from fulcrum.script.replay import lines
from fulcrum.script.testing import comparison, expectation, fixture, running, saving
from fulcrum.script.testing.saving import NotRecorded

NOON = 1_772_366_400_000
MESSAGE = {
    "type": "deviceDataEventMsg",
    "id": "e1",
    "hash": "h",
    "time": NOON,
    "receivedTime": NOON + 5,
    "projectId": "p",
    "deviceId": "d",
    "systemId": "s",
    "data": [{"path": "n", "value": 7}],
}
REGISTERS: fold.Registers = {}
fold.fold(REGISTERS, [((5, "e0"), settle([Write("n", 3), Write("engine/speed", 900)]))])
CODE = '''
from fulcrum.script import needs

@needs("deviceData", "cache", "scriptCache", "device", "system")
def run(message, context):
    """All that a script may do."""
    before = context.device_data["n"]
    context.set_cache({"seen": [*context.cache.get("seen", []), before]})
    context.set_script_cache({"all": context.script_cache.get("all", 0) + 1})
    context.send_sms(f"{context.device['name']} in {context.system['name']}: {before}", ["+1"])
    context.set_timer("later", delay=1000, params={"chance": context.random.random()})
    context.cancel_timer("other")
    context.set_device_data({"seen": True})
    return {**message, "data": [*message["data"], {"path": "more", "value": 1}]}

def broken(message, context):
    """Fails."""
    raise KeyError("a")
'''


@pytest.fixture
def code(tmp_path: Path) -> Any:
    (tmp_path / "main.py").write_text(CODE)
    return load(tmp_path)


def recorded_run(outcome: wire.Outcome, message: dict[str, Any]) -> lines.Run:
    """A run as it stands in history: effects have ids of their own, beside what a script calls a timer."""
    effects = []
    for at, effect in enumerate(outcome.effects):
        fields = msgspec.to_builtins(effect)
        if "id" in fields:
            fields["timerId"] = fields["id"]
        effects.append(fields | {"id": f"x{at}"})
    result = "unchanged" if outcome.result is None else "stopped"
    if isinstance(outcome.result, dict):
        result = "replaced"
    failure = outcome.failure or wire.Failure(kind="exception")
    return lines.Run(
        key="k",
        version=3,
        started=NOON,
        status=outcome.status,
        result=result,
        message={**message, "data": outcome.result["data"]} if isinstance(outcome.result, dict) else None,
        effects=effects,
        cache=outcome.cache,
        script_cache=outcome.script_cache,
        failure_kind=failure.kind if outcome.failure else "",
        failure_type=failure.type,
        failure_message=failure.message,
    )


def around(*events: lines.Event, entries: list[wire.Entry] | None = None) -> list[lines.AnyLine]:
    """An input of these events."""
    needs: dict[str, bool | list[str]] = dict.fromkeys(
        ("deviceData", "cache", "scriptCache", "device", "system"), True
    )
    known = [wire.Entry(name="run", needs=needs), wire.Entry(name="broken")]
    return [
        lines.Header(
            project_id="p",
            script_id="s1",
            name="Script",
            entries=known if entries is None else entries,
            since=0,
            until=1,
        ),
        lines.Definition(kind="project", id="p", value={"id": "p"}),
        lines.Definition(kind="system", id="s", value={"id": "s", "name": "Field"}),
        lines.Definition(kind="device", id="d", value={"id": "d", "name": "Room", "systemId": "s"}),
        lines.Definition(kind="device", id="other", value={"id": "other"}),
        lines.State(device_id="d", registers=fold.encode(REGISTERS).decode()),
        lines.CacheLine(device_id="d", value={"seen": [1]}),
        lines.CacheLine(device_id="other", value={"seen": [2]}),
        lines.CacheLine(value={"all": 4}),
        *events,
        lines.End(count=len(events)),
    ]


def event(run: lines.Run | None = None, **fields: Any) -> lines.Event:
    made: dict[str, Any] = {"message": MESSAGE, "now": NOON + 5, "seed": "abc", "device_id": "d", "run": run}
    return lines.Event(**(made | fields))


@pytest.mark.parametrize("entry", ["run", "broken"])
def test_what_is_saved_runs_again_and_comes_to_the_same(code: Any, entry: str) -> None:
    bare = saving.recorded(around(event(entry=entry)), "e1")
    assert bare.expected is None
    outcome = running.run(code, bare)
    assert outcome.status == ("done" if entry == "run" else "failed")
    case = saving.recorded(around(event(recorded_run(outcome, MESSAGE), entry=entry)), "e1", "d", entry)
    read = fixture.parse(fixture.write(case))
    assert read == case
    assert read.expected is not None
    again = running.run(code, read)
    assert comparison.differences(read.expected, expectation.of(again, read.message)) == []
    if entry == "run":
        assert read.given["deviceData"] == {"n": 3, "engine": {"speed": 900}}
        assert read.expected["cache"] == {"seen": [1, 3]}
        assert read.expected["scriptCache"] == {"all": 5}
        assert [effect["type"] for effect in read.expected["effects"]] == [
            "sendSms",
            "setTimer",
            "cancelTimer",
            "setDeviceData",
        ]
        assert read.expected["effects"][0]["message"]["message"] == "Room in Field: 3"
        assert read.expected["effects"][1]["id"] == "later"
        assert "project" not in read.given
    else:
        # What its entry point does not need is left out.
        assert set(read.given) == set()
        assert read.expected["failure"] == {"kind": "exception", "type": "KeyError", "message": "'a'"}


def test_where_nothing_is_known_of_needs_all_is_saved() -> None:
    case = saving.recorded(around(event(), entries=[]), "e1")
    assert set(case.given) == {"project", "system", "device", "deviceData", "cache", "scriptCache"}


@pytest.mark.parametrize(("result", "kept"), [("unchanged", None), ("stopped", False)])
def test_what_a_run_said(result: str, kept: Any) -> None:
    run = lines.Run(key="k", version=1, started=0, result=result)
    case = saving.recorded(around(event(run)), "e1")
    assert case.expected == {"result": kept, "effects": []}
    unmet = saving.recorded(around(event(lines.Run(key="k", version=1, started=0, status="unmet"))), "e1")
    assert unmet.expected is not None
    assert comparison.differences(unmet.expected, {"status": "unmet", "missing": ["cache"]}) == []


def test_one_of_several_is_to_be_named() -> None:
    both = around(
        event(), event(device_id="other", message={**MESSAGE, "deviceId": "other"}), event(entry="broken")
    )
    with pytest.raises(NotRecorded, match="broken for device d, run for device d, run for device other"):
        saving.recorded(both, "e1")
    assert saving.recorded(both, "e1", "other").message["deviceId"] == "other"
    assert saving.recorded(both, "e1", "d", "broken").entry == "broken"
    with pytest.raises(NotRecorded, match="there is no event 'e2'"):
        saving.recorded(both, "e2")


def test_an_input_that_is_not_whole_is_refused() -> None:
    texts = [msgspec.json.encode(line) for line in around(event())]
    assert saving.recorded(saving.parse([*texts, b""]), "e1").message == MESSAGE
    with pytest.raises(NotRecorded, match="broke off"):
        list(saving.parse(texts[:-1]))
    with pytest.raises(NotRecorded, match="broke off"):
        list(saving.parse([]))
    with pytest.raises(NotRecorded, match="is no input of a replay"):
        list(saving.parse(["<html>"]))
    with pytest.raises(NotRecorded, match="no header"):
        saving.recorded([lines.End(count=0)], "e1")


OPTIONS = {"reasoner": {"id": "s1", "targetFunction": "broken", "limit": 5}}


@pytest.mark.parametrize(
    "data",
    [
        MESSAGE,
        [{**MESSAGE, "id": "e0"}, MESSAGE],
        {"type": "routeMsg", "message": MESSAGE, "options": OPTIONS},
    ],
)
def test_what_was_set_aside_is_saved(data: Any) -> None:
    case = saving.set_aside(json.dumps(data).encode(), OPTIONS, "s1", "e1")
    assert (case.message, case.now, case.entry) == (MESSAGE, NOON + 5, "broken")
    assert case.given == {"params": {"limit": 5}}
    # Its random numbers are those that it had.
    assert case.seed == running.call([case]).events[0].seed
    assert case.expected is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff", "is no message"),
        (b"5", "holds 0 messages"),
        (b'[{"id": "a"}, {"id": "b"}]', "holds 2 messages: name one of them by its id: a, b"),
        (b'{"type": "inboundDataEventMsg"}', "a inboundDataEventMsg is nothing that a script is run on"),
    ],
)
def test_what_no_script_runs_on_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(NotRecorded, match=said):
        saving.set_aside(data, {}, "s1")
