"""One delivery from ``default-processor``: resolve, route, publish; set aside and record what remains."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from functions.message_processor import batch as batches
from functions.message_processor import unknown as unknown_devices
from functions.message_processor.batch import Batch
from functions.message_processor.directory import Directory, Resolved, Result
from functions.message_processor.events import Key, project_of
from functions.message_processor.send import Sending
from shared import names, values
from shared.clients import firestore
from shared.clients.rpc import RETRYABLE_NUMBERS
from shared.envelope import Delivery, check_hops, unwrap
from shared.errors import Rejected, Transient
from shared.log import listed, log
from shared.loops import PerLoop
from shared.quarantine import SetAside, set_aside

if TYPE_CHECKING:
    from functions.message_processor.attributes import Misfit

SERVICE = "message_processor"
TOPIC = "default-processor"
_RECORD_TRIES = 4


class _Instance:
    """What the deliveries of one instance share, on one event loop."""

    def __init__(self) -> None:
        self.directory = Directory()
        self.sending = Sending()


# The parts of this instance.
instance = PerLoop(_Instance)


async def process(delivery: Delivery, trace: str | None = None) -> None:
    """Handle a delivery; returns when everything that comes of it is confirmed. Transient otherwise."""
    began = time.perf_counter()
    try:
        check_hops(delivery)
        batch = batches.read(unwrap(delivery.data))
    except Rejected as error:
        project = delivery.attributes.get("projectId")
        whole = SetAside(error, delivery.data, SERVICE, TOPIC, delivery.message_id, project_id=project)
        await set_aside([whole], trace)
        _log_batch(delivery, began, trace, {"quarantined": 1})
        return
    parts = instance()
    devices = await parts.directory.resolve(batch.by_key)
    states = await _states(batches.needs_state(batch, devices), devices)
    routed = batches.route(batch, devices, states)
    refused, published = await parts.sending.send(routed, delivery.hops + 1)
    for index, refusal in refused.items():
        batch.refused[routed.places[index]] = refusal
    await set_aside([_entry(delivery, batch, place) for place in sorted(batch.refused)], trace)
    unknown = batches.unknown(batch, devices)
    await _record(unknown)
    # An empty route, or one whose conditions all fail, is how a user says that a message goes no further.
    ended = sum(not steps for steps in routed.steps)
    counts = {
        "messages": len(batch.contents.messages),
        "forwarded": len(routed.data) - len(refused) - ended,
        "ended": ended,
        "unknown": sum(len(times) for times, _ in unknown.values()),
        "quarantined": len(batch.refused),
    }
    if routed.misfits:
        counts["mistyped"] = len(routed.misfits)
    _log_batch(delivery, began, trace, counts, unknown, routed.misfits, published)


async def _states(keys: set[Key], devices: Mapping[Key, Result]) -> dict[Key, Any]:
    """The current data of devices, read now: it changes with every event, so it is never remembered."""
    documents: dict[Key, str] = {}
    for key in keys:
        found = devices[key]
        if isinstance(found, Resolved):
            documents[key] = names.device(found.device.project_id, found.device.device_id)
    read = await firestore.batch_get(documents.values(), ["data"])
    return {
        key: values.from_fields(read[name].fields).get("data")
        for key, name in documents.items()
        if name in read
    }


def _entry(delivery: Delivery, batch: Batch, place: int) -> SetAside:
    contents = batch.contents
    raw = contents.messages[place]
    return SetAside(
        batch.refused[place],
        bytes(raw),
        SERVICE,
        TOPIC,
        delivery.message_id,
        place,
        delivery.attributes.get("projectId") or project_of(raw),
        contents.options,
        contents.route,
    )


async def _record(unknown: Mapping[Key, tuple[list[int], Any]]) -> None:
    """Write the records of unknown names. The last thing that is done, as a count is not idempotent."""
    writes = [unknown_devices.write(key, times, sample) for key, (times, sample) in unknown.items()]
    for attempt in range(_RECORD_TRIES):
        if not writes:
            return
        if attempt:
            await asyncio.sleep(random.uniform(0.01, 0.05) * 2**attempt)
        codes = await _write(writes)
        for write, code in zip(writes, codes, strict=True):
            if code and code not in RETRYABLE_NUMBERS:
                log("ERROR", "unknown device not recorded", document=write.update.name, code=code)
        writes = [write for write, code in zip(writes, codes, strict=True) if code in RETRYABLE_NUMBERS]
    raise Transient(f"{len(writes)} records of unknown devices could not be written")


async def _write(writes: list[Any]) -> list[int]:
    try:
        return await firestore.batch_write(writes)
    except Rejected:
        if len(writes) == 1:
            return [3]
    # One of them spoils the call for all: each by itself.
    return [code for write in writes for code in await _write([write])]


def _log_batch(
    delivery: Delivery,
    began: float,
    trace: str | None,
    counts: Mapping[str, int],
    unknown: Mapping[Key, Any] | None = None,
    misfits: Sequence[Misfit] = (),
    published: Sequence[str] = (),
) -> None:
    sample: dict[str, Any] = {}
    if published:
        sample["published"] = listed(published)
    if unknown:
        key = next(iter(unknown))
        names_by_network = Counter(k.network for k in unknown)
        sample = {
            "unknownNames": len(unknown),
            "unknownNetworks": dict(names_by_network.most_common(3)),
            "unknownSample": [key.network, key.alias_key, key.value],
        }
    if misfits:
        sample["mistypedSample"] = misfits[0].log_fields()
    log(
        "INFO",
        "batch",
        trace=trace,
        **delivery.named(),
        hops=delivery.hops,
        **counts,
        **sample,
        ms=round((time.perf_counter() - began) * 1000, 1),
    )
