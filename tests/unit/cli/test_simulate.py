"""``fulcrum simulate`` against a server that answers as it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import Answer, FakeApi, Seen

FLEET = [
    {"id": f"d{n}", "metadata": {"externalId": f"simulated-{n:06d}"}, "simulated": True} for n in range(3)
]


@pytest.fixture
def fleet(api: FakeApi, profile: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A project whose fleet of three devices is there already; nobody waits."""
    monkeypatch.setattr("fulcrum.cli.simulate.time.sleep", lambda seconds: None)
    for plural in ("systems", "blueprints"):
        api.on("GET", f"/v1/project/p/{plural}", {"items": [{"id": plural}]})
    api.on("GET", "/v1/project/p/scenarios", {"items": []})
    api.on("POST", "/v1/project/p/scenarios", {"id": "s"})
    api.on("GET", "/v1/project/p/simulations", {"items": []})
    api.on("POST", "/v1/project/p/simulations", {"accepted": 3, "refused": [], "time": 5})
    _arrives(api, 12, 3)
    return api


def _arrives(api: FakeApi, count: int, last: int) -> None:
    """So many events are in history, and the devices' state is what the ``last`` one says."""
    api.on("POST", "/v1/system/systems/history", {"items": [{"count": count}]})
    states = [one | {"data": {"load": {"sequence": last}}} for one in FLEET]
    api.on("GET", "/v1/project/p/devices", {"items": states})


def test_a_fleet_plays_and_what_has_arrived_is_told(run: Run, fleet: FakeApi) -> None:
    ended = run("simulate", "--devices", "3", "--rate", "2/s", "--seconds", "2", "--seed", "9")
    assert ended.code == 0, ended.err
    lines = dict(line.split(maxsplit=1) for line in ended.out.splitlines()[:1])
    assert lines == {"sent": "12"}
    (scenario,) = [one.json for one in fleet.seen if (one.method, one.path[-9:]) == ("POST", "scenarios")]
    assert (scenario["duration"], scenario["loop"]) == (1_500, False)
    (played,) = [one.json for one in fleet.seen if (one.method, one.path[-11:]) == ("POST", "simulations")]
    assert played == {
        **{"action": "play", "scenarioId": "s", "seed": 9, "stagger": 500},
        "deviceIds": ["d0", "d1", "d2"],
    }


@pytest.mark.parametrize(("count", "last"), [(11, 3), (12, 2)], ids=["events", "states"])
def test_what_has_not_arrived_is_an_error(run: Run, fleet: FakeApi, count: int, last: int) -> None:
    _arrives(fleet, count, last)
    ended = run("simulate", "--devices", "3", "--rate", "4/s", "--seconds", "1", "--wait", "1", "--json")
    assert ended.code == 1
    assert (ended.json["lost"], ended.json["devices behind"]) == (12 - count, 3 if last == 2 else 0)


def test_devices_that_are_missing_are_made_first(run: Run, fleet: FakeApi) -> None:
    known: list[Any] = []

    def listed(seen: Seen) -> Answer:
        states = [one | {"data": {"load": {"sequence": 3}}} for one in known]
        return Answer(200, {"items": states})

    def imported(seen: Seen) -> Answer:
        known.extend(FLEET)
        assert seen.content.decode().splitlines()[1].endswith(",simulatedFleet,simulatedFleet,true")
        return Answer(200, b'{"report": {}}\n')

    fleet.answers["GET", "/v1/project/p/devices"] = listed
    fleet.answers["POST", "/v1/project/p/devices/import"] = imported
    ended = run("simulate", "--devices", "3", "--rate", "2/s", "--seconds", "2")
    assert ended.code == 0, ended.err


def test_devices_that_do_not_play_are_an_error(run: Run, fleet: FakeApi) -> None:
    refused = [{"deviceId": "d1", "error": "device.notSimulated"}]
    fleet.on("POST", "/v1/project/p/simulations", {"accepted": 2, "refused": refused, "time": 5})
    ended = run("simulate", "--devices", "3")
    assert ended.code == 1
    assert "device.notSimulated" in ended.err


@pytest.mark.parametrize("rate", ["5/s", "0/s", "1", "1/d", "x/s", "-1/s"])
def test_a_rate_that_is_none_is_a_wrong_command_line(run: Run, fleet: FakeApi, rate: str) -> None:
    ended = run("simulate", "--rate", rate)
    assert ended.code == 2
    assert "is no rate" in ended.err


def test_ctrl_c_leaves_nothing_playing(run: Run, fleet: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    asked: list[Any] = []

    def taken(seen: Seen) -> Answer:
        asked.append(seen.json)
        more = {"next": "there"} if seen.json["action"] == "stop" and "after" not in seen.json else {}
        return Answer(202, {"accepted": 3, "refused": [], "time": 5} | more)

    monkeypatch.setattr("fulcrum.cli.simulate._in_history", interrupted)
    fleet.answers["POST", "/v1/project/p/simulations"] = taken
    ended = run("simulate", "--devices", "3")
    assert ended.code == 130, ended.err
    assert [(one["action"], one.get("after")) for one in asked] == [
        ("play", None),
        ("stop", None),
        ("stop", "there"),
    ]
    assert all(one["blueprintId"] == "blueprints" for one in asked[1:])
