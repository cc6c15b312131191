"""Simulations are run by messages to the simulator, and looked at where that keeps them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.api.devices import access
from functions.api.needs import Call
from shared import clock, simulations, values
from shared.clients import firestore, pubsub
from shared.errors import ApiError
from shared.messages import VERSION, Simulate
from shared.model.device import DEVICE, Device
from shared.model.scenario import SCENARIO
from shared.model.simulation import Action, Playing, Simulation, SimulationAccepted
from shared.store.query import Query, Where
from shared.store.scope import Stored

PERMISSION = "device.runSimulation"
# What needs a device that is simulated: an end is taken by any.
BEGINS = frozenset({"play", "start", "reset"})
# Devices without their state, which is large.
LIGHT = dataclasses.replace(
    DEVICE, mask=("simulated", "blueprintId", "systemId", "parentDeviceId", "deleted")
)
_encode = msgspec.json.encode


async def run(
    call: Call, device_id: str, action: Action, scenario_id: str | None = None, how: Playing | None = None
) -> SimulationAccepted:
    """Have one device do something; ApiError 409 ``device.notSimulated`` for one that is not simulated."""
    stored = await access.load(call, PERMISSION, device_id)
    if action in BEGINS and not stored.fields.get("simulated"):
        raise not_simulated(device_id)
    if scenario_id is not None:
        await _check_scenario(call, stored, scenario_id)
    elif action == "start":
        scenario_id = await _the_only_one(call, stored)
    time = clock.now_ms()
    await publish(call, [device_id], action, time, scenario_id, how)
    return SimulationAccepted(device_id=device_id, scenario_id=scenario_id, time=time)


async def show(call: Call, device_id: str) -> Simulation:
    """What a device plays; a device that was never simulated is stopped."""
    await access.load(call, PERMISSION, device_id)
    name = simulations.name(call.scope.project_id, device_id)
    found = (await firestore.batch_get([name])).get(name)
    if found is None:
        return Simulation(device_id=device_id)
    return shown(simulations.from_fields(name, values.from_fields(found.fields)))


def shown(one: simulations.Simulation) -> Simulation:
    """A simulation as it is answered, as it is now."""
    now = clock.now_ms()
    return Simulation(
        device_id=one.device_id,
        state=one.state_at(now),
        scenario_id=one.scenario_id,
        seed=one.seed if one.content is not None else None,
        started=one.start_time,
        position=one.position_at(now) if one.loop else min(one.position_at(now), one.duration),
        duration=one.duration or None,
        loop=one.loop,
    )


def not_simulated(device_id: str) -> ApiError:
    """409 for a device that is not simulated."""
    return ApiError(
        409,
        "device.notSimulated",
        f"the device {device_id!r} is not simulated",
        "set its field simulated to true; a device that is real should not be",
    )


async def publish(
    call: Call,
    device_ids: Sequence[str],
    action: Action,
    time: int,
    scenario_id: str | None = None,
    how: Playing | None = None,
) -> None:
    """Send a command, and return when it is safe."""
    wire: dict[str, Any] = how.wire() if how is not None else {}
    command = Simulate(
        action=action,
        stamp=(time, ids.new_id()),
        project_id=call.scope.project_id,
        device_ids=list(device_ids),
        scenario_id=scenario_id,
        seed=wire.get("seed"),
        faults=wire.get("faults"),
        stagger=wire.get("stagger", 0),
    )
    attributes = {"v": VERSION, "hops": "1", "projectId": call.scope.project_id}
    await pubsub.publish(simulations.TOPIC, [(_encode(command), attributes)])


async def _check_scenario(call: Call, stored: Stored[Device], scenario_id: str) -> None:
    scenario = await call.scope.get(SCENARIO, scenario_id)
    blueprint_id = stored.fields.get("blueprintId")
    if scenario.fields.get("blueprintId") != blueprint_id:
        raise ApiError(
            409,
            "scenario.otherBlueprint",
            f"the scenario {scenario_id!r} is of another blueprint than the device {stored.id!r}",
            "choose one of the device's own blueprint",
        )


async def _the_only_one(call: Call, stored: Stored[Device]) -> str | None:
    """What a device is to play that nobody says of: None for what it played last, if it did."""
    name = simulations.name(call.scope.project_id, stored.id)
    known = (await firestore.batch_get([name], ["content"])).get(name)
    if known is not None and "content" in known.fields:
        return None
    where = (Where("blueprintId", "==", stored.fields.get("blueprintId")),)
    found = (await call.scope.page(SCENARIO, Query(where, limit=2))).items
    if len(found) != 1:
        raise ApiError(
            409,
            "simulation.whichScenario",
            "its blueprint has no scenario" if not found else "its blueprint has several scenarios",
            "create one first" if not found else "name one by scenarioId",
        )
    return found[0].id
