"""Scenarios through a real simulator, from the command that starts them to what is published."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fulcrum.simulation import playing
from fulcrum.simulation.playing import Play, Segment
from fulcrum.simulation.scenario import parse
from functions.simulator.publishing import encoded
from shared import clock
from tests.support.simulator_stack import SimulatorStack

NOISE = {
    "path": "air/temperature",
    "frames": [{"t": 0, "value": 20, "interp": "noise", "every": 1_000, "spread": 2}],
}
COUNT = {
    "path": "count",
    "frames": [{"t": 0, "value": 0, "interp": "linear", "every": 1_000}, {"t": 3_600_000, "value": 3_600}],
}
FAULTS = {"lost": 0.1, "repeated": 0.2, "skewMs": 30_000, "late": {"share": 0.3, "forMs": 5_000}}


def _published(stack: SimulatorStack, project: str) -> list[bytes]:
    """The events that were published since the last look, byte by byte as they stand in their batches."""
    found: list[bytes] = []
    for data, attributes in stack.pull("default-processor"):
        assert attributes == {"v": "1", "hops": "1", "projectId": project}
        events = json.loads(data)
        texts = [json.dumps(one, separators=(",", ":"), ensure_ascii=False).encode() for one in events]
        assert b"[" + b",".join(texts) + b"]" == data
        found += texts
    return found


def _counts(stack: SimulatorStack, project: str) -> list[int]:
    """The counts that were published, in the order of their events' times."""
    events = sorted((json.loads(one) for one in _published(stack, project)), key=lambda one: one["time"])
    return [write["value"] for event in events for write in event["data"]]


def _expected(
    project: str, device: str, scenario: dict[str, Any], seed: int, stored: dict[str, Any], until: int
) -> list[bytes]:
    """What a device sends before ``until``, by the pure functions alone."""
    play, since = Play(parse(json.dumps(scenario))), stored["startTime"]
    events = play.events(playing.key_of(seed, device), [Segment(stored["run"], since, 0)], since, until)
    return [encoded(project, device, "sim-net", event) for event in events]


def test_devices_send_what_their_scenario_says_to_the_byte(stack: SimulatorStack, project: str) -> None:
    scenario = {"duration": 20_000, "loop": True, "tracks": [NOISE, COUNT | {"frames": COUNT["frames"][:1]}]}
    stack.scenario(project, "s", **scenario, faults=FAULTS)
    devices = [stack.device(project, f"d{number}") for number in range(5)]
    assert stack.job()["state"] == "PAUSED"
    stack.send(stack.command(project, "play", *devices, scenarioId="s", seed=11, stagger=900))
    assert stack.job()["state"] == "ENABLED"
    stored = {device: stack.simulation(project, device) for device in devices}
    assert {one["state"] for one in stored.values()} == {"playing"}
    assert len({one["startTime"] % 1_000 for one in stored.values()}) == 5
    for _ in range(5):
        stack.advance(25)
    found = _published(stack, project)
    until = max(json.loads(one)["receivedTime"] for one in found) // 1_000 * 1_000 + 1_000
    expected = [
        one
        for device in devices
        for one in _expected(project, device, scenario | {"faults": FAULTS}, 11, stored[device], until)
    ]
    assert sorted(found) == sorted(expected)
    assert len(expected) > 500


def test_the_same_seed_gives_the_same_values_whenever_it_plays(stack: SimulatorStack, project: str) -> None:
    stack.scenario(project, "s", tracks=[NOISE], duration=10_000)
    stack.device(project, "d")
    heard = []
    for seed in (5, 5, 6):
        stack.send(stack.command(project, "play", "d", scenarioId="s", seed=seed))
        stack.advance(20)
        events = sorted((json.loads(one) for one in _published(stack, project)), key=lambda one: one["time"])
        heard.append([(event["time"] - events[0]["time"], event["data"]) for event in events])
    assert len(heard[0]) == 11
    assert heard[0] == heard[1] != heard[2]


def test_a_paused_device_goes_on_where_it_was(stack: SimulatorStack, project: str) -> None:
    stack.scenario(project, "s", tracks=[COUNT], duration=3_600_000)
    stack.device(project, "d")
    stack.send(stack.command(project, "play", "d", scenarioId="s"))
    stack.advance(30)
    stack.send(stack.command(project, "pause", "d"))
    stack.advance(10)
    before = _counts(stack, project)
    # It takes effect within two slices.
    assert before == list(range(len(before)))
    assert 27 <= len(before) <= 36
    stack.advance(600)
    assert _published(stack, project) == []
    paused = stack.simulation(project, "d")
    assert (paused["state"], paused["position"]) == ("paused", 1_000 * len(before))
    stack.send(stack.command(project, "start", "d"))
    stack.advance(30)
    after = _counts(stack, project)
    assert after == list(range(len(before), len(before) + len(after)))
    assert len(after) >= 26
    assert stack.simulation(project, "d")["run"] == paused["run"]


def test_reset_begins_anew_and_stop_ends(stack: SimulatorStack, project: str) -> None:
    stack.scenario(project, "s", tracks=[COUNT], duration=3_600_000)
    stack.device(project, "d")
    stack.send(stack.command(project, "play", "d", scenarioId="s"))
    stack.advance(10)
    stack.send(stack.command(project, "reset", "d"))
    stack.advance(10)
    counts = _counts(stack, project)
    turn = counts.index(0, 1)
    assert counts == [*range(turn), *range(len(counts) - turn)]
    assert 7 <= turn <= 14
    stack.send(stack.command(project, "pause", "d"), stack.command(project, "reset", "d"))
    stack.advance(5)
    _published(stack, project)
    assert stack.simulation(project, "d")["position"] == 0
    stack.send(stack.command(project, "start", "d"))
    stack.advance(5)
    assert _counts(stack, project)[:2] == [0, 1]
    stack.send(stack.command(project, "stop", "d"))
    stack.advance(5)
    _published(stack, project)
    stack.advance(90)
    assert _published(stack, project) == []
    assert stack.simulation(project, "d")["state"] == "stopped"
    # Without a scenario it begins what it played last.
    stack.send(stack.command(project, "start", "d"))
    stack.advance(5)
    assert _counts(stack, project)[:2] == [0, 1]


def test_what_has_played_to_its_end_is_finished_and_the_tick_rests(
    stack: SimulatorStack, project: str
) -> None:
    stack.scenario(project, "s", tracks=[COUNT | {"frames": [{"t": 9_000, "value": 1}]}], duration=90_000)
    stack.device(project, "d")
    stack.calls(stack.tasks)
    stack.send(stack.command(project, "play", "d", scenarioId="s"))
    for _ in range(3):
        stack.advance(60)
    assert stack.simulation(project, "d")["state"] == "finished"
    for _ in range(7):
        stack.advance(60)
    assert stack.job()["state"] == "PAUSED"
    assert len(_published(stack, project)) == 1
    calls = stack.calls(stack.tasks)
    stack.advance(300)
    assert stack.calls(stack.tasks).get("CreateTask", 0) == 0
    assert calls["CreateTask"] < 10


def test_another_scenario_takes_over_and_a_later_change_of_it_changes_nothing(
    stack: SimulatorStack, project: str
) -> None:
    stack.scenario(project, "s", tracks=[COUNT], duration=3_600_000)
    stack.scenario(
        project, "t", tracks=[{"path": "count", "frames": [{"t": 0, "value": 99, "every": 1_000}]}]
    )
    stack.device(project, "d")
    stack.send(stack.command(project, "play", "d", scenarioId="s"))
    stack.advance(10)
    stack.send(stack.command(project, "play", "d", scenarioId="t"))
    stack.scenario(project, "t", tracks=[{"path": "count", "frames": [{"t": 0, "value": 7, "every": 1_000}]}])
    stack.advance(10)
    counts = _counts(stack, project)
    turn = counts.index(99)
    assert counts[:turn] == list(range(turn))
    assert set(counts[turn:]) == {99}
    assert 7 <= turn <= 14


def test_commands_that_come_again_or_late_change_nothing(stack: SimulatorStack, project: str) -> None:
    stack.scenario(project, "s", tracks=[COUNT], duration=3_600_000)
    stack.device(project, "d")
    play = stack.command(project, "play", "d", scenarioId="s")
    stack.send(play, play)
    first = stack.simulation(project, "d")
    stack.advance(10)
    late = stack.command(project, "pause", "d")
    stack.send(stack.command(project, "start", "d", scenarioId="s"))
    stack.send(play, late)
    again = stack.simulation(project, "d")
    assert {key: again[key] for key in ("state", "run", "segments")} == {
        key: first[key] for key in ("state", "run", "segments")
    }
    stack.advance(10)
    stack.send(play)
    # Some may be published again, to the byte; nothing else is.
    found = _published(stack, project)
    assert len(found) < len(set(found)) + 35
    counts = sorted(json.loads(one)["data"][0]["value"] for one in set(found))
    assert counts == list(range(len(counts)))
    assert len(counts) >= 17


def test_a_slice_that_runs_again_publishes_the_same_bytes(stack: SimulatorStack, project: str) -> None:
    stack.scenario(project, "s", tracks=[NOISE], duration=3_600_000)
    stack.device(project, "d")
    stack.send(stack.command(project, "play", "d", scenarioId="s"))
    stack.advance(20)
    found = {json.loads(one)["id"]: one for one in _published(stack, project)}
    end = stack.simulation(project, "d")["startTime"] // 1_000 * 1_000 + 1_000
    for number in range(10):
        message = {"type": "playSlice", "projectId": project, "shard": 0, "end": end + number * 1_000}
        assert stack.post(message) == 204
    again = {json.loads(one)["id"]: one for one in _published(stack, project)}
    assert len(again.keys() & found.keys()) == 10
    assert all(found[one] == again[one] for one in again.keys() & found.keys())


def test_killed_in_the_middle_it_goes_on_with_the_same_stream(stack: SimulatorStack, project: str) -> None:
    scenario = {"duration": 30_000, "loop": True, "tracks": [NOISE], "faults": FAULTS}
    stack.scenario(project, "s", **scenario)
    devices = [stack.device(project, f"d{number}") for number in range(20)]
    command = stack.command(project, "play", *devices, scenarioId="s", seed=3)
    # Killed while it takes the command, too.
    stack.faults(stack.tasks, {"method": "CreateTask", "latency_ms": 50})
    data = json.dumps([command]).encode()
    topic = "projects/fulcrum-local/topics/simulator"
    stack.publisher.publish(topic=topic, messages=[{"data": data}])
    stack.kill()
    stack.faults(stack.tasks)
    stack.start()
    stack.settle()
    found: list[bytes] = []
    for number in range(4):
        clock.advance(stack.clock_file, 20)
        if number < 3:
            stack.kill()
            stack.start()
        stack.settle()
        found += _published(stack, project)
    stored = {device: stack.simulation(project, device) for device in devices}
    since = stored["d0"]["startTime"]
    until = max(json.loads(one)["receivedTime"] for one in found) // 1_000 * 1_000 + 1_000
    expected = [
        one for device in devices for one in _expected(project, device, scenario, 3, stored[device], until)
    ]
    assert until - since >= 75_000
    assert set(found) == set(expected)


def test_devices_that_are_not_simulated_are_refused_and_the_others_play(
    stack: SimulatorStack, project: str
) -> None:
    stack.scenario(project, "s", tracks=[COUNT], duration=3_600_000)
    stack.device(project, "real", simulated=False)
    stack.device(project, "sim", simNetworkId=None)
    stack.send(stack.command(project, "play", "real", "sim", "gone", scenarioId="s"))
    ((data, attributes),) = stack.pull("quarantine")
    assert attributes["errorType"] == "simulation.notSimulated"
    assert "gone, real" in attributes["message"]
    assert json.loads(data)["action"] == "play"
    stack.advance(5)
    events = [json.loads(one) for one in _published(stack, project)]
    assert {(event["deviceId"], event["networkId"], event["source"]) for event in events} == {
        ("sim", "net", "simulator")
    }
    assert stack.simulation(project, "real") == {}


def test_a_device_that_is_simulated_no_more_is_stopped(stack: SimulatorStack, project: str) -> None:
    stack.scenario(project, "s", tracks=[COUNT], duration=3_600_000)
    stack.device(project, "d")
    stack.device(project, "e")
    stack.send(stack.command(project, "play", "d", "e", scenarioId="s"))
    stack.device(project, "d", simulated=False)
    for _ in range(6):
        stack.advance(60)
    assert stack.simulation(project, "d")["state"] == "stopped"
    assert stack.simulation(project, "e")["state"] == "playing"


def _bad(**more: Any) -> dict[str, Any]:
    message = {"type": "simulateMsg", "action": "play", "stamp": [1, "a"], "projectId": "bad"}
    return {**message, "deviceIds": ["d"], "scenarioId": "s", **more}


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("no object", "message.undecodable"),
        ({"type": "setTimerMsg"}, "message.undecodable"),
        (_bad(action="fly"), "message.undecodable"),
        (_bad(stamp=[2**60, "a"]), "simulation.stamp"),
        (_bad(deviceIds=[]), "simulation.devices"),
        (_bad(deviceIds=["a/b"]), "simulation.id"),
        (_bad(scenarioId="__s__"), "simulation.id"),
        (_bad(scenarioId=None), "simulation.scenario"),
        (_bad(stagger=-1), "simulation.stagger"),
        (_bad(seed=-1), "simulation.seed"),
        (_bad(faults={"lost": "much"}), "simulation.faults"),
        (_bad(projectId="other"), "simulation.otherProject"),
        (_bad(scenarioId="none"), "simulation.noScenario"),
        (_bad(faults={"lost": 7}), "scenario.faults"),
        (_bad(scenarioId="broken"), "scenario.track"),
    ],
    ids=[
        *(
            "text",
            "other-type",
            "action",
            "stamp",
            "no-devices",
            "device-id",
            "scenario-id",
            "no-scenario-named",
        ),
        *("stagger", "seed", "faults", "project", "no-scenario", "fault-range", "broken-scenario"),
    ],
)
def test_bad_commands_are_set_aside_and_the_good_ones_beside_them_taken(
    stack: SimulatorStack, project: str, message: Any, error: str
) -> None:
    stack.scenario("bad", "s", tracks=[COUNT])
    stack.scenario("bad", "broken", tracks=[{"path": "a", "frames": [{"t": 5, "value": 1}] * 2}])
    stack.device("bad", "d")
    stack.send(message, stack.command("bad", "pause", "d"), projectId="bad")
    ((_, attributes),) = stack.pull("quarantine")
    assert (attributes["errorType"], attributes["service"]) == (error, "simulator")
    assert stack.simulation("bad", "d")["state"] == "stopped"


def test_what_is_neither_push_nor_task_is_400(stack: SimulatorStack, project: str) -> None:
    assert stack.post({"hello": 1}) == 400


@pytest.mark.parametrize(
    ("service", "method"),
    [
        ("pubsub", "Publish"),
        ("firestore", "BatchGetDocuments"),
        ("firestore", "Commit"),
        ("firestore", "RunQuery"),
        ("tasks", "CreateTask"),
        ("scheduler", "ResumeJob"),
    ],
)
def test_whatever_fails_for_a_while_nothing_is_lost(
    stack: SimulatorStack, project: str, service: str, method: str
) -> None:
    stack.scenario(project, "s", tracks=[COUNT], duration=3_600_000)
    stack.device(project, "d")
    address = getattr(stack, service)
    # Of the many calls that make tasks, hardly any series passes where half of them fail.
    often = 0.1 if method == "CreateTask" else 0.3
    rule = {"method": method, "error_rate": often, "drop_answer_rate": often / 2}
    command = stack.command(project, "play", "d", scenarioId="s")
    if method == "Publish":
        stack.send(command)
    stack.faults(address, rule)
    if method != "Publish":
        stack.send(command)
    stack.advance(30)
    stack.faults(address)
    # A tick may have failed each time that it was tried: the next one makes up for it.
    stack.advance(60)
    counts = sorted(set(_counts(stack, project)))
    assert counts == list(range(len(counts)))
    assert len(counts) >= 80


def test_scenarios_that_nobody_plays_any_more_go(stack: SimulatorStack, project: str) -> None:
    def contents() -> set[str]:
        return {
            one.id for one in stack.documents.collection(f"projects/{project}/simulationContents").stream()
        }

    stack.device(project, "d")
    stack.device(project, "paused")
    kept = None
    for value in range(3):
        frames = [{"t": 0, "value": value, "every": 1_000}]
        stack.scenario(project, "s", tracks=[{"path": "count", "frames": frames}])
        stack.send(stack.command(project, "play", "d", scenarioId="s"))
        if value == 0:
            stack.send(stack.command(project, "play", "paused", scenarioId="s"))
            stack.send(stack.command(project, "pause", "paused"))
            kept = stack.simulation(project, "paused")["content"]
        stack.advance(20)
    assert len(contents()) == 3
    # The one has played to its end, and the other goes on whenever it is asked to.
    for _ in range(12):
        stack.advance(60)
    assert stack.job()["state"] == "PAUSED"
    assert contents() == {kept, stack.simulation(project, "d")["content"]}
    stack.pull("default-processor")
    stack.send(stack.command(project, "start", "paused"))
    stack.advance(5)
    assert set(_counts(stack, project)) == {0}
