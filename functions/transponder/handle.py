"""One delivery, step by step: decode, store, set aside what cannot be stored, send the others on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from fulcrum.core import fold
from functions.transponder import plan
from functions.transponder.cache import States
from functions.transponder.decode import Arrival, Batch, decode
from shared import clock
from shared.envelope import Delivery, check_hops
from shared.errors import Rejected
from shared.gather import Gathering, Limits
from shared.log import listed, log
from shared.loops import PerLoop
from shared.messages import MAX_BATCH_EVENTS

# What talks to stores and topics is imported when there is something to store or to send, so that a new
# instance answers sooner.
if TYPE_CHECKING:
    from shared.quarantine import SetAside

SERVICE = "transponder"
TOPIC = "writer"
# By events. So many as are worth a cycle cost hardly less together with more; of fewer, all that come within
# 10 ms share one while there is traffic: their senders have their answers.
LIMITS = Limits(weight=MAX_BATCH_EVENTS, worth=100, pause=0.01, early=False)


class _Instance:
    """What the deliveries of one instance share, on one event loop."""

    def __init__(self) -> None:
        self.states = States()
        self._gathering = Gathering(self._store, LIMITS)

    async def store(self, arrivals: list[Arrival]) -> None:
        """Return when the arrivals' fates are settled; raises what storing them raised.

        A device is never in two cycles at the same time, so that an instance does not compete with itself.
        """
        if arrivals:
            devices = {arrival.device for arrival in arrivals if plan.needs_state(arrival)}
            await self._gathering.add(arrivals, len(arrivals), claims=devices)

    async def _store(self, deliveries: list[list[Arrival]]) -> None:
        from functions.transponder.store import Storing

        await Storing(self.states).store([arrival for arrivals in deliveries for arrival in arrivals])


# The parts of this instance.
instance = PerLoop(_Instance)


async def handle(delivery: Delivery, trace: str | None = None) -> None:
    """Store a delivery. When it returns, the delivery may be acknowledged; Transient: it must come again."""
    began = time.perf_counter()
    try:
        check_hops(delivery)
        batch = decode(delivery, clock.now_ms())
    except Rejected as error:
        await _set_aside([_entry(delivery, None, delivery.data, 0, error)], trace)
        return
    await instance().store(batch.arrivals)
    await _set_aside(_refused(delivery, batch), trace)
    published: list[str] = []
    await _again(delivery, batch, published)
    await _heard_of(delivery, batch, published)
    unsent = await _onward(delivery, batch, published)
    await _set_aside(unsent, trace)
    counts = {
        "events": len(batch.arrivals) + len(batch.refusals),
        "stored": sum(arrival.is_stored for arrival in batch.arrivals),
        "setAside": len(batch.refusals) + sum(a.refused is not None for a in batch.arrivals),
        "gone": sum(arrival.gone for arrival in batch.arrivals),
        "again": sum(arrival.lost for arrival in batch.arrivals),
    }
    shown: dict[str, Any] = {
        name: count for name, count in counts.items() if count or name in ("events", "stored")
    }
    ms = round((time.perf_counter() - began) * 1000, 1)
    if published:
        shown |= {"published": listed(published)}
    log("INFO", "batch stored", trace=trace, **shown, ms=ms, **delivery.named())


def _refused(delivery: Delivery, batch: Batch) -> list[SetAside]:
    entries = [_entry(delivery, batch, bytes(one.raw), one.index, one.error) for one in batch.refusals]
    entries += [
        _arrived(delivery, batch, one, one.refused) for one in batch.arrivals if one.refused is not None
    ]
    return entries


def _arrived(delivery: Delivery, batch: Batch, arrival: Arrival, error: Rejected) -> SetAside:
    project_id = arrival.message.project_id
    return _entry(delivery, batch, bytes(arrival.raw), arrival.index, error, project_id)


def _entry(
    delivery: Delivery,
    batch: Batch | None,
    data: bytes,
    index: int,
    error: Rejected,
    project_id: str | None = None,
) -> SetAside:
    from shared.quarantine import SetAside

    return SetAside(
        error,
        data,
        SERVICE,
        TOPIC,
        delivery.message_id,
        index,
        project_id or delivery.attributes.get("projectId"),
        batch.options if batch else {},
        batch.route if batch else None,
    )


async def _set_aside(entries: Sequence[SetAside], trace: str | None) -> None:
    if entries:
        from shared.quarantine import set_aside

        await set_aside(entries, trace)


async def _again(delivery: Delivery, batch: Batch, published: list[str]) -> None:
    """Publish again what lost its device to others too often: the rest of the delivery is done."""
    lost = [arrival for arrival in batch.arrivals if arrival.lost]
    if not lost:
        return
    from shared import forward
    from shared.routes import Step

    step = Step(TOPIC, dict(batch.options), batch.route)
    parcels = forward.pack(
        [bytes(arrival.raw) for arrival in lost],
        [arrival.message.project_id for arrival in lost],
        [[step]] * len(lost),
        delivery.hops,
    )
    for error in (await forward.publish(parcels)).values():
        raise error
    published += forward.message_ids(parcels)


async def _heard_of(delivery: Delivery, batch: Batch, published: list[str]) -> None:
    """Tell of the devices that messages wait for that they are there.

    That they do stands in their documents. Whoever writes it there has the next event of the device read it,
    so that no other event costs anything.
    """
    now = clock.now_ms()
    there = {
        (arrival.message.project_id, arrival.message.device_id)
        for arrival in batch.arrivals
        if arrival.messages_wait is not None
        and arrival.messages_wait <= now
        and arrival.is_stored
        # What people, scripts and timers set is no sign of life.
        and arrival.message.source is None
    }
    if not there:
        return
    from shared import forward
    from shared.messages import DeviceSeen
    from shared.routes import Step

    data = [msgspec.json.encode(DeviceSeen(project_id=project, device_id=one)) for project, one in there]
    steps = [[Step("outbound", {}, [])]] * len(data)
    parcels = forward.pack(data, [project for project, _ in there], steps, delivery.hops + 1)
    for error in (await forward.publish(parcels)).values():
        raise error
    published += forward.message_ids(parcels)


async def _onward(delivery: Delivery, batch: Batch, published: list[str]) -> list[SetAside]:
    """Send what is stored along the rest of the route; returns what cannot go there."""
    if not batch.route:
        return []
    from shared import forward

    stored = [arrival for arrival in batch.arrivals if arrival.is_stored]
    going = [
        forward.Onward(bytes(arrival.raw), arrival.message.project_id, _facts(arrival)) for arrival in stored
    ]
    refused = await forward.onward(going, batch.route, delivery.hops, published)
    return [_arrived(delivery, batch, stored[index], error) for index, error in refused.items()]


def _facts(arrival: Arrival) -> dict[str, Any]:
    """What conditions may read of the device: its ids, and its data before this batch."""
    message = arrival.message
    facts = {
        "id": message.device_id,
        "projectId": message.project_id,
        "systemId": message.system_id,
        "blueprintId": message.blueprint_id,
        "data": fold.derive(fold.decode(arrival.before.registers)) if arrival.before else {},
    }
    return {name: value for name, value in facts.items() if value is not None}
