"""Operations that run simulations, show them, and make scenarios of what devices reported.

No postponed annotations here: the framework reads the handlers' annotations.
"""

from typing import Annotated

from fastapi import Path, Query, Response

from functions.api.devices.parameters import DeviceId
from functions.api.needs import Call, needs
from functions.api.resources import lists
from functions.api.resources.answers import GONE, etag, problem
from functions.api.router import Router
from functions.api.simulation import many, recording, running
from shared.model.page import Page
from shared.model.scenario import Scenario
from shared.model.simulation import (
    PlayScenario,
    RecordScenario,
    SimulateBlueprint,
    SimulateMany,
    Simulation,
    SimulationAccepted,
    SimulationsAccepted,
    SimulationState,
    StartSim,
)

router = Router("device")
of_blueprints = Router("blueprint")
_MAY = needs(running.PERMISSION, anywhere=True)
_REFUSED = GONE | {409: problem("The device is not simulated, or the scenario is of another blueprint")}
_SOON = "It takes effect within one or two seconds."
ProjectId = Annotated[str, Path(max_length=200, description="The id of the project")]


@router.post(
    "/device/{device_id}/startSim",
    status_code=202,
    operation_id="device_start_sim",
    summary="Start a device's simulation, or go on with it",
    description="A paused device goes on where it was. Any other plays the scenario that is named, else the "
    "one that it played last, else the only one of its blueprint. Devices that are not simulated are "
    f"refused. {_SOON}",
    responses=_REFUSED,
)
async def start_sim(
    device_id: DeviceId, call: Annotated[Call, _MAY], body: StartSim | None = None
) -> SimulationAccepted:
    return await running.run(call, device_id, "start", body.scenario_id if body else None, body)


@router.post(
    "/device/{device_id}/pauseSim",
    status_code=202,
    operation_id="device_pause_sim",
    summary="Pause a device's simulation",
    description=f"It sends nothing, and keeps its place in the scenario. {_SOON}",
    responses=GONE,
)
async def pause_sim(device_id: DeviceId, call: Annotated[Call, _MAY]) -> SimulationAccepted:
    return await running.run(call, device_id, "pause")


@router.post(
    "/device/{device_id}/resetSim",
    status_code=202,
    operation_id="device_reset_sim",
    summary="Set a device's simulation back to its beginning",
    description=f"A device that plays plays on from the beginning; a paused one stays paused. {_SOON}",
    responses=_REFUSED,
)
async def reset_sim(device_id: DeviceId, call: Annotated[Call, _MAY]) -> SimulationAccepted:
    return await running.run(call, device_id, "reset")


@router.post(
    "/device/{device_id}/playScenario",
    status_code=202,
    operation_id="device_play_scenario",
    summary="Play a scenario on a device",
    description="Plays it from its beginning, in place of what the device plays now. The same seed gives the "
    f"same events. Devices that are not simulated are refused. {_SOON}",
    responses=_REFUSED,
)
async def play_scenario(
    device_id: DeviceId, body: PlayScenario, call: Annotated[Call, _MAY]
) -> SimulationAccepted:
    return await running.run(call, device_id, "play", body.scenario_id, body)


@router.post(
    "/device/{device_id}/stopScenario",
    status_code=202,
    operation_id="device_stop_scenario",
    summary="Stop a device's simulation",
    description=f"It sends nothing any more until it is started again, from the beginning. {_SOON}",
    responses=GONE,
)
async def stop_scenario(device_id: DeviceId, call: Annotated[Call, _MAY]) -> SimulationAccepted:
    return await running.run(call, device_id, "stop")


@router.get(
    "/device/{device_id}/simulation",
    operation_id="device_simulation",
    summary="What a device plays, and where it is in it",
    description="Its state, the scenario, and its position. A device that was never simulated is stopped.",
    responses=GONE,
)
async def simulation(device_id: DeviceId, call: Annotated[Call, _MAY]) -> Simulation:
    return await running.show(call, device_id)


@router.post(
    "/device/{device_id}/recordScenario",
    status_code=201,
    operation_id="device_record_scenario",
    summary="Make a scenario of a device's history",
    description="What the device reported from start to end becomes a scenario of its blueprint, which other "
    "devices may play: the same values, at the same distances in time. Needs scenario.create, too.",
    responses=GONE | {504: problem("The history took too long to read")},
)
async def record_scenario(
    device_id: DeviceId,
    body: RecordScenario,
    response: Response,
    call: Annotated[Call, needs("device.readHistory", anywhere=True)],
) -> Scenario:
    call.require("scenario.create")
    stored = await recording.record(call, device_id, body)
    etag(response, stored)
    return stored.model()


@router.post(
    "/project/{project_id}/simulations",
    status_code=202,
    operation_id="device_simulate",
    summary="Run the simulations of many devices",
    description="Plays, starts, pauses, resets or stops the devices that are named, or the simulated ones of "
    "a system or a blueprint: 500 of them at a time, and 'next' says that there are more. Those that are "
    f"named and not simulated are told, and the others play. {_SOON}",
    responses=GONE,
)
async def simulate(
    project_id: ProjectId, body: SimulateMany, call: Annotated[Call, _MAY]
) -> SimulationsAccepted:
    return await many.run(call, body, body.device_ids, body.blueprint_id)


@router.get(
    "/project/{project_id}/simulations",
    operation_id="device_simulation_list",
    summary="List what a project's devices play",
    description="A page of the simulations of the devices that the caller may run, by the device's id. "
    "A state is the one that was noted last: of a scenario that has just ended, playing.",
    responses=GONE,
)
async def simulation_list(
    project_id: ProjectId,
    call: Annotated[Call, _MAY],
    state: Annotated[SimulationState | None, Query(description="Only those in this state")] = None,
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
) -> Page[Simulation]:
    return await many.page(call, state, per_page, cursor)


@of_blueprints.post(
    "/blueprint/{blueprint_id}/simulate",
    status_code=202,
    operation_id="blueprint_simulate",
    summary="Run the simulations of a blueprint's devices",
    description="Plays, starts, pauses, resets or stops the simulated devices of a blueprint, of one system "
    f"or all: 500 of them at a time, and 'next' says that there are more. {_SOON}",
    responses=GONE,
)
async def simulate_blueprint(
    blueprint_id: Annotated[str, Path(max_length=200, description="The id of the blueprint")],
    body: SimulateBlueprint,
    call: Annotated[Call, _MAY],
) -> SimulationsAccepted:
    return await many.run(call, body, None, blueprint_id)


router.take(of_blueprints)
