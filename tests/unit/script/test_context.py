"""What a script sees and records: values of its own, times, random numbers, caches, effects."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fulcrum.core.writes import Write
from fulcrum.script import wire
from fulcrum.script.running import Runner
from tests.unit.script.support import T0, call, code, event, run

EVERYTHING = "@needs('deviceData', 'cache', 'scriptCache', 'device', 'system', 'blueprint', 'project')\n"


def effects(folder: Path, line: str, **more: Any) -> list[wire.Effect]:
    """What one line of a script asks for."""
    main = (
        "from datetime import *\nfrom fulcrum.script import needs\n"
        f"{EVERYTHING}def run(message, context):\n    {line}\n"
    )
    (outcome,) = run(
        folder, main, event(1, **more), systems={"s1": {}}, blueprints={"b1": {}}, project={"a": 1}
    )
    assert outcome.status == "done", outcome
    return outcome.effects


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "context.send_sms('hot', to='+4712345678')",
            wire.SendSms(message={"message": "hot", "recipients": ["+4712345678"]}),
        ),
        (
            "context.send_sms({'type': 'smsMsg', 'templateId': 't', 'recipients': ['+4712345678']},"
            " context={'a': 1}, limit={'count': 1})",
            wire.SendSms(
                message={
                    "templateId": "t",
                    "recipients": ["+4712345678"],
                    "context": {"a": 1},
                    "limitOptions": {"count": 1},
                }
            ),
        ),
        (
            "context.send_email('Hot', ['a@b.c'], text='x', cc='d@e.f', sender='g@h.i')",
            wire.SendEmail(
                message={"subject": "Hot", "to": ["a@b.c"], "text": "x", "cc": ["d@e.f"], "from": "g@h.i"}
            ),
        ),
        (
            "context.send_email(template='t', blind_to=('a@b.c', 'd@e.f'), context={'n': 1})",
            wire.SendEmail(message={"template": "t", "blindTo": ["a@b.c", "d@e.f"], "context": {"n": 1}}),
        ),
        (
            "context.set_device_data({'a/b': 1, 'c': {'d': (2, 3)}})",
            wire.SetDeviceData(
                device_id="d1", time=T0 + 1000, data=[Write("a/b", 1), Write("c", {"d": [2, 3]})]
            ),
        ),
        (
            "context.set_device_data([{'path': 'a', 'op': 'delete'}], 'd2', datetime(2024, 1, 1, tzinfo=UTC),"
            " True)",
            wire.SetDeviceData(
                device_id="d2", time=1_704_067_200_000, data=[Write("a", None, "delete")], route=True
            ),
        ),
        (
            "context.set_device_data({'keyValue': {'a': 1}}, time=5)",
            wire.SetDeviceData(device_id="d1", time=5, data=[Write("a", 1)]),
        ),
        (
            "context.set_device_data({'values': [{'path': 'a', 'value': 1}]})",
            wire.SetDeviceData(device_id="d1", time=T0 + 1000, data=[Write("a", 1)]),
        ),
        (
            "context.set_timer('t', delay=timedelta(seconds=90), params={'n': 1})",
            wire.SetTimer(id="t", timer={"type": "once", "delay": 90_000}, params={"n": 1}, device_id="d1"),
        ),
        (
            "context.set_timer('t', when=datetime(2024, 1, 1, tzinfo=UTC), entry='walk')",
            wire.SetTimer(
                id="t", timer={"type": "once", "when": 1_704_067_200_000}, entry="walk", device_id="d1"
            ),
        ),
        (
            "context.set_timer('t', timer={'type': 'scheduled', 'cron': '0 9 * * *',"
            " 'timezone': 'Europe/Oslo'})",
            wire.SetTimer(
                id="t",
                timer={"type": "scheduled", "cron": "0 9 * * *", "timezone": "Europe/Oslo"},
                device_id="d1",
            ),
        ),
        (
            "context.set_timer('t', delay=0, action={'type': 'queryUrl', 'url': 'https://x'})",
            wire.SetTimer(
                id="t",
                timer={"type": "once", "delay": 0},
                action={"type": "queryUrl", "url": "https://x"},
                device_id="d1",
            ),
        ),
        ("context.cancel_timer('t')", wire.CancelTimer(id="t")),
        ("context.cancel_timer(type('Own', (str,), {})('t'))", wire.CancelTimer(id="t")),
        (
            "context.set_device_data({'a': 1}, type('Own', (str,), {})('d2'))",
            wire.SetDeviceData(device_id="d2", time=T0 + 1000, data=[Write("a", 1)]),
        ),
        (
            "context.send_message({'valve': ('open',)}, ttl=timedelta(minutes=5), key='valve')",
            wire.SendMessage(device_id="d1", message={"valve": ["open"]}, ttl=300_000, key="valve"),
        ),
        ("context.send_message(None, 'd2')", wire.SendMessage(device_id="d2", message=None)),
        (
            "context.publish('my-topic', {'a': (1,)}, options={'x': 1})",
            wire.Publish(topic="my-topic", message={"a": [1]}, options={"x": 1}),
        ),
    ],
)
def test_effects_are_recorded_as_they_travel(tmp_path: Path, line: str, expected: wire.Effect) -> None:
    assert effects(tmp_path, line) == [expected]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("context.send_sms('hot')", "goes to nobody"),
        ("context.send_sms(to='+4712345678')", "has no text"),
        ("context.send_sms({'text': 'x'}, to='+4712345678')", "no field 'text'"),
        ("context.send_sms('hot', to=[5])", "a list of strings"),
        ("context.send_sms(5, to='x')", "of type int"),
        ("context.send_email('Hot', text='x')", "goes to nobody"),
        ("context.send_email('Hot', 'a@b.c')", "has no text"),
        ("context.send_email(to='a@b.c', text='x')", "has no subject"),
        ("context.send_email('Hot', 'a@b.c', text='x', blind_to='a@b.c')", "leave out to"),
        ("context.send_email('Hot', 'a@b.c', text='x', context={'a': object()})", "of type object"),
        ("context.set_device_data({})", "no values"),
        ("context.set_device_data(5)", "of type int"),
        ("context.set_device_data({'a b': 1})", "'a b'"),
        ("context.set_device_data({'a': datetime.now()})", "isoformat"),
        ("context.set_device_data([{'path': 'a'}])", "has no value"),
        ("context.set_device_data([{'path': 'a', 'value': 1, 'op': 'add'}])", "op 'add'"),
        ("context.set_device_data({'a': 1}, time='now')", "give a datetime"),
        ("context.set_device_data({'a': 1}, time=datetime(2024, 1, 1))", "no time zone"),
        ("context.set_device_data({'a': 1}, device_id=5)", "device_id"),
        ("context.send_message(object())", "of type object"),
        ("context.send_message('x' * 100_000)", "has 100002 bytes: at most 100000"),
        ("context.send_message(1, ttl=999)", "a second at least"),
        ("context.send_message(1, ttl=timedelta(days=29))", "28 days at most"),
        ("context.send_message(1, ttl='1h')", "ttl is '1h'"),
        ("context.send_message(1, key='')", "key"),
        ("context.send_message(1, key='k' * 101)", "1 to 100 characters"),
        ("context.send_message(1, device_id=5)", "device_id"),
        ("context.set_timer('t')", "one of delay, when and timer"),
        ("context.set_timer('t', delay=1, when=1)", "one of delay, when and timer"),
        ("context.set_timer('t', delay=-1)", "delay is -1"),
        ("context.set_timer('t', timer={'type': 'daily'})", "no type of once"),
        ("context.set_timer('t', timer={'type': 'once'})", "has delay or when"),
        ("context.set_timer('t', delay=1, action={'type': 'x'})", "publishTopic"),
        ("context.set_timer('t', delay=1, entry='no name')", "no name of a function"),
        ("context.set_timer('', delay=1)", "the timer's id"),
        ("context.cancel_timer('x' * 300)", "300 characters"),
        ("context.publish('no topic', {})", "no name of a topic"),
        ("context.publish('topic', [1])", "of type list"),
    ],
)
def test_what_cannot_be_carried_out_fails_where_it_is_asked_for(tmp_path: Path, line: str, says: str) -> None:
    (outcome,) = run(tmp_path, f"from datetime import *\ndef run(message, context):\n    {line}")
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.type) == ("effects", "InvalidEffect")
    assert says in outcome.failure.message
    assert f"line 3, in run\n    {line}" in outcome.failure.traceback


def test_text_that_is_no_unicode_fails_the_event(tmp_path: Path) -> None:
    (outcome,) = run(
        tmp_path, "def run(message, context):\n    context.send_sms('\\ud800', to='+4712345678')"
    )
    assert outcome.failure is not None
    assert outcome.failure.kind == "effects"
    assert "lone surrogate" in outcome.failure.message


def test_a_refused_effect_may_be_caught_and_leaves_nothing(tmp_path: Path) -> None:
    line = "\n    ".join(["try: context.send_sms('x')", "except ValueError: context.cancel_timer('t')"])
    assert effects(tmp_path, line) == [wire.CancelTimer(id="t")]


def test_times_and_ids_are_those_of_the_event(tmp_path: Path) -> None:
    main = """
        def run(message, context):
            context.log(context.now.isoformat(), context.time.isoformat())
            context.log(context.script_id, context.project_id, context.version, context.entry,
                        context.device_id)
            context.log(context.params, context.parameters is context.params)
    """
    (outcome,) = run(tmp_path, main, event(1, params={"a": 1}))
    now = datetime.fromtimestamp((T0 + 1000) / 1000, UTC)
    assert [line.text for line in outcome.logs] == [
        f"{now.replace(microsecond=5000).isoformat()} {now.isoformat()}",
        "script1 p1 3 run d1",
        "{'a': 1} True",
    ]


def test_random_numbers_follow_from_the_event(tmp_path: Path) -> None:
    main = """
        def run(message, context):
            context.log(context.random.random(), context.random.randint(1, 1000))
    """
    script = code(tmp_path, main)
    first, second, other = (Runner(script).run(call(event(number))).outcomes[0].logs for number in (1, 1, 2))
    assert first == second
    assert first != other


def test_nothing_that_a_script_changes_is_seen_by_the_next_event(tmp_path: Path) -> None:
    main = f"""
        from fulcrum.script import needs
        {EVERYTHING.strip()}
        def run(message, context):
            found = [message, context.params, context.device_data, context.cache, context.script_cache,
                     context.device, context.system, context.blueprint, context.project]
            context.log(found)
            for each in found:
                for value in list(each.values()):
                    if isinstance(value, (dict, list)):
                        value.clear()
                each.clear()
                each["x"] = 1
            context.log(context.device_data, context.cache)
    """
    more: dict[str, Any] = {"params": {"p": {"q": 1}}, "data": {"a/b": 1, "c": [1, 2]}}
    shared: dict[str, Any] = {
        "systems": {"s1": {"id": "s1", "tags": ["a"]}},
        "blueprints": {"b1": {"id": "b1", "tags": ["b"]}},
        "project": {"id": "p1", "tags": ["c"]},
        "caches": {"d1": {"n": {"m": 1}}},
        "script_cache": {"k": [1]},
    }
    events = [event(1, **more), event(1, **more), event(1, **more)]
    first, second, third = run(tmp_path, main, *events, **shared)
    assert second.logs == third.logs
    assert first.logs[1] == second.logs[1] == wire.LogLine(text="{'x': 1} {'x': 1}")
    assert "{'a': {'b': 1}, 'c': [1, 2]}" in second.logs[0].text
    assert "{'n': {'m': 1}}, {'k': [1]}" in second.logs[0].text
    assert events[0] == event(1, **more)


def test_caches_are_carried_by_device_and_by_script(tmp_path: Path) -> None:
    main = """
        from fulcrum.script import needs
        @needs("cache", "scriptCache")
        def run(message, context):
            kept = {"seen": [*context.cache.get("seen", []), message["id"]]}
            context.set_cache(kept)
            kept["seen"].append("changed afterwards")
            context.cache["seen"].append("changed too")
            context.set_script_cache({"n": context.script_cache.get("n", 0) + 1})
            context.set_script_cache({"n": context.script_cache["n"] + 10})
    """
    devices = {name: wire.Device(device={"id": name}) for name in ("d1", "d2")}
    outcomes = run(
        tmp_path,
        main,
        event(1),
        event(2, device="d2"),
        event(3),
        devices=devices,
        caches={"d2": {"seen": ["e0"]}},
    )
    assert [each.cache for each in outcomes] == [
        wire.Cache(value={"seen": ["e1"]}),
        wire.Cache(value={"seen": ["e0", "e2"]}),
        wire.Cache(value={"seen": ["e1", "e3"]}),
    ]
    numbers = [each.script_cache.value["n"] for each in outcomes if each.script_cache]
    assert numbers == [11, 22, 33]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("context.set_cache({'a': 'x' * 100_001})", "at most 100000"),
        ("context.set_script_cache('x' * 400_001)", "at most 400000"),
        ("context.set_cache({'a': {1}})", "the cache['a'] is of type set"),
        ("context.set_cache(float('inf'))", "the cache is inf"),
        ("context.set_cache('\\ud800')", "surrogate"),
    ],
)
def test_a_cache_has_its_limits(tmp_path: Path, line: str, says: str) -> None:
    needs = "from fulcrum.script import needs\n@needs('cache', 'scriptCache')"
    main = f"{needs}\ndef run(message, context):\n    {line}"
    (outcome,) = run(tmp_path, main)
    assert outcome.failure is not None
    assert says in outcome.failure.message
    assert outcome.cache is None


def test_an_event_of_no_device_has_no_cache_and_says_so(tmp_path: Path) -> None:
    main = "def run(message, context):\n    context.set_device_data({'a': 1})"
    (outcome,) = run(tmp_path, main, event(1, device=None))
    assert outcome.failure is not None
    assert "concerns no device" in outcome.failure.message


def test_a_context_that_is_kept_for_later_is_of_no_use(tmp_path: Path) -> None:
    main = """
        kept = []
        def run(message, context):
            kept.append(context)
            kept[0].cancel_timer("t")
    """
    first, second = run(tmp_path, main, event(1), event(2))
    assert first.effects == [wire.CancelTimer(id="t")]
    assert second.failure is not None
    assert "event is over" in second.failure.message
