"""Runs the event of a fixture in this process, as the platform's worker would, and gives its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fulcrum.script import identity, wire
from fulcrum.script.running import Runner, TimeLimit
from fulcrum.script.testing import fixture
from fulcrum.script.testing.fixture import Fixture
from fulcrum.script.testing.limiting import Limit

if TYPE_CHECKING:
    from fulcrum.script.carrying import World
    from fulcrum.script.loading import Code


def run(code: Code, case: Fixture, limit: Limit | None = None) -> wire.Outcome:
    """The outcome of a fixture's event."""
    return run_all(code, [case], limit)[0]


def run_all(code: Code, cases: Sequence[Fixture], limit: Limit | None = None) -> list[wire.Outcome]:
    """The outcomes of several events, one after the other: each finds what those before it left.

    Definitions, states and caches are those of the first event of each device; a script's id, entry and
    cache those of the first event. ``limit`` ends one that runs for longer than it may on the platform.
    """
    runner, made = Runner(code), call(cases)
    world = runner.world(made)
    outcomes = []
    try:
        for event in made.events:
            outcome = _one(runner, made.entry, event, world, limit or Limit(None))
            world.follow(event, outcome)
            outcomes.append(outcome)
    finally:
        runner.close()
    return outcomes


def _one(runner: Runner, entry: str, event: wire.Event, world: World, limit: Limit) -> wire.Outcome:
    try:
        with limit.within(runner.limits.seconds_per_event):
            return runner.run_event(entry, event, world)
    except TimeLimit as error:
        # It struck at the very end, outside of the script.
        failure = wire.Failure(kind="timeout", type="TimeLimit", message=str(error))
        return wire.Outcome(key=event.key, status="failed", failure=failure)


def call(cases: Sequence[Fixture]) -> wire.Call:
    """The call that the events make."""
    first = cases[0]
    devices: dict[str, wire.Device] = {}
    caches: dict[str, Any] = {}
    systems: dict[str, dict[str, Any]] = {}
    blueprints: dict[str, dict[str, Any]] = {}
    for case in cases:
        device_id = case.message.get("deviceId")
        if device_id is None or device_id in devices:
            continue
        given = case.given
        definition = _device(case, device_id)
        devices[device_id] = wire.Device(device=definition, registers=_registers(given))
        if "cache" in given:
            caches[device_id] = given["cache"]
        for kind, found in (("system", systems), ("blueprint", blueprints)):
            if kind in given:
                found[_named(kind, case, definition)] = given[kind]
    return wire.Call(
        script_id=first.script,
        project_id=str(first.message.get("projectId", fixture.PROJECT)),
        entry=first.entry,
        project=first.given.get("project", {}),
        systems=systems,
        blueprints=blueprints,
        devices=devices,
        caches=caches,
        script_cache=first.given.get("scriptCache"),
        events=[_event(case, at) for at, case in enumerate(cases)],
    )


def _device(case: Fixture, device_id: str) -> dict[str, Any]:
    """The device's definition, which names the system and the blueprint that stand beside it."""
    made: dict[str, Any] = {"id": device_id, **case.given.get("device", {})}
    for kind in ("system", "blueprint"):
        if kind in case.given:
            made.setdefault(f"{kind}Id", case.given[kind].get("id", kind))
    return made


def _named(kind: str, case: Fixture, device: Mapping[str, Any]) -> str:
    """The id under which a script finds its event's system or blueprint."""
    return str(case.message.get(f"{kind}Id") or device[f"{kind}Id"])


def _registers(given: Mapping[str, Any]) -> str:
    if "registers" in given:
        return str(given["registers"])
    return fixture.registers(given.get("deviceData", {})).decode()


def _event(case: Fixture, at: int) -> wire.Event:
    message = case.message
    device_id = message.get("deviceId")
    parts = (
        str(message.get("projectId", fixture.PROJECT)),
        str(device_id or ""),
        str(message.get("id", "")),
        str(message.get("hash", "")),
        case.script,
    )
    return wire.Event(
        key=identity.run_key(*parts, str(at)),
        message=message,
        now=case.now,
        seed=case.seed or identity.seed(*parts),
        device_id=device_id,
        params=case.given.get("params", {}),
    )
