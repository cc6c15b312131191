"""A delivery on its way through the service: what is known, what is unknown, what is set aside. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from functions.message_processor import plan as plans
from functions.message_processor.directory import Resolved, Result
from functions.message_processor.events import Ack, Key, Message, Reply, decode, encode, key_of
from functions.message_processor.plan import Plan
from shared.envelope import Contents
from shared.errors import Rejected
from shared.routes import Step

if TYPE_CHECKING:
    from functions.message_processor.attributes import Misfit
    from shared.attributes.checks import Checks


class Batch(msgspec.Struct):
    """The messages of a delivery; lists over the same messages have the same order.

    ``places``: the place of each decoded message in the delivery.
    """

    contents: Contents
    places: list[int] = []
    messages: list[Message] = []
    by_key: dict[Key, list[int]] = {}
    refused: dict[int, Rejected] = {}


class Routed(msgspec.Struct):
    """The messages of known devices, encoded, with their steps; ``places`` as in the batch.

    ``misfits``: those whose values do not fit their attributes, where these only warn.
    """

    places: list[int] = []
    data: list[bytes] = []
    projects: list[str] = []
    steps: list[list[Step]] = []
    misfits: list[Misfit] = []


def read(contents: Contents) -> Batch:
    """Decode each message by itself."""
    batch = Batch(contents)
    for place, raw in enumerate(contents.messages):
        try:
            message = decode(raw)
            key = key_of(message)
        except Rejected as error:
            batch.refused[place] = error
            continue
        batch.by_key.setdefault(key, []).append(len(batch.messages))
        batch.places.append(place)
        batch.messages.append(message)
    return batch


def taken_plan(resolved: Resolved, message: Message, rest: Any) -> Plan:
    """The plan of one message: its device's for its type, then the rest of the route that it came with.

    What is said of messages to devices always goes to whoever keeps these.
    """
    if isinstance(message, Reply):
        return plans.followed_by(plans.REPLY, rest) if rest else plans.REPLY
    own = resolved.ack_plan if isinstance(message, Ack) else resolved.data_plan
    return plans.followed_by(own, rest) if rest else own


def needs_state(batch: Batch, devices: Mapping[Key, Result]) -> set[Key]:
    """The devices whose current state a condition of their route reads."""
    return {
        key
        for key, indexes in batch.by_key.items()
        if isinstance(found := devices[key], Resolved)
        and (batch.contents.route or found.data_plan.reads_state or found.ack_plan.reads_state)
        and any(taken_plan(found, batch.messages[i], batch.contents.route).reads_state for i in indexes)
    }


def route(batch: Batch, devices: Mapping[Key, Result], states: Mapping[Key, Any]) -> Routed:
    """Encode the messages of known devices and find their steps; what cannot go is added to ``refused``.

    The order of the delivery is kept. ``states``: the current data of the devices that need it.
    """
    routed = Routed()
    rest = batch.contents.route
    owners: list[tuple[Key, Resolved] | None] = [None] * len(batch.messages)
    for key, indexes in batch.by_key.items():
        found = devices[key]
        if isinstance(found, Resolved):
            if found.checks is not None:
                indexes = _fitting(batch, indexes, found.checks, found.device.device_id, routed)
            for index in indexes:
                owners[index] = (key, found)
        elif found is not None:
            batch.refused.update({batch.places[index]: found for index in indexes})
    for index, owner in enumerate(owners):
        if owner is None:
            continue
        key, resolved = owner
        message = batch.messages[index]
        encoded = encode(message, resolved.device)
        taken = taken_plan(resolved, message, rest)
        try:
            facts = {**resolved.facts, "data": states.get(key)} if taken.conditional else {}
            steps = plans.steps(taken, facts, encoded)
        except Rejected as error:
            batch.refused[batch.places[index]] = error
            continue
        routed.places.append(batch.places[index])
        routed.data.append(encoded)
        routed.projects.append(resolved.device.project_id)
        routed.steps.append(steps)
    return routed


def _fitting(batch: Batch, indexes: list[int], checks: Checks, device_id: str, routed: Routed) -> list[int]:
    """Those of a device's messages that pass its checks."""
    # A start without checks does not pay for them.
    from functions.message_processor.attributes import misfit

    passed = []
    for index in indexes:
        try:
            found = misfit(checks, batch.messages[index], device_id)
        except Rejected as error:
            batch.refused[batch.places[index]] = error
            continue
        if found:
            routed.misfits.append(found)
        passed.append(index)
    return passed


def unknown(batch: Batch, devices: Mapping[Key, Result]) -> dict[Key, tuple[list[int], Raw]]:
    """The unknown names: the received times of their events, and the last event's text."""
    found: dict[Key, tuple[list[int], Raw]] = {}
    for key, indexes in batch.by_key.items():
        if devices[key] is None:
            times = [batch.messages[index].received_time for index in indexes]
            found[key] = (times, batch.contents.messages[batch.places[indexes[-1]]])
    return found
