"""Simulations run and looked at through the API; what the simulator does is done by hand."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from fulcrum.core import ids
from functions.jobs import hanging
from functions.simulator import deciding
from functions.simulator.deciding import Content
from shared import clock, simulations
from shared.messages import Simulate
from shared.simulations import Simulation
from tests.support.api import Api

TRACK = {"path": "a", "frames": [{"t": 0, "value": 1, "interp": "noise", "every": 1000, "spread": 1}]}
CONTENT = Content("s", "digest", 60_000, False, 60_000)


@pytest.fixture
def project(api: Api) -> str:
    """A project with two blueprints, a system, simulated devices d1 to d3 and a real one."""
    name = api.project(ids.new_id())
    where = api.documents.document(f"projects/{name}")
    for blueprint in ("b", "c"):
        where.collection("blueprints").document(blueprint).set({"name": blueprint, "alias": blueprint})
    where.collection("systems").document("y").set({"name": "y", "alias": "y"})
    for number in range(1, 5):
        device = {
            "name": f"d{number}",
            "blueprintId": "c" if number == 3 else "b",
            "systemId": "y" if number < 3 else "z",
            "simulated": number < 4,
        }
        where.collection("devices").document(f"d{number}").set(device)
    return name


def _scenario(api: Api, project: str, scenario_id: str, blueprint: str = "b") -> None:
    made = {"name": scenario_id, "blueprintId": blueprint, "duration": 60_000, "tracks": "[]", "version": 1}
    api.documents.document(f"projects/{project}/scenarios/{scenario_id}").set(made)


def _sent(api: Api) -> list[Simulate]:
    return [msgspec.json.decode(data, type=Simulate) for data in api.topics.take("simulator")]


def _keep(api: Api, project: str, one: Simulation) -> None:
    path = simulations.name(project, one.device_id).partition("/documents/")[2]
    api.documents.document(path).set(simulations.to_fields(one))


async def _post(http: httpx.AsyncClient, project: str, path: str, body: Any = None) -> httpx.Response:
    return await http.post(f"/v1/{path}", params={"projectId": project}, json=body)


async def test_what_is_asked_of_a_device_goes_to_the_simulator(api: Api, project: str) -> None:
    _scenario(api, project, "s")
    async with api.client(api.user(project, "device.runSimulation")) as http:
        body = {"scenarioId": "s", "seed": 7, "stagger": 500, "faults": {"lost": 0.5}}
        answer = await _post(http, project, "device/d1/playScenario", body)
        assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
        for verb in ("pauseSim", "startSim", "resetSim", "stopScenario"):
            assert (await _post(http, project, f"device/d1/{verb}")).status_code == 202
    play, *others = _sent(api)
    assert (play.action, play.device_ids, play.scenario_id) == ("play", ["d1"], "s")
    assert (play.seed, play.stagger, play.faults) == (7, 500, {"lost": 0.5, "repeated": 0.0, "skewMs": 0})
    assert [one.action for one in others] == ["pause", "start", "reset", "stop"]
    assert {one.project_id for one in others} == {project}
    # Nothing is known of the device yet: its blueprint has one scenario.
    assert others[1].scenario_id == "s"
    assert all(one.stamp[0] == answer.json()["time"] or one.stamp > play.stamp for one in others)


async def test_devices_that_are_not_simulated_are_refused(api: Api, project: str) -> None:
    _scenario(api, project, "s")
    async with api.client(api.user(project, "device.runSimulation")) as http:
        for verb, body in (("playScenario", {"scenarioId": "s"}), ("startSim", None), ("resetSim", None)):
            answer = await _post(http, project, f"device/d4/{verb}", body)
            assert (answer.status_code, answer.json()["error"]) == (409, "device.notSimulated")
        # One that was simulated before may still be stopped.
        assert (await _post(http, project, "device/d4/stopScenario")).status_code == 202
        assert (await _post(http, project, "device/none/startSim")).status_code == 404
    assert [one.action for one in _sent(api)] == ["stop"]


async def test_which_scenario_is_played_must_be_clear_and_fit(api: Api, project: str) -> None:
    async with api.client(api.user(project, "device.runSimulation")) as http:
        answer = await _post(http, project, "device/d1/startSim")
        assert answer.json()["error"] == "simulation.whichScenario"
        _scenario(api, project, "s")
        _scenario(api, project, "t")
        _scenario(api, project, "u", "c")
        answer = await _post(http, project, "device/d1/startSim")
        assert answer.json()["error"] == "simulation.whichScenario"
        answer = await _post(http, project, "device/d1/startSim", {"scenarioId": "u"})
        assert (answer.status_code, answer.json()["error"]) == (409, "scenario.otherBlueprint")
        assert (await _post(http, project, "device/d1/playScenario", {"scenarioId": "x"})).status_code == 404
        assert (await _post(http, project, "device/d1/playScenario", {})).status_code == 400
        bad = {"scenarioId": "s", "faults": {"lost": 2}}
        assert (await _post(http, project, "device/d1/playScenario", bad)).status_code == 400
        assert _sent(api) == []
        # What it played last is known: nobody has to say.
        command = Simulate(
            action="play", stamp=(1, "a"), project_id=project, device_ids=["d1"], scenario_id="s"
        )
        played = deciding.decide(None, "d1", command, CONTENT, None, clock.now_ms())
        assert played is not None
        _keep(api, project, played)
        assert (await _post(http, project, "device/d1/startSim")).status_code == 202
        assert [one.scenario_id for one in _sent(api)] == [None]


async def test_a_simulation_is_shown_as_it_is_now(api: Api, project: str) -> None:
    now = clock.now_ms()
    command = Simulate(
        action="play", stamp=(1, "a"), project_id=project, device_ids=["d1"], scenario_id="s", seed=5
    )
    async with api.client(api.user(project, "device.runSimulation")) as http:
        query = {"projectId": project}
        shown = (await http.get("/v1/device/d1/simulation", params=query)).json()
        assert shown == {"deviceId": "d1", "state": "stopped", "position": 0, "loop": False}
        played = deciding.decide(None, "d1", command, CONTENT, None, now - 30_000)
        assert played is not None
        _keep(api, project, played)
        shown = (await http.get("/v1/device/d1/simulation", params=query)).json()
        assert (shown["state"], shown["seed"], shown["scenarioId"]) == ("playing", 5, "s")
        assert 28_000 <= shown["position"] <= 40_000
        # Nobody has noted it yet, but it is over.
        late = deciding.decide(None, "d2", command, CONTENT, None, now - 90_000)
        assert late is not None
        _keep(api, project, late)
        shown = (await http.get("/v1/device/d2/simulation", params=query)).json()
        assert (shown["state"], shown["position"], shown["duration"]) == ("finished", 60_000, 60_000)
        page = (await http.get(f"/v1/project/{project}/simulations", params={"perPage": 1})).json()
        assert [one["deviceId"] for one in page["items"]] == ["d1"]
        following = {"perPage": 1, "cursor": page["next"]}
        page = (await http.get(f"/v1/project/{project}/simulations", params=following)).json()
        assert [one["deviceId"] for one in page["items"]] == ["d2"]
        assert "next" not in page
        paused = (await http.get(f"/v1/project/{project}/simulations", params={"state": "paused"})).json()
        assert paused["items"] == []
    async with api.client(api.user(project, "device.runSimulation", on=("device", "d2"))) as http:
        page = (await http.get(f"/v1/project/{project}/simulations")).json()
        assert [one["deviceId"] for one in page["items"]] == ["d2"]


async def test_many_devices_are_asked_at_once_and_those_that_cannot_are_told(api: Api, project: str) -> None:
    _scenario(api, project, "s")
    path = f"project/{project}/simulations"
    async with api.client(api.user(project, "device.runSimulation")) as http:
        body = {"action": "play", "scenarioId": "s", "deviceIds": ["d1", "d2", "d3", "d4", "x"], "stagger": 9}
        answer = (await _post(http, project, path, body)).json()
        assert answer["accepted"] == 2
        assert {one["deviceId"]: one["error"] for one in answer["refused"]} == {
            "d3": "scenario.otherBlueprint",
            "d4": "device.notSimulated",
            "x": "device.notFound",
        }
        (sent,) = _sent(api)
        assert (sent.device_ids, sent.action, sent.stagger) == (["d1", "d2"], "play", 9)
        for chosen, expected in (
            ({"action": "pause", "systemId": "y"}, ["d1", "d2"]),
            ({"action": "reset", "blueprintId": "b"}, ["d1", "d2"]),
            ({"action": "stop", "blueprintId": "b"}, ["d1", "d2", "d4"]),
            ({"action": "start", "blueprintId": "c"}, ["d3"]),
        ):
            answer = (await _post(http, project, path, chosen)).json()
            assert answer["accepted"] == len(expected)
            assert [one.device_ids for one in _sent(api)] == [expected]
        for bad in (
            {"action": "play", "deviceIds": ["d1"]},
            {"action": "pause"},
            {"action": "pause", "deviceIds": ["d1"], "systemId": "y"},
            {"action": "fly", "deviceIds": ["d1"]},
            {"action": "pause", "deviceIds": []},
            {"action": "play", "deviceIds": ["d1"], "scenarioId": "s", "seed": -1},
        ):
            assert (await _post(http, project, path, bad)).status_code == 400, bad
        assert (await _post(http, project, path, {"action": "pause", "systemId": "no"})).status_code == 404
        answer = await _post(http, project, "blueprint/b/simulate", {"action": "start", "systemId": "y"})
        assert answer.json()["accepted"] == 2
        faulty = {"action": "play", "scenarioId": "s", "faults": {"lost": 0.5}}
        assert (await _post(http, project, "blueprint/b/simulate", faulty)).json()["accepted"] == 2
        started, played = _sent(api)
        assert (started.action, started.device_ids) == ("start", ["d1", "d2"])
        assert (played.scenario_id, played.faults) == ("s", {"lost": 0.5, "repeated": 0.0, "skewMs": 0})
        assert (await _post(http, project, "blueprint/b/simulate", {"action": "play"})).status_code == 400
        for unknown in ("no", "0" * 150):
            path = f"blueprint/{unknown}/simulate"
            assert (await _post(http, project, path, {"action": "stop"})).status_code == 404
    assert _sent(api) == []


async def test_who_may_run_some_devices_runs_no_others(api: Api, project: str) -> None:
    _scenario(api, project, "s")
    path = f"project/{project}/simulations"
    async with api.client(api.user(project, "device.runSimulation", on=("system", "y"))) as http:
        assert (await _post(http, project, path, {"action": "stop", "systemId": "y"})).status_code == 202
        assert (await _post(http, project, path, {"action": "stop", "blueprintId": "b"})).status_code == 403
        body = {"action": "stop", "deviceIds": ["d1", "d3"]}
        assert (await _post(http, project, path, body)).status_code == 403
        assert (await _post(http, project, "device/d3/stopScenario")).status_code == 403
        assert (await http.get("/v1/device/d3/simulation", params={"projectId": project})).status_code == 403
    assert [one.device_ids for one in _sent(api)] == [["d1", "d2"]]


async def test_a_topic_that_fails_is_told_and_nothing_is_accepted(api: Api, project: str) -> None:
    api.topics.down = True
    try:
        async with api.client(api.user(project, "device.runSimulation")) as http:
            assert (await _post(http, project, "device/d1/pauseSim")).status_code == 503
    finally:
        api.topics.down = False
    assert _sent(api) == []


async def test_recording_needs_a_span_and_both_rights(api: Api, project: str) -> None:
    body = {"name": "r", "start": 1_000, "end": 1_500}
    async with api.client(api.user(project, "device.readHistory", "scenario.create")) as http:
        answer = await _post(http, project, "device/d1/recordScenario", body)
        assert (answer.status_code, answer.json()["error"]) == (400, "recording.span")
    async with api.client(api.user(project, "device.readHistory")) as http:
        assert (await _post(http, project, "device/d1/recordScenario", body)).status_code == 403


def test_what_a_device_plays_goes_with_it() -> None:
    rules = [rule for rule in hanging.RULES["device"] if rule.collection == "simulations"]
    assert [(rule.field, rule.effect) for rule in rules] == [("deviceId", "remove")]
    one = Simulation(project_id="p", device_id="d", stamp=(1, "a"))
    assert simulations.to_fields(one)["deviceId"] == "d"
