"""The demo's second part: a script tells people once, a timer fires, a simulated device plays.

Everything goes through the API, as a customer does it. What is expected is written down here by hand.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from demo import setup
from fulcrum import Client
from fulcrum.client import types
from local.processes import ROOT
from local.stack import Stack

T = TypeVar("T")
NETWORK = "warehouse-gateways"
# Scripts among the examples, by their folders, with the params of the route.
SCRIPTS: dict[str, dict[str, Any]] = {
    "threshold_hysteresis": {"high": 8, "low": 6, "unit": " °C", "recipients": ["duty@example.com"]},
    "watchdog": {"timeout": 4, "recipients": ["duty@example.com"]},
}
# Of each room, by its name outside: temperatures, each sent as often as told under the same event id, because
# gateways repeat themselves.
READINGS = {"CR-watched": ((4.1, 1), (8.6, 3), (9.2, 1), (7.0, 2), (5.4, 3)), "CR-quiet": ((4.2, 2),)}
# What the simulated room plays: a degree a second, up and down again.
FRAMES: list[types.Frame] = [
    {"t": 0, "value": 4, "interp": "linear", "every": 1000},
    {"t": 4000, "value": 8, "interp": "linear", "every": 1000},
    {"t": 8000, "value": 4},
]
PLAYED = [4, 5, 6, 7, 8, 7, 6, 5, 4]
MAILS = [
    "quiet room has sent nothing for 0.1 minutes",
    "simulated room: temperature is 6 °C, back to 6 °C or below",
    "simulated room: temperature is 8 °C, limit 8 °C",
    "watched room: temperature is 5.4 °C, back to 6 °C or below",
    "watched room: temperature is 8.6 °C, limit 8 °C",
]
SENT = ("sent", "delivered")
_SECONDS = 60.0


@dataclass(frozen=True)
class Seen:
    """What came of it. ``mails``: (subject, state) of each in the outbox; ``played``: values in history."""

    mails: Sequence[tuple[str, str]]
    states: dict[str, dict[str, Any]]
    played: list[float]

    def faults(self) -> list[str]:
        """What is otherwise than it should be; empty if nothing is."""
        found = []
        if (subjects := sorted(subject for subject, _ in self.mails)) != MAILS:
            found.append(f"the outbox holds {subjects}, and should hold {MAILS}")
        if unsent := [mail for mail in self.mails if mail[1] not in SENT]:
            found.append(f"mails were not sent: {unsent}")
        active = self.states["watched"].get("alarms", {}).get("temperature", {}).get("active")
        silent = self.states["quiet"].get("watchdog", {}).get("silent")
        if (active, silent) != (False, True):
            found.append(
                f"in state the alarm of the watched room is {active}, the quiet room silent: {silent}"
            )
        if self.played != PLAYED:
            found.append(f"the simulated room has {self.played} in its history, and played {PLAYED}")
        return found


def run(stack: Stack, client: Client, built: setup.Built) -> Seen:
    """Deploy two of the examples' scripts, send and play what concerns them, and look at what came of it."""
    _deploy(client)
    watched = _room(client, built, "watched room", "threshold_hysteresis", **_outside("CR-watched"))
    quiet = _room(client, built, "quiet room", "watchdog", **_outside("CR-quiet"))
    simulated = _room(client, built, "simulated room", "threshold_hysteresis", simulated=True)
    for serial, readings in READINGS.items():
        for number, (value, times) in enumerate(readings):
            event = {"deviceId": serial, "id": f"{serial}-{number}", "data": {"temperature": value}}
            for _ in range(times):
                _post(stack.url, built.keys[NETWORK], event)
            # An event that comes late says nothing to an alarm: each is handled before the next is sent.
            stack.drain(_SECONDS)
    scenario = client.scenario.create(
        setup.PROJECT,
        {
            "name": "warming up",
            "blueprintId": built.blueprints["coldRoom"],
            "duration": 9000,
            "tracks": [{"path": "temperature", "frames": FRAMES}],
        },
    )
    client.device.start_sim(simulated, body={"scenarioId": scenario["id"]})
    _until(lambda: client.device.simulation(simulated)["state"], lambda state: state == "finished")
    _until(
        lambda: [mail.get("state") for mail in client.outbox.list_all(setup.PROJECT)],
        lambda states: sum(state in SENT for state in states) >= len(MAILS),
    )
    stack.drain(_SECONDS)
    mails = [
        (str(client.outbox.get(mail["id"])["subject"]), mail["state"])
        for mail in client.outbox.list_all(setup.PROJECT)
    ]
    states = {name: client.device.get(one)["data"] for name, one in (("watched", watched), ("quiet", quiet))}
    return Seen(mails, states, _history(client, simulated))


def _deploy(client: Client) -> None:
    begun = {}
    for name in SCRIPTS:
        code = (ROOT / "examples" / "scripts" / name / "main.py").read_text()
        script = client.script.create(setup.PROJECT, {"name": name, "alias": _alias(name), "code": code})
        begun[script["id"]] = client.script.deploy(script["id"], body={})["id"]
    for script_id, deployment_id in begun.items():
        look = partial(client.script.deployment_get, script_id, deployment_id)
        ended = _until(look, lambda found: found["state"] in ("serving", "failed"))
        if ended["state"] != "serving":
            raise RuntimeError(f"a script could not be deployed: {ended.get('message')}")


def _outside(serial: str) -> dict[str, Any]:
    return {"networkId": NETWORK, "networkAliases": {NETWORK: {setup.NETWORKS[NETWORK]: serial}}}


def _room(client: Client, built: setup.Built, name: str, script: str, **fields: Any) -> str:
    """A cold room whose events a script looks at before they are stored; its id."""
    step = {"topic": "reason", "options": {"reasoner": {"id": _alias(script), **SCRIPTS[script]}}}
    route = client.message_route.create(
        setup.PROJECT, {"name": name, "route": {"deviceDataEventMsg": [step, "writer"]}}
    )
    system = client.system.list(setup.PROJECT)["items"][0]["id"]
    device: Any = {
        "name": name,
        "blueprintId": built.blueprints["coldRoom"],
        "messageRouteId": route["id"],
        **fields,
    }
    return client.device.create(system, device)["id"]


def _alias(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _history(client: Client, device_id: str) -> list[float]:
    question: Any = {
        "start": "2000-01-01T00:00:00Z",
        "paths": ["$time", "temperature"],
        "order": [["$time", "ASC"]],
    }
    rows = client.device.history_search(device_id, body=question)["items"]
    return [float(row["temperature"]) for row in rows if row.get("temperature") is not None]


def _post(url: str, key: str, event: Mapping[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps(event).encode()
    request = urllib.request.Request(f"{url}/rcv/{NETWORK}", body, headers)  # noqa: S310 loopback
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 loopback
        if answer.status != 202:
            raise RuntimeError(f"an event was answered {answer.status}")


def _until(look: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    deadline = time.monotonic() + _SECONDS
    while not wanted(found := look()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"after {_SECONDS:g} s there is still {found}")
        time.sleep(0.2)
    return found
