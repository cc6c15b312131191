"""From a delivery to what it asks of simulated devices, and what of it is refused. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from fulcrum.simulation.scenario import Faults
from shared import names, outbox
from shared.envelope import Delivery
from shared.errors import Rejected
from shared.messages import Simulate

MAX_DEVICES = 1_000
MAX_ID = 200
MAX_STAMP = 2**53
MAX_STAGGER_MS = 3_600_000
_ID = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")
_decode = msgspec.json.Decoder(Simulate).decode


class Asked(NamedTuple):
    """A command, with its place in the delivery and its bytes."""

    command: Simulate
    place: int
    data: bytes


def read(delivery: Delivery) -> tuple[list[Asked], list[outbox.Refused]]:
    """The commands of a delivery, and what of it is none."""
    return outbox.read(delivery, lambda _, place, data: [Asked(_command(delivery, data), place, data)])


def _command(delivery: Delivery, data: bytes) -> Simulate:
    try:
        command = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("message.undecodable", f"not a message for simulations: {error}") from None
    if outbox.project_of(delivery, command.project_id, "simulation") == names.NO_PROJECT:
        raise Rejected("simulation.project", "a simulation belongs to a project")
    time, by = command.stamp
    if not -MAX_STAMP <= time <= MAX_STAMP or len(by) > MAX_ID:
        raise Rejected("simulation.stamp", "the stamp is no (epoch ms, id)")
    if not 0 < len(command.device_ids) <= MAX_DEVICES:
        raise Rejected("simulation.devices", f"name 1 to {MAX_DEVICES} devices")
    for one in (*command.device_ids, command.scenario_id or "s"):
        if not _ID.match(one):
            raise Rejected("simulation.id", f"{one[:100]!r} is no id")
    if not 0 <= command.stagger <= MAX_STAGGER_MS:
        raise Rejected("simulation.stagger", f"stagger is 0 to {MAX_STAGGER_MS} ms")
    if command.seed is not None and not 0 <= command.seed < 2**53:
        raise Rejected("simulation.seed", "a seed is 0 to 2^53 - 1")
    if command.action == "play" and command.scenario_id is None:
        raise Rejected("simulation.scenario", "say which scenario is to be played")
    if command.faults is not None:
        try:
            msgspec.convert(command.faults, Faults)
        except msgspec.ValidationError as error:
            raise Rejected("simulation.faults", f"faults: {error}") from None
    return command
