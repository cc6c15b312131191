"""A host and the process that it has a customer's code run in: starting, answering, being told of the end."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fulcrum.script import process, wire
from fulcrum.script.host import Host, Unavailable
from fulcrum.script.limits import Limits
from fulcrum.script.loading import load
from fulcrum.script.running import Runner
from tests.unit.script.support import call, event, written

Start = Callable[..., Host]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts hosts with scripts, and ends them."""
    hosts = []

    def _start(main: str, limits: Limits | None = None, **others: str) -> Host:
        host = Host(written(tmp_path, main, **others), limits or Limits(seconds_per_event=1.0), version=4)
        hosts.append(host)
        host.start()
        return host

    yield _start
    for host in hosts:
        host.close()


def test_description_says_what_there_is_and_how_it_is_isolated(start: Start) -> None:
    main = """
        from fulcrum.script import needs
        from other import limit
        @needs("cache", params=["limit"])
        def run(message, context): pass
        async def walk(message, context): pass
        def _not(message, context): pass
    """
    found = start(main, other="limit = 5").describe().result()
    assert found.script_version == 4
    assert found.entries == [
        wire.Entry(name="run", needs={"cache": True, "params": ["limit"]}),
        wire.Entry(name="walk"),
    ]
    names = {"limits", "ends-with-host", "no-new-privileges", "no-capabilities", "landlock", "seccomp"}
    assert {*found.isolation, *(line.partition(":")[0] for line in found.missing)} >= names


def test_answer_is_what_a_runner_in_this_process_gives(start: Start, tmp_path: Path) -> None:
    main = """
        import asyncio
        from fulcrum.script import needs
        @needs("cache", "scriptCache", "deviceData", "device", "project", params=["limit"])
        async def run(message, context):
            await asyncio.sleep(0)
            context.set_cache([*(context.cache or []), context.random.random()])
            context.set_script_cache(context.now.isoformat())
            context.log(context.device_data, context.script_cache, context.device, context.version)
            if message["id"] == "e2":
                raise ValueError(context.project["name"])
            context.set_timer("t", delay=5)
            return {**message, "data": {"a/b": message["time"]}} if message["id"] == "e3" else None
    """
    events = [event(number, data={"a": number}, params={"limit": 1}) for number in range(1, 6)]
    asked = call(*events, project={"name": "Mill"}, caches={"d1": [1]})
    answer = start(main).run(asked)
    runner = Runner(load(written(tmp_path, main), 4))
    expected = runner.run(asked)
    runner.close()

    def timeless(found: wire.Answer) -> list[tuple[object, ...]]:
        return [
            (
                each.key,
                each.status,
                each.result,
                each.effects,
                each.cache,
                each.script_cache,
                each.logs,
                each.failure,
            )
            for each in found.outcomes
        ]

    assert timeless(answer) == timeless(expected)
    assert [each.status for each in answer.outcomes] == ["done", "failed", "done", "done", "done"]


@pytest.mark.parametrize(
    ("main", "says"),
    [
        ("def run(message, context):\n    return (", "main.py:2: '(' was never closed"),
        ("import nothing_like_it\ndef run(message, context): pass", "main.py:1: there is no module"),
        ("x = 1 / 0", "main.py:1: ZeroDivisionError"),
        ("def walk(): pass", "has no entry point"),
        ("import sys\nsys.exit(2)", "main.py:2: the file ends the process"),
        ("import os\nos._exit(2)", "loading the code: the script ended its process, with status 2"),
        ("raise KeyboardInterrupt", "interrupts itself"),
        ("import os\nos.kill(os.getpid(), 9)", "SIGKILL"),
        ("x = bytearray(4 << 30)", "main.py:1: MemoryError"),
        ("open('/etc/passwd')", "main.py:1: PermissionError"),
        ("import shared.config\ndef run(message, context): pass", "main.py:1: there is no module 'shared'"),
    ],
)
def test_code_that_cannot_be_loaded_fails_the_start(start: Start, main: str, says: str) -> None:
    with pytest.raises(process.Broken) as caught:
        start(main)
    assert says in str(caught.value)
    assert caught.value.failure.kind == "load"


def test_code_that_loads_for_ever_fails_the_start(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LOAD_SECONDS", 1.0)
    with pytest.raises(process.Broken, match="took longer than 1 s"):
        start("while True: pass")


def test_time_of_a_call_is_bounded_and_the_rest_can_be_called_for(start: Start) -> None:
    main = """
        import time
        from fulcrum.script import needs
        @needs("cache")
        def run(message, context):
            context.set_cache((context.cache or 0) + 1)
            time.sleep(0.2)
    """
    limits = Limits(seconds_per_event=1.0, seconds_per_call=0.5)
    host = start(main, limits)
    events = [event(number) for number in range(1, 9)]
    done: list[wire.Outcome] = []
    calls = 0
    while len(done) < len(events):
        caches = {"d1": done[-1].cache.value} if done and done[-1].cache else {}
        answer = host.run(call(*events[len(done) :], caches=caches))
        assert answer.outcomes
        done.extend(answer.outcomes)
        calls += 1
    assert calls > 1
    assert [each.key for each in done] == [each.key for each in events]
    assert done[-1].cache == wire.Cache(value=8)


def test_a_timeout_shows_where_the_script_was(start: Start) -> None:
    main = """
        import time
        def run(message, context):
            context.log("waits")
            wait()
        def wait():
            while True:
                time.sleep(0.01)
    """
    (outcome,) = start(main, Limits(seconds_per_event=0.3)).run(call(event(1))).outcomes
    assert outcome.failure is not None
    assert outcome.failure.kind == "timeout"
    assert 'File "main.py", line 8, in wait' in outcome.failure.traceback
    assert outcome.logs == [wire.LogLine(text="waits")]
    assert outcome.wall_us > 0


def test_what_an_event_blamed_for_another_would_be_runs_again(start: Start) -> None:
    """A thread of the first event ends the process while the second one runs, which is not to blame."""
    main = """
        import os, threading, time
        def end():
            time.sleep(0.2)
            os._exit(9)
        def run(message, context):
            if message["id"] == "e1":
                threading.Thread(target=end).start()
            else:
                time.sleep(0.4)
    """
    answer = start(main).run(call(event(1), event(2), event(3)))
    assert [each.status for each in answer.outcomes] == ["done", "done", "done"]


def test_who_suffers_by_what_others_left_behind_is_not_to_blame(start: Start) -> None:
    """Memory and files that earlier events left in the process: the one that meets the limit runs again."""
    main = """
        import time
        kept = []
        def run(message, context):
            if message["id"] == "e5":
                for number in range(12):
                    with open(f"file{number}", "wb") as file:
                        file.write(bytes(6 << 20))
                context.log("wrote")
            elif message["id"] == "e6":
                time.sleep(0.6)
            else:
                kept.append(bytearray(20 << 20))
    """
    limits = Limits(seconds_per_event=2.0, memory_mb=64)
    answer = start(main, limits).run(call(*[event(number) for number in range(1, 8)]))
    assert [(each.status, each.failure) for each in answer.outcomes] == [("done", None)] * 7


def test_many_culprits_in_a_batch_each_fail_alone(start: Start) -> None:
    main = """
        import os
        def run(message, context):
            if message["time"] % 3000 == 0:
                os._exit(1)
    """
    events = [event(number) for number in range(12)]
    outcomes = start(main).run(call(*events)).outcomes
    expected = ["failed" if each.message["time"] % 3000 == 0 else "done" for each in events]
    assert [each.status for each in outcomes] == expected
    assert expected.count("failed") == 4


def test_a_process_that_was_killed_while_idle_is_replaced(start: Start) -> None:
    host = start("def run(message, context): return False")
    assert host._process is not None
    first = host._process._process.pid
    os.kill(first, signal.SIGKILL)
    time.sleep(0.1)
    (outcome,) = host.run(call(event(1))).outcomes
    assert outcome.result is False
    assert host._process is not None
    assert host._process._process.pid != first


def test_code_that_cannot_be_loaded_again_makes_the_call_come_again(start: Start, tmp_path: Path) -> None:
    host = start("import os\ndef run(message, context): os._exit(1)")
    (main,) = tmp_path.glob("script*/main.py")
    main.write_text("raise ValueError")
    (outcome,) = host.run(call(event(1))).outcomes
    assert outcome.status == "failed"
    with pytest.raises(Unavailable, match="could be loaded before"):
        host.run(call(event(1)))


def test_a_process_that_was_kept_ready_for_long_is_used(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOAD_SECONDS", 2.0)
    host = start("import os\ndef run(message, context):\n    if context.params: os._exit(1)")
    batch = call(event(1), event(2, params={"exit": True}), event(3))
    assert [outcome.status for outcome in host.run(batch).outcomes] == ["done", "failed", "done"]
    # Loading it was to take no longer, and it is only asked now.
    time.sleep(2.1)
    assert [outcome.status for outcome in host.run(batch).outcomes] == ["done", "failed", "done"]


def test_a_loop_that_an_event_left_behind_is_not_the_next_ones_fault(start: Start) -> None:
    main = """
        import gc, signal
        class Left:
            def __del__(self):
                signal.signal(signal.SIGALRM, signal.SIG_IGN)
                while True:
                    pass
        def run(message, context):
            if context.params:
                left = Left()
                left.itself = left
            else:
                gc.collect()
    """
    host = start(main)
    answer = host.run(call(event(1), event(2, params={"leave": True}), event(3), event(4)))
    assert [outcome.status for outcome in answer.outcomes] == ["done"] * 4


def test_what_many_events_write_together_is_limited(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    main = """
        import time
        def run(message, context):
            with open(message["id"], "wb") as file:
                file.write(b"x" * 10_000_000)
            time.sleep(0.1)
            context.log(sum(1 for _ in __import__("os").scandir()))
    """
    answer = start(main).run(call(*[event(number) for number in range(20)]))
    assert [outcome.status for outcome in answer.outcomes] == ["done"] * 20
    # Each process has a folder of its own, and none was ever much over 64 MB.
    assert max(int(outcome.logs[0].text) for outcome in answer.outcomes) < 12


def test_a_process_that_used_its_time_is_replaced_and_nobody_blamed(start: Start) -> None:
    main = """
        import os, resource
        def run(message, context):
            context.log(os.getpid(), *resource.getrlimit(resource.RLIMIT_CPU))
            if context.params and os.listdir():
                os.remove("first")
                resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
                while True:
                    pass
            if message["id"] == "e1":
                open("first", "w").close()
    """
    host = start(main, Limits(seconds_per_event=4.0))
    answer = host.run(call(event(1), event(2, params={"work": True}), event(3)))
    assert [outcome.status for outcome in answer.outcomes] == ["done"] * 3
    used, other, same = (outcome.logs[0].text.split() for outcome in answer.outcomes)
    assert used[1:] == ["600", "600"]
    assert used[0] != other[0] == same[0]


def test_unknown_entry_point_fails_its_events(start: Start) -> None:
    answer = start("def run(message, context): pass").run(call(event(1), entry="walk"))
    assert answer.outcomes[0].failure is not None
    assert answer.outcomes[0].failure.kind == "load"


def test_nothing_is_left_when_a_host_is_closed(tmp_path: Path) -> None:
    host = Host(written(tmp_path, "def run(message, context): open('x', 'w').write('x')"))
    host.start()
    assert host._process is not None
    process_, temporary = host._process._process, host._process._temporary
    host.run(call(event(1)))
    assert (temporary / "x").is_file()
    host.close()
    assert process_.poll() is not None
    assert not temporary.exists()
