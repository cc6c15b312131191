"""What becomes of an event, whatever the script does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fulcrum.script import wire
from fulcrum.script.running import Runner
from tests.unit.script.support import call, code, event, run


@pytest.mark.parametrize(
    ("returned", "result"),
    [
        ("None", None),
        ("False", False),
        ("{'data': []}", {"data": []}),
        ("{'data': {'a/b': 1}}", {"data": [{"path": "a/b", "value": 1}]}),
        ("{'data': {'path': 'a', 'op': 'delete'}}", {"data": [{"path": "a", "value": None, "op": "delete"}]}),
        ("{'x': (1, 2)}", {"x": [1, 2]}),
    ],
)
def test_result_is_carried(tmp_path: Path, returned: str, result: object) -> None:
    (outcome,) = run(tmp_path, f"def run(message, context):\n    return {returned}")
    assert (outcome.status, outcome.result) == ("done", result)


@pytest.mark.parametrize(
    ("returned", "kind", "says"),
    [
        ("True", "result", "run returned True (bool)"),
        ("5", "result", "5 (int)"),
        ("'text'", "result", "of type str"),
        ("[message]", "result", "of type list"),
        ("{'a': {1}}", "result", "the result['a'] is of type set"),
        ("{'a': [float('nan')]}", "result", "the result['a'][0] is nan"),
        ("{1: 2}", "result", "has the key 1"),
        ("{'data': 5}", "result", "the result's data"),
        ("{'time': 10**30}", "result", "the result's time"),
        ("{'historical': 'yes'}", "result", "the result's historical"),
        ("{'event': {'type': 'alarm'}}", "result", "the result's event"),
        ("{'event': ['alarm']}", "result", "the result's event"),
        ("{'data': {'a b': 1}}", "result", "'a b'"),
        ("{'time': 'now'}", "result", "epoch milliseconds"),
        ("{'a': '\\ud800'}", "result", "surrogate"),
        ("{'a': 'x' * 300_000}", "output", "at most 256000"),
    ],
)
def test_wrong_result_fails_the_event(tmp_path: Path, returned: str, kind: str, says: str) -> None:
    (outcome,) = run(tmp_path, f"def run(message, context):\n    return {returned}")
    assert outcome.status == "failed"
    assert outcome.failure is not None
    assert outcome.failure.kind == kind
    assert says in outcome.failure.message


def test_values_are_given_in_the_form_in_which_the_history_has_them(tmp_path: Path) -> None:
    """Or a replay would find other texts: a device sends 84.0, and objects in an order of its own."""
    main = """
    from fulcrum.script import needs

    @needs("cache")
    def run(message, context):
        context.log(message["data"], message.get("event"), context.params, context.cache)
    """
    texts = []
    for data, records, given in (
        ({"a": 84.0, "b": {"z": 1.0, "a": [2.0, 0.5]}, "c": -0.0}, [{"data": {"z": 3.0, "a": 1e300}}], 5.0),
        ({"a": 84, "b": {"a": [2, 0.5], "z": 1}, "c": 0}, [{"data": {"a": 1e300, "z": 3}}], 5),
    ):
        one = event(data=data, params={"limit": given}, message={"event": records})
        (outcome,) = run(tmp_path, main, one, caches={"d1": {"n": given}})
        assert outcome.status == "done", outcome
        texts.append([line.text for line in outcome.logs])
    assert texts[0] == texts[1]
    assert "84}" in texts[0][0]


def test_exception_fails_its_event_alone_and_shows_the_scripts_frames(tmp_path: Path) -> None:
    main = """
        import json
        from inner import check
        def run(message, context):
            context.log("sees", message["id"])
            context.set_device_data({"a": 1})
            check(message)
    """
    inner = """
        import json
        def check(message):
            if message["id"] == "e2":
                json.loads("{")
    """
    runner = Runner(code(tmp_path, main, inner=inner))
    answer = runner.run(call(event(1), event(2), event(3)))
    assert [outcome.status for outcome in answer.outcomes] == ["done", "failed", "done"]
    assert [outcome.key for outcome in answer.outcomes] == ["key1", "key2", "key3"]
    assert answer.script_version == 3
    bad = answer.outcomes[1]
    assert bad.effects == []
    assert bad.logs == [wire.LogLine(text="sees e2")]
    assert bad.failure is not None
    assert (bad.failure.kind, bad.failure.type) == ("exception", "JSONDecodeError")
    assert 'File "main.py", line 7, in run' in bad.failure.traceback
    assert 'File "inner.py", line 5, in check\n    json.loads("{")' in bad.failure.traceback
    assert "decoder.py" not in bad.failure.traceback
    assert str(tmp_path) not in bad.failure.traceback


@pytest.mark.parametrize(
    ("does", "kind", "type_"),
    [
        ("raise SystemExit(3)", "exit", "SystemExit"),
        ("raise MemoryError", "memory", "MemoryError"),
        ("raise BaseException('x')", "exception", "BaseException"),
        ("return run(message, context)", "exception", "RecursionError"),
        ("raise GeneratorExit", "exception", "GeneratorExit"),
        ("context.send_sms('x')", "effects", "InvalidEffect"),
        ("[context.cancel_timer('x') for _ in range(101)]", "effects", "InvalidEffect"),
    ],
)
def test_kinds_of_failure(tmp_path: Path, does: str, kind: str, type_: str) -> None:
    (outcome,) = run(tmp_path, f"def run(message, context):\n    {does}")
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.type) == (kind, type_)


def test_too_many_effects_fail_even_where_the_error_is_caught(tmp_path: Path) -> None:
    main = """
        def run(message, context):
            for number in range(200):
                try:
                    context.cancel_timer(str(number))
                except Exception:
                    pass
    """
    (outcome,) = run(tmp_path, main)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.effects) == ("effects", [])


def test_too_much_in_all_fails(tmp_path: Path) -> None:
    main = """
        def run(message, context):
            for number in range(10):
                context.publish("mine", {"text": "x" * 100_000})
    """
    (outcome,) = run(tmp_path, main)
    assert outcome.failure is not None
    assert outcome.failure.kind == "output"


def test_keyboard_interrupt_is_the_persons_own(tmp_path: Path) -> None:
    script = code(tmp_path, "def run(message, context):\n    raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        Runner(script).run(call(event()))
    (outcome,) = Runner(script, interruptible=False).run(call(event())).outcomes
    assert outcome.status == "failed"


def test_unknown_entry_point_says_which_there_are(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, "def run(message, context): pass", entry="walk")
    assert outcome.failure is not None
    assert outcome.failure.kind == "load"
    assert "'walk': it has run" in outcome.failure.message


def test_async_entry_points_share_one_loop_and_leave_nothing_behind(tmp_path: Path) -> None:
    main = """
        import asyncio
        loops = set()
        async def wait(context):
            await asyncio.sleep(3600)
        async def run(message, context):
            task = asyncio.create_task(wait(context))
            await asyncio.sleep(0)
            loops.add(id(asyncio.get_running_loop()))
            context.log(len(loops), len(asyncio.all_tasks()))
            return False
    """
    outcomes = run(tmp_path, main, event(1), event(2))
    assert [outcome.result for outcome in outcomes] == [False, False]
    assert [outcome.logs[0].text for outcome in outcomes] == ["1 2", "1 2"]


async def test_async_entry_point_runs_where_a_loop_runs_already(tmp_path: Path) -> None:
    main = """
        import asyncio
        async def run(message, context):
            await asyncio.sleep(0)
            return {"data": {"a": 1}}
    """
    (outcome,) = run(tmp_path, main)
    assert outcome.result == {"data": [{"path": "a", "value": 1}]}


def test_what_is_printed_is_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = """
        import sys
        def run(message, context):
            print("one", 1)
            print("two\\nthree", end="")
            print("bad", file=sys.stderr)
            context.error("worse", {"a": 1})
    """
    (outcome,) = run(tmp_path, main)
    assert [(line.level, line.text) for line in outcome.logs] == [
        ("info", "one 1"),
        ("info", "two"),
        ("error", "bad"),
        ("error", "worse {'a': 1}"),
        ("info", "three"),
    ]
    sys.stdout.write("mine again")
    assert capsys.readouterr().out == "mine again"


@pytest.mark.parametrize(
    "does",
    [
        "context.log('x' * 10_000_000)",
        "print('y' * 10_000_000)",
        "[print(n) for n in range(100_000)]",
        "[print('z', end='') for n in range(40_000)]",
    ],
)
def test_log_is_cut_and_says_so(tmp_path: Path, does: str) -> None:
    first, second = run(tmp_path, f"def run(message, context):\n    {does}", event(1), event(2))
    for outcome in (first, second):
        assert outcome.status == "done"
        assert len(outcome.logs) <= wire.MAX_LOG_LINES + 1
        assert sum(len(line.text) for line in outcome.logs) <= wire.MAX_LOG_BYTES + 200
        assert outcome.logs[-1].text.startswith("(log cut")


def test_run_times_are_told(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, "def run(message, context):\n    sum(range(200_000))")
    assert outcome.cpu_us > 0
    assert outcome.wall_us > 0
