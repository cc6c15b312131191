"""Events in files: what may stand in one, what is wrong with one, and that nothing changes on the way."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.core import fold
from fulcrum.script import wire
from fulcrum.script.testing import expectation, fixture, rewriting, running
from fulcrum.script.testing.fixture import Fixture
from local.processes import ROOT
from shared.messages import DeviceDataEvent

WHOLE = """
description: Too warm
script: s1
entry: other
now: 2026-03-01T12:00:00.350Z
seed: abc
params: {high: 30}
message:
  id: e1
  hash: h
  time: 2026-03-01T12:00:00+00:00
  projectId: p
  deviceId: d
  data: {engine/temperature: 31.5, note: 2026-03-01}
device: {name: Room}
system: {id: s, name: Field}
blueprint: {alias: room}
project: {name: Farm}
deviceData: {engine: {temperature: 24}}
cache: {high: false}
scriptCache: null
tolerance: 0.5
expected:
  result: false
  effects:
    - type: setDeviceData
      deviceId: d
      data: {alarm: true}
      time: 2026-03-01T12:00:00Z
  cache: null
  logs: [hello, {level: error, text: oh}]
"""
NOON = 1_772_366_400_000


def test_a_file_says_all_that_a_script_may_see() -> None:
    case = fixture.parse(WHOLE)
    assert (case.description, case.script, case.entry, case.seed) == ("Too warm", "s1", "other", "abc")
    assert case.now == NOON + 350
    assert case.message == {
        "type": "deviceDataEventMsg",
        "id": "e1",
        "hash": "h",
        "time": NOON,
        "receivedTime": NOON + 350,
        "projectId": "p",
        "deviceId": "d",
        "data": [
            {"path": "engine/temperature", "value": 31.5},
            {"path": "note", "value": "2026-03-01"},
        ],
    }
    assert case.expected == {
        "result": False,
        "effects": [
            {
                "type": "setDeviceData",
                "deviceId": "d",
                "data": [{"path": "alarm", "value": True}],
                "time": NOON,
            }
        ],
        "cache": None,
        "logs": [{"level": "info", "text": "hello"}, {"level": "error", "text": "oh"}],
    }
    assert fixture.parse(fixture.write(case)) == case


def test_a_call_has_what_the_file_says() -> None:
    call = running.call([fixture.parse(WHOLE)])
    device = call.devices["d"]
    assert device.device == {"id": "d", "name": "Room", "systemId": "s", "blueprintId": "blueprint"}
    assert fold.derive(fold.decode(device.registers.encode())) == {"engine": {"temperature": 24}}
    assert call.systems == {"s": {"id": "s", "name": "Field"}}
    assert call.blueprints == {"blueprint": {"alias": "room"}}
    assert (call.script_id, call.entry, call.project_id) == ("s1", "other", "p")
    assert call.caches == {"d": {"high": False}}
    event = call.events[0]
    assert (event.now, event.seed, event.device_id, event.params) == (NOON + 350, "abc", "d", {"high": 30})


def test_little_is_enough() -> None:
    case = fixture.parse("message: {data: {temperature: 1}}")
    assert case.expected is None
    assert case.message["deviceId"] == "device"
    assert case.now == case.message["time"] == case.message["receivedTime"] == fixture.START
    call = running.call([case])
    assert call.caches == {}
    assert call.events[0].seed
    timer = fixture.parse("message: {type: reasonRunScript, timerId: t, time: 2026-03-01T12:00:00Z}")
    assert timer.message == {
        "type": "reasonRunScript",
        "id": "event",
        "time": NOON,
        "projectId": "project",
        "timerId": "t",
    }
    assert running.call([timer]).devices == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "it holds no object"),
        ("message: {", "line 1"),
        ("mesage: {}", "mesage: did you mean message?"),
        ("zzz: 1", "zzz: known: description"),
        ("cache: {}", "message is missing"),
        ("message: 5", "message: write an object"),
        ("message: {}\nmessage: {}", "stands twice"),
        ("message: {}\nnow: yesterday", "now: 'yesterday' is no instant"),
        ("message: {}\nnow: 2026-03-01T12:00:00", "write 2026-03-01T12:00:00Z if it is UTC"),
        ("message: {}\nnow: 2026-03-01", "write 2026-03-01T00:00:00Z if it is UTC"),
        ("message: {time: true}", "message/time: True is no instant"),
        ("message: {dta: {n: 5}}", "message/dta: did you mean data?"),
        ("message: {n: 5}", "message/n: values stand in data"),
        ("message: {deviceId: 5}", "message/deviceId: write a text"),
        ("message: {type: reasonRunScript, timerId: 5}", "message/timerId: write a text"),
        ("message: {data: 5}", "message/data: write values by path"),
        ("message: {data: [{value: 5}]}", "message/data/0: a write has a path"),
        ("message: {data: {a-b: 5}}", "message/data/0: path 'a-b'"),
        ("message: {}\ndeviceData: {a-b: 5}", "deviceData: path 'a-b'"),
        ("message: {}\nregisters: nonsense", "registers: the stored registers"),
        ("message: {}\nregisters: ''\ndeviceData: {}", "registers: the device's state stands in deviceData"),
        ("message: {}\nentry: 5", "entry: write a text"),
        ("message: {}\ntolerance: -1", "tolerance: write a number"),
        ("message: {}\nexpected: []", "expected/write an object"),
        ("message: {}\nexpected: {efects: []}", "expected/efects: did you mean effects?"),
        ("message: {}\nexpected: {result: true}", "expected/result: null carries on"),
        (
            "message: {}\nexpected: {effects: [{type: sendFax}]}",
            "expected/effects/0: Invalid value 'sendFax'",
        ),
        ("message: {}\nexpected: {effects: [{type: sendSms}]}", "expected/effects/0: Object missing"),
        (
            "message: {}\nexpected: {effects: [{type: cancelTimer, id: t, when: 5}]}",
            "expected/effects/0/when: known of a cancelTimer: type, id",
        ),
        ("message: {}\nexpected: {logs: [5]}", "expected/logs/0: write a text"),
        ("message: {}\nexpected: {result: {deviceId: d}}", "expected/result/deviceId: a result can change"),
        ("message: {}\nexpected: {failure: {trace: x}}", "expected/failure: write an object of kind"),
        ("message: {}\nexpected: {status: fine}", "expected/status: one of done"),
    ],
)
def test_what_is_wrong_is_said_with_its_key(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        fixture.parse(text)


def test_of_a_replaced_message_what_is_otherwise_counts() -> None:
    text = """
message: {id: e, deviceId: d, data: {a: 1}, time: 5}
expected:
  result: {id: e, deviceId: d, data: {a: 1, b: 2}, time: 5, historical: true}
"""
    expected = fixture.parse(text).expected
    writes = [{"path": "a", "value": 1}, {"path": "b", "value": 2}]
    assert expected == {"result": {"data": writes, "historical": True}, "effects": []}
    outcome = wire.Outcome(key="k", result={"id": "other", "data": writes, "historical": True, "time": 5})
    assert expectation.of(outcome, fixture.parse(text).message) == expected


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
SEGMENT = st.text("abcXYZ019_", min_size=1, max_size=6).filter(lambda text: not text.startswith("__"))
WRITES = st.lists(st.fixed_dictionaries({"path": SEGMENT, "value": VALUES}), max_size=4)
INSTANTS = st.integers(0, 4_000_000_000_000)
OUTCOMES = st.fixed_dictionaries(
    {"result": st.none() | st.just(False) | st.fixed_dictionaries({"data": WRITES, "time": INSTANTS})},
    optional={"cache": VALUES, "scriptCache": VALUES},
)


@given(
    data=WRITES,
    time=INSTANTS,
    now=INSTANTS,
    given_=st.dictionaries(st.sampled_from(["cache", "scriptCache"]), VALUES),
    description=TEXT,
    expected=st.none() | OUTCOMES,
)
def test_what_is_written_is_read_back(
    data: Any, time: int, now: int, given_: dict[str, Any], description: str, expected: Any
) -> None:
    message, received = fixture.complete({"data": data, "time": time}, now)
    if expected is not None:
        result = expectation.changed(expected["result"], message)
        expected = {"effects": [], **expected, "result": result}
    case = Fixture(message, received, given_, description, expected=expected)
    text = fixture.write(case)
    assert fixture.parse(text) == case
    assert fixture.write(fixture.parse(text)) == text
    # Another expectation takes the place of this one, and nothing else changes.
    other: dict[str, Any] = {"result": None, "effects": []}
    changed = fixture.parse(rewriting.with_expected(text, other))
    assert changed == Fixture(message, received, given_, description, expected=other)


HAND = """\
# Why this event is kept.
message:
  data: {temperature: 5}   # in °C
%s
# Not to be lost.
cache: {}
# The end.
"""


@pytest.mark.parametrize(
    "block",
    [
        "expected:\n  result: false\n  effects: []\n",
        "expected: {result: false}  # so far\n",
        "expected:\n",
        "",
    ],
)
def test_comments_and_order_stay_where_an_expectation_is_written(block: str) -> None:
    made = rewriting.with_expected(HAND % block, {"result": None, "effects": []})
    for line in ("# Why this event is kept.", "# in °C", "# Not to be lost.", "cache: {}", "# The end."):
        assert line in made
    assert made.count("expected:") == 1
    assert fixture.parse(made).expected == {"result": None, "effects": []}


def test_a_file_on_one_line_cannot_be_written_into() -> None:
    with pytest.raises(ValueError, match="begin each key on a line of its own"):
        rewriting.with_expected("{message: {}}", {"result": None, "effects": []})


def test_a_file_may_hold_all_that_a_message_of_the_wire_has() -> None:
    known = {field.encode_name for field in msgspec.structs.fields(DeviceDataEvent)}
    assert known <= set(fixture._FIELDS)


def test_the_event_of_the_page_is_one() -> None:
    page = (ROOT / "fulcrum" / "README.md").read_text()
    case = fixture.parse(page.partition("```yaml\n")[2].partition("```")[0])
    assert case.expected is not None
    assert case.expected["effects"][0]["type"] == "sendSms"
    assert fixture.parse(fixture.write(case)) == case
