"""Two versions over made events: what differs is shown, and what one side does to its process stays there."""

from __future__ import annotations

import csv
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from fulcrum.script import seccomp
from fulcrum.script.replay import engine, lines, texts
from fulcrum.script.replay.engine import InputBroken, Version, replay
from fulcrum.script.replay.interrupts import Interrupts
from fulcrum.script.replay.processes import SideFailed
from fulcrum.script.replay.report import Report
from fulcrum.script.wire import Cache
from local.processes import ROOT
from tests.support.replaying import SINCE, Platform, Sent, joined

RECORDING = ROOT.parent / "shared" / "data" / "machine_temperature_system_failure.csv"
HYSTERESIS = """
from fulcrum.script import needs

HIGH, LOW = {high}, {low}

@needs("cache")
def run(message, context):
    value = message["data"][0]["value"]
    alarm = context.cache.get("alarm", False)
    if not alarm and value >= HIGH:
        context.set_cache({{"alarm": True}})
        context.send_sms(f"too warm: {{value}}", to=["+4790000000"])
    elif alarm and value <= LOW:
        context.set_cache({{"alarm": False}})
"""
QUIET = "def run(message, context):\n    return None\n"

Make = Callable[[str], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    count = iter(range(100))

    def made(code: str) -> Path:
        folder = tmp_path / f"v{next(count)}"
        folder.mkdir()
        (folder / "main.py").write_text(code)
        return folder

    return made


def compared(before: Path, after: Path, sent: Sequence[Sent], **options: object) -> Report:
    made = Platform(before).lines(sent)
    return run(made, before, after, **options)


def run(made: Sequence[bytes], before: Path | None, after: Path, **options: object) -> Report:
    old = Version(before, "version 1", 1, deployed=True) if before is not None else None
    return replay(joined(made), old, Version(after, "draft"), **options)  # type: ignore[arg-type]


def alerts(values: Sequence[float], high: float, low: float) -> set[int]:
    """At which readings an alarm begins, worked out by itself."""
    found, alarm = set(), False
    for index, value in enumerate(values):
        if not alarm and value >= high:
            alarm = True
            found.add(index)
        elif alarm and value <= low:
            alarm = False
    return found


def check_alerts(
    make: Make, values: Sequence[float], old: tuple[float, float], new: tuple[float, float]
) -> None:
    before, after = (make(HYSTERESIS.format(high=high, low=low)) for high, low in (old, new))
    sent = [Sent("d1", 1_000 * (index + 1), {"t": value}) for index, value in enumerate(values)]
    report = compared(before, after, sent)
    was, is_ = alerts(values, *old), alerts(values, *new)
    assert report.before is not None
    assert (report.before.sms, report.after.sms) == (len(was), len(is_))
    assert was != is_
    assert report.lost.get("sms", 0) == len(was - is_)
    assert report.gained.get("sms", 0) == len(is_ - was)
    for shown, expected in ((report.sent_only_before, was - is_), (report.sent_only_after, is_ - was)):
        assert [(one.event.event_id, one.text) for one in shown] == [
            (f"e{index:06}", f"too warm: {values[index]}") for index in sorted(expected)[:50]
        ]
    assert report.events_changed == len(was ^ is_)
    assert (report.state_changed, report.complete, report.problems) == (0, True, [])
    assert report.fidelity is not None
    assert (report.fidelity.compared, report.fidelity.counts) == (len(values), {})


def test_a_changed_threshold_shows_exactly_the_alerts_that_differ(make: Make) -> None:
    values = [5, 11, 9, 12, 4, 10.5, 3, 12, 12, 1, 10.9, 2, 11, 11.5, 0, 10]
    check_alerts(make, values, (10, 5), (11, 5))
    check_alerts(make, values, (11, 5), (10, 9))


def test_a_message_that_only_comes_later_is_told_apart(make: Make) -> None:
    before, after = (make(HYSTERESIS.format(high=high, low=5)) for high in (10, 12))
    readings = [("d1", 11), ("d1", 12), ("d1", 3), ("d1", 11), ("d1", 4), ("d2", 11)]
    sent = [Sent(device, 60_000 * at, {"t": value}) for at, (device, value) in enumerate(readings, 1)]
    report = compared(before, after, sent)
    assert (report.lost, report.gained, report.moved) == ({"sms": 3}, {"sms": 1}, {"sms": 1})
    assert "1 text messages more, 3 text messages no longer (of them 1 only" in texts.headline(report)


@pytest.mark.skipif(not RECORDING.is_file(), reason="no recordings of real devices beside the repository")
def test_a_changed_threshold_on_a_real_recording(make: Make) -> None:
    with RECORDING.open(newline="") as file:
        values = [float(row["value"]) for row in csv.DictReader(file)]
    assert len(values) > 20_000
    check_alerts(make, values, (100, 95), (101, 95))


DATA = """
def run(message, context):
    value = message["data"][0]["value"]
    if value > 5:
        return False
    if value == 3:
        context.set_device_data({"level/name": "three"}, device_id="other")
"""


def test_differences_of_data_are_told_by_device_and_path(make: Make) -> None:
    sent = [Sent("d1", 1_000 * at, {"v": value}) for at, value in enumerate([1, 9, 2, 3, 7], 1)]
    report = compared(make(QUIET), make(DATA), sent)
    paths = {path.path: path for path in report.paths}
    assert set(paths) == {"v", "level/name"}
    stopped = paths["v"]
    assert (stopped.devices, stopped.events, stopped.final) == (1, 2, 1)
    assert [(one.device_id, one.before, one.after, one.final) for one in stopped.examples] == [
        ("d1", "7", "3", True)
    ]
    set_ = paths["level/name"]
    assert (set_.devices, set_.events, set_.final) == (1, 1, 1)
    assert [(one.device_id, one.before, one.after) for one in set_.examples] == [("other", None, '"three"')]
    assert (report.devices_changed, report.devices_differ_finally) == (2, 2)
    assert (report.after.stopped, report.after.data_writes) == (2, 1)


def test_data_that_comes_to_the_same_again_differs_no_longer(make: Make) -> None:
    code = QUIET.replace("return None", 'return False if message["data"][0]["value"] == 9 else None')
    sent = [Sent("d1", 1_000 * at, {"v": value}) for at, value in enumerate([1, 9, 2, 2], 1)]
    report = compared(make(QUIET), make(code), sent)
    (path,) = report.paths
    assert (path.events, path.final, report.devices_differ_finally, report.state_changed) == (1, 0, 0, 1)
    assert [(one.before, one.after, one.final) for one in path.examples] == [("9", "1", False)]


def test_both_ways_of_writing_meet_at_a_path(make: Make) -> None:
    old = """
def run(message, context):
    context.set_device_data({"shown": message["data"][0]["value"]})
"""
    new = old.replace('["value"]})', '["value"] // 2})')
    report = compared(make(old), make(new), [Sent("d1", 1_000 * at, {"v": at}) for at in range(1, 4)])
    (path,) = report.paths
    assert (path.path, path.events, path.final) == ("shown", 3, 1)
    assert [(one.before, one.after) for one in path.examples] == [("3", "1")]


def test_errors_are_grouped_by_their_place(make: Make) -> None:
    code = """
def run(message, context):
    value = message["data"][0]["value"]
    if value > 5:
        raise ValueError(f"too much: {value}")
    return {}[value] if value == 2 else None
"""
    sent = [Sent(f"d{at % 2}", 1_000 * at, {"v": value}) for at, value in enumerate([1, 8, 9, 2, 7], 1)]
    report = compared(make(QUIET), make(code), sent)
    groups = [(group.type, group.count, group.devices, group.first.event_id) for group in report.after.errors]
    assert groups == [("ValueError", 3, 2, "e000001"), ("KeyError", 1, 1, "e000003")]
    assert "too much: 8" in report.after.errors[0].traceback
    assert (report.after.failed, report.events_changed, report.changed_by) == (4, 4, {"status": 4})


def test_timers_fire_in_simulated_time_and_data_along_a_route_comes_back(make: Make) -> None:
    code = """
def run(message, context):
    context.set_timer("late", delay=10_000, entry="late", params={"n": message["data"][0]["value"]})
    if message.get("source") != "script" and message["data"][0]["value"] == 2:
        context.set_device_data({"v": 50}, route=True)

def late(message, context):
    context.send_email("late", ["a@b.no"], text=f"{context.params['n']} at {message['time']}")
"""
    sent = [Sent("d1", at, {"v": value}) for at, value in ((1_000, 1), (5_000, 2), (60_000, 3))]
    report = compared(make(QUIET), make(code), sent)
    texts = [one.text for one in report.sent_only_after if one.kind == "email"]
    # The first is set anew before it fires; what comes back along the route sets it anew as well.
    assert texts == [f"late: 50 at {SINCE + 15_000}", f"late: 3 at {SINCE + 70_000}"]
    assert (report.after.timer_runs, report.after.timers, report.after.runs) == (2, 4, 6)


def test_one_version_alone_is_replayed_too(make: Make) -> None:
    made = Platform(make(QUIET)).lines([Sent("d1", 1_000, {"v": 1})])
    report = run(made, None, make(HYSTERESIS.format(high=0, low=-1)))
    assert (report.before, report.after.sms, report.events, report.gained) == (None, 1, 1, {})


def test_a_version_that_cannot_be_loaded_is_told_with_its_place(make: Make) -> None:
    with pytest.raises(SideFailed, match=r"draft: main\.py:2") as raised:
        compared(make(QUIET), make("\ndef run(:\n"), [Sent("d1", 1_000, {"v": 1})])
    assert raised.value.label == "draft"


def test_a_version_that_ends_its_process_ends_the_replay_with_what_is_known(make: Make) -> None:
    code = "import os\ndef run(message, context):\n    if message['data'][0]['value'] == 2: os._exit(3)\n"
    report = compared(make(QUIET), make(code), [Sent("d1", 1_000 * at, {"v": at}) for at in (1, 2, 3)])
    assert not report.complete
    # Behind the header, the project and the device.
    assert report.problems == ["draft: the script ended its process with code 3, at line 5 of the input"]
    assert report.before is not None
    assert (report.before.runs, report.after.runs) == (3, 0)


@pytest.mark.skipif(bool(seccomp.problem()), reason="this system has no filter of calls")
def test_a_version_reaches_nothing_outside(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULCRUM_TOKEN", "secret")
    code = """
import os, socket
def run(message, context):
    value = message["data"][0]["value"]
    if value == 1:
        socket.create_connection(("127.0.0.1", 9))
    if value == 2:
        os.fork()
    context.send_sms(str("FULCRUM_TOKEN" in os.environ), to=["+47"])
"""
    sent = [Sent("d1", 1_000 * at, {"v": at}) for at in (1, 2, 3)]
    report = compared(make(QUIET), make(code), sent)
    assert (report.complete, report.after.failed) == (True, 2)
    assert {group.type for group in report.after.errors} == {"PermissionError"}
    assert [one.text for one in report.sent_only_after] == ["False"]


def test_an_endless_loop_fails_its_own_event(make: Make) -> None:
    code = "def run(message, context):\n    while message['data'][0]['value'] == 2: pass\n"
    sent = [Sent("d1", 1_000 * at, {"v": at}) for at in (1, 2, 3)]
    report = compared(make(QUIET), make(code), sent, seconds_per_event=0.2)
    assert (report.complete, report.after.failed, report.after.runs) == (True, 1, 3)
    assert report.after.errors[0].kind == "timeout"


def test_ctrl_c_ends_it_with_what_is_known(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_BATCH_BYTES", 2_000)
    made = Platform(make(QUIET)).lines([Sent("d1", 1_000 * at, {"v": at}) for at in range(1, 400)])

    def interrupted() -> Iterator[bytes]:
        for number, line in enumerate(made):
            if number == 200:
                raise KeyboardInterrupt
            yield line + b"\n"

    folder = make(QUIET)
    report = replay(interrupted(), Version(folder, "version 1", 1, True), Version(folder, "draft"))
    assert not report.complete
    assert "ended early" in report.problems[0]
    assert 0 < report.events < 200


def test_an_interrupt_waits_until_batches_are_whole() -> None:
    with Interrupts() as interrupts:
        assert interrupts.reading(iter([1])) == 1
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.reading(iter([2]))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with Interrupts() as interrupts:
        assert interrupts.reading(iter([])) is None


def test_an_input_that_breaks_off_is_told(make: Make) -> None:
    made = Platform(make(QUIET)).lines([Sent("d1", 1_000 * at, {"v": at}) for at in range(1, 5)])
    report = run(made[:-1], None, make(QUIET))
    assert not report.complete
    assert "broke off" in report.problems[0]


@pytest.mark.parametrize("content", [[], [b"nonsense\n"], [b'{"t":"end","count":1}\n'], [b'{"t":"new"}\n']])
def test_what_is_no_input_is_refused(make: Make, content: list[bytes]) -> None:
    with pytest.raises(InputBroken):
        replay(content, None, Version(make(QUIET), "draft"))


def test_an_input_of_a_later_format_is_refused(make: Make) -> None:
    made = Platform(make(QUIET)).lines([])
    later = made[0].replace(b'"t":"header",', b'"t":"header","v":2,')
    with pytest.raises(InputBroken, match="update"):
        replay([later + b"\n"], None, Version(make(QUIET), "draft"))


def test_other_versions_and_lost_history_are_told_apart(make: Make) -> None:
    old, new = make(QUIET), make(HYSTERESIS.format(high=0, low=-1))
    sent = [Sent("d1", 1_000, {"v": 1})]
    made = Platform(old, version=1).lines(sent)
    report = replay(joined(made), Version(new, "version 2", 2, True), Version(new, "draft"))
    assert report.fidelity is not None
    # The header says which version is deployed; its runs are of that one here.
    assert report.fidelity.counts == {"outside": 1}
    gone = Platform(old, version=1, note="retention").lines(sent)
    report = replay(joined(gone), Version(new, "version 1", 1, True), Version(new, "draft"))
    assert report.fidelity is not None
    assert report.fidelity.counts == {"retention": 1}
    other = [
        line.replace(b'"version":1', b'"version":7', 1) if b'"t":"event"' in line else line for line in made
    ]
    report = replay(joined(other), Version(new, "version 1", 1, True), Version(new, "draft"))
    assert report.fidelity is not None
    assert (report.fidelity.counts, report.fidelity.other_version) == ({"version": 1}, 1)


def test_a_version_that_hangs_at_every_event_is_given_up(make: Make) -> None:
    before, after = make(QUIET), make("def run(message, context):\n    while True:\n        pass\n")
    sent = [Sent("d1", 100 * number, {"t": number}) for number in range(50)]
    report = compared(before, after, sent, seconds_per_event=0.05)
    assert not report.complete
    assert ["10 events took longer than 0.05 s" in problem for problem in report.problems] == [True]
    assert "at line" in report.problems[0]


def test_the_places_of_runs_in_one_call_tell_their_order(make: Make) -> None:
    """Two events that ran in one call, in another order than that in which they were received."""
    counting = make(
        "from fulcrum.script import needs\n\n\n@needs('cache')\ndef run(message, context):\n"
        "    context.set_cache([*(context.cache or []), message['id']])\n"
    )
    made = [
        lines.decoder.decode(line)
        for line in Platform(counting).lines([Sent("d1", 0, {}), Sent("d1", 1, {})])
    ]
    first, second = (line for line in made if isinstance(line, lines.Event))
    assert first.run is not None
    assert second.run is not None
    runs = [replace(first.run, started=SINCE + 50, seq=1), replace(second.run, started=SINCE + 50, seq=0)]
    caches = [Cache(value=value) for value in (["e000001", "e000000"], ["e000001"])]
    changed = [
        replace(line, run=replace(run, cache=cache), stored=None)
        for line, run, cache in zip((first, second), runs, caches, strict=True)
    ]
    texts_ = [lines.encode(line) for line in (*made[:-3], *changed, made[-1])]
    report = run(texts_, counting, make(QUIET))
    assert report.fidelity is not None
    assert (report.fidelity.compared, report.fidelity.counts) == (2, {"order": 2})


def test_a_replay_of_no_events_does_not_say_that_nothing_differs(make: Make) -> None:
    assert texts.headline(compared(make(QUIET), make(QUIET), [])) == "no events: nothing was compared"


@pytest.mark.parametrize(("waits", "counts"), [(5, {}), (500, {"order": 2})])
def test_runs_that_overlap_share_the_scripts_cache_in_the_order_in_which_they_came(
    make: Make, waits: int, counts: dict[str, int]
) -> None:
    """Of two devices: the one that was received first runs in its turn, or after the other one."""
    keeping = make(
        "from fulcrum.script import needs\n\n\n@needs('scriptCache')\ndef run(message, context):\n"
        "    known = [*(context.script_cache or []), message['deviceId']]\n"
        "    context.set_script_cache(known)\n"
        "    context.send_sms(' '.join(known), to=['+47'])\n"
    )
    sent = [Sent("d1", 0, {"t": 1}, waits=waits), Sent("d2", 10, {"t": 1})]
    report = compared(keeping, make(QUIET), sent)
    assert report.fidelity is not None
    assert (report.fidelity.compared, report.fidelity.counts) == (2, counts)
    assert report.lost == {"sms": 2}
