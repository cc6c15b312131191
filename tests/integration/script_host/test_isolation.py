"""What a script can do wrong: what comes of the event, of the rest of its batch, and of other scripts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fulcrum.script import landlock, seccomp, wire
from fulcrum.script.host import Host
from fulcrum.script.limits import Limits
from tests.integration.script_host.misdeeds import SCRIPT
from tests.unit.script.support import call, event, written

LIMITS = Limits(seconds_per_event=3.0, memory_mb=32)
SECRET = "only-the-host-knows"

# misdeed: (the kind of its failure, what its failure's type or message says)
ALWAYS = {
    "crash": ("exit", "SIGSEGV"),
    "loop": ("timeout", "longer than"),
    "stubborn_loop": ("timeout", "did not end by itself"),
    "exit_at_once": ("exit", "ended its process, with status 0"),
    "exit": ("exit", "SystemExit"),
    "base_exception": ("exception", "BaseException"),
    "at_once_4_gb": ("memory", "MemoryError"),
    "bit_by_bit_4_gb": ("memory", "MemoryError"),
    "small_objects_4_gb": ("memory", "MemoryError"),
    "recursion": ("exception", "RecursionError"),
    "deepest_recursion": ("exit", "SIGSEGV"),
    "write_100_mb_to_the_descriptors": ("exception", "OSError"),
    "fill_the_folder": ("output", "wrote more than 64 MB"),
    "nest_folders": ("output", "wrote more than 64 MB"),
    "many_threads": ("memory", "more than 200 threads"),
    "kill_itself": ("exit", "SIGKILL"),
    "close_everything": ("exit", ""),
    "garble": ("output", "no outcome"),
    "announce_much": ("output", "no outcome"),
    "forge": ("output", "no outcome of this event"),
    "forge_result": ("output", "no outcome of this event"),
    "forge_path": ("output", "no outcome of this event"),
    "forge_time": ("output", "no outcome of this event"),
    "wrong_type": ("result", "5 (int)"),
    "no_json": ("result", "of type object"),
    "much_output": ("output", "at most"),
    "kept_thread_ends_the_process": ("exit", "status 4"),
    "meddle": ("exit", ""),
    "meddle_with_clocks": ("exit", ""),
    "handlers": ("exit", "status 5"),
}
BY_LANDLOCK = (
    "read_etc",
    "read_hosts_environment",
    "read_hosts_memory",
    "list_the_platform",
    "write_beside_its_code",
    "write_outside",
)
BY_SECCOMP = (
    "fork",
    "start_a_program",
    "kill_its_host",
    "kill_everybody",
    "starve_its_host",
    "change_its_code",
    "send_to_a_path",
    "change_times_outside",
    "have_others_wait",
    "be_told_of_files",
    "watch_files",
    "take_semaphores_away",
    "flush_all_disks",
    "connect",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("scripts"), SCRIPT)


@pytest.fixture(scope="module")
def host(folder: Path) -> Iterator[Host]:
    os.environ["FULCRUM_TEST_SECRET"] = SECRET
    made = Host(folder, LIMITS, version=7)
    made.start()
    yield made
    made.close()
    del os.environ["FULCRUM_TEST_SECRET"]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Another script, in a process of its own."""
    main = "import os\ndef run(message, context):\n    context.log(os.getpid())\n    return False"
    made = Host(written(tmp_path_factory.mktemp("others"), main), LIMITS)
    made.start()
    yield made
    made.close()


def batch(misdeed: str, **more: object) -> wire.Call:
    """A good event, the bad one, and two good ones; data of each is written whatever the script says."""
    return call(
        event(1, data={"a": 1}, follows="input"),
        event(2, data={"a": 2}, follows="input", params={"misdeed": misdeed, **more}),
        event(3, data={"a": 3}, follows="input"),
        event(4, data={"b": 4}, follows="input"),
        caches={"d1": {"seen": ["e0"]}},
        script_cache={"all": 10},
    )


def expect_only_the_second_failed(answer: wire.Answer) -> wire.Failure:
    """The rest of the batch is as if the bad event had not been, but for its data; returns its failure."""
    assert answer.script_version == 7
    assert [outcome.key for outcome in answer.outcomes] == ["key1", "key2", "key3", "key4"]
    first, bad, third, fourth = answer.outcomes
    assert [each.status for each in answer.outcomes] == ["done", "failed", "done", "done"]
    assert first.logs == [wire.LogLine(text="before {}")]
    assert third.logs[0].text in ("before {'a': 2, 'count': 1}", "before {'count': 1, 'a': 2}")
    assert [each.cache for each in (first, third, fourth)] == [
        wire.Cache(value={"seen": ["e0", "e1"]}),
        wire.Cache(value={"seen": ["e0", "e1", "e3"]}),
        wire.Cache(value={"seen": ["e0", "e1", "e3", "e4"]}),
    ]
    assert [each.script_cache for each in (first, third, fourth)] == [
        wire.Cache(value={"all": number}) for number in (11, 12, 13)
    ]
    counts = [effect.data[0].value for effect in fourth.effects if isinstance(effect, wire.SetDeviceData)]
    assert counts == [3]
    assert (bad.effects, bad.cache, bad.script_cache, bad.result) == ([], None, None, None)
    assert bad.failure is not None
    return bad.failure


def expect_others_unharmed(host: Host, other: Host, process_before: list[str]) -> None:
    """The same script goes on, and another one has not even had to start again."""
    (again,) = host.run(call(event(9))).outcomes
    assert again.status == "done"
    assert process_of(other) == process_before


def process_of(other: Host) -> list[str]:
    (outcome,) = other.run(call(event(1))).outcomes
    return [line.text for line in outcome.logs]


@pytest.mark.parametrize("misdeed", ALWAYS)
def test_a_misdeed_concerns_its_event_alone(misdeed: str, host: Host, other: Host) -> None:
    before = process_of(other)
    failure = expect_only_the_second_failed(host.run(batch(misdeed)))
    kind, says = ALWAYS[misdeed]
    assert "fulcrum/script" not in failure.traceback
    assert failure.kind == kind, failure
    assert says in f"{failure.type} {failure.message}"
    expect_others_unharmed(host, other, before)


@pytest.mark.parametrize("misdeed", BY_LANDLOCK)
def test_files_outside_are_out_of_reach(misdeed: str, host: Host, other: Host, folder: Path) -> None:
    if not landlock.version():
        pytest.skip("this kernel has no Landlock: files are guarded by their modes alone")
    before = process_of(other)
    failure = expect_only_the_second_failed(host.run(batch(misdeed)))
    assert (failure.kind, failure.type) == ("exception", "PermissionError")
    assert f", in {misdeed}" in failure.traceback
    assert not Path("/tmp/fulcrum-script-was-here").exists()
    assert [path.name for path in folder.iterdir()] == ["main.py"]
    expect_others_unharmed(host, other, before)


@pytest.mark.parametrize("misdeed", BY_SECCOMP)
def test_system_calls_that_reach_others_are_refused(misdeed: str, host: Host, other: Host) -> None:
    if seccomp.problem():
        pytest.skip(seccomp.problem())
    before = process_of(other)
    failure = expect_only_the_second_failed(host.run(batch(misdeed)))
    assert (failure.kind, failure.type) == ("exception", "PermissionError")
    assert f", in {misdeed}" in failure.traceback
    expect_others_unharmed(host, other, before)


def test_printing_100_mb_costs_nothing_but_its_end(host: Host) -> None:
    answer = host.run(batch("print_100_mb"))
    assert [outcome.status for outcome in answer.outcomes] == ["done"] * 4
    assert answer.outcomes[1].logs[-1].text.startswith("(log cut")


def test_the_hosts_environment_is_not_the_scripts(host: Host) -> None:
    (outcome,) = host.run(call(event(1, params={"environment": True}))).outcomes
    assert "PYTHONHASHSEED" in outcome.logs[1].text
    assert SECRET not in outcome.logs[1].text


def test_a_thread_that_never_ends_ends_with_its_call(host: Host) -> None:
    first = host.run(call(event(1, params={"thread": True}), event(2)))
    assert [outcome.status for outcome in first.outcomes] == ["done", "done"]
    assert host._process is None
    (next_call,) = host.run(call(event(3))).outcomes
    assert next_call.status == "done"
