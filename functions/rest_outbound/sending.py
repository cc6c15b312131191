"""An attempt to hand a message over: its record is claimed, the request is made, and what came of it noted.

Whoever claims holds the record's lease. A process that ends between request and note makes the request again
once the lease has run out, under the same Idempotency-Key; so once, or rarely twice.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import msgspec

from fulcrum.core import ids
from functions.rest_outbound import arming
from functions.rest_outbound.arming import ExpireMessage, SendMessage
from shared import (
    clock,
    names,
    outbound,
    outbound_request,
    outbound_secrets,
    outbound_store,
    url_rules,
    values,
)
from shared.clients import firestore, outside
from shared.config import settings
from shared.errors import Rejected, Transient
from shared.outbound import Record
from shared.outbound_request import Facts
from shared.url_rules import Network

# Answers after which the same request may work later.
_LATER = frozenset({408, 425, 429})
_MAX_BODY = 1_000
_NOTE_TRIES = 6
# A task may come this much too early by this machine's clock, and is waited for.
_EARLY_MS = 2_000
# How long (s) an older message of the same key is waited for here, before the task is to come again.
_PAUSES = (0.1, 0.2, 0.4, 0.8)


async def send(task: SendMessage) -> str:
    """Make an attempt; what came of it. Transient: the task is to come again."""
    stored = (await outbound_store.read(task.project_id, [task.msg_id])).get(task.msg_id)
    if stored is None:
        return "gone"
    record = await _in_turn(stored.record)
    if record.state != "queued":
        return record.state
    verdict: list[Literal["stale", "busy"]] = []

    def take(before: Record) -> Record | None:
        now = clock.now_ms()
        if (late := outbound.expired(before, now)) is not None:
            return late
        claimed = outbound.claim(before, task.attempt, now)
        if isinstance(claimed, Record):
            return claimed
        verdict[:] = [claimed]
        return None

    claimed, done = await outbound_store.change(task.project_id, task.msg_id, take, stored)
    if claimed is None:
        return "gone"
    if not done:
        if verdict == ["busy"]:
            raise Transient("the message is being handed over")
        # The process that noted this attempt may have ended before it arranged the next.
        await _again(claimed)
        return "stale"
    return claimed.state if claimed.state != "queued" else await _attempt(claimed)


async def _in_turn(record: Record) -> Record:
    """The record when no older message of its key is under way to the device; Transient: it takes long."""
    for pause in _PAUSES:
        record, older_leased = await outbound_store.settle_key(record)
        if record.state != "queued" or not older_leased:
            return record
        await asyncio.sleep(pause)
    raise Transient("an older message of its key is being handed over")


async def _attempt(claimed: Record) -> str:
    """The request of who holds the lease, and the note of what came of it."""
    try:
        answer, secrets = await _request(claimed)
    except Rejected as error:
        problem = f"{error.error_type}: {error.message}"
        return await _note(claimed, lambda before, now: outbound.failed(before, now, problem))
    except Transient as error:
        return await _away(claimed, str(error))
    if 200 <= answer.status < 300:
        info: dict[str, Any] = {"status": answer.status}
        if answer.body:
            info["body"] = outbound_secrets.hidden(answer.body.decode(errors="replace"), secrets)[:_MAX_BODY]
        return await _note(claimed, lambda before, now: outbound.sent(before, now, info, held=True))
    said = f"the URL answered {answer.status}"
    if answer.status >= 500 or answer.status in _LATER:
        return await _away(claimed, said)
    return await _note(claimed, lambda before, now: outbound.failed(before, now, said))


async def _away(claimed: Record, error: str) -> str:
    state = await _note(claimed, lambda before, now: outbound.away(before, now, error))
    return "away" if state == "queued" else state


async def _note(claimed: Record, decide: Callable[[Record, int], Record | None]) -> str:
    """Write down what came of an attempt. A store that fails is asked again: unwritten, it is made twice."""
    for attempt in range(_NOTE_TRIES):
        try:
            after, _ = await outbound_store.change(
                claimed.project_id, claimed.msg_id, lambda before: decide(before, clock.now_ms())
            )
            break
        except Transient:
            if attempt + 1 == _NOTE_TRIES:
                raise
            await asyncio.sleep(random.uniform(0.05, 0.1) * 2**attempt)
    if after is None:
        return "gone"
    await _again(after)
    return after.state


async def _again(record: Record) -> None:
    """Arrange the next attempt of a message that waits, and that its device is looked out for."""
    if record.state == "queued" and record.next_try is not None:
        await outbound_store.mark_waiting(record.project_id, record.device_id, outbound.heard_from(record))
        await arming.next_attempt(record)


async def _request(record: Record) -> tuple[outside.Answer, dict[str, str]]:
    """What the network's URL answers, and the secret headers that it was sent."""
    device_name, network_name = (
        names.device(record.project_id, record.device_id),
        names.network(record.network_id),
    )
    found = await firestore.batch_get(
        [device_name, network_name],
        ["networkAliases", "deleted", "projectId", "aliasKeys", "outbound", "secretHeaders"],
    )
    device, network = (
        values.from_fields(found[name].fields) if name in found else {}
        for name in (device_name, network_name)
    )
    way = network.get("outbound") or {}
    if device is None or device.get("deleted"):
        raise Rejected("outbound.noDevice", "the device is gone")
    if network.get("projectId") != record.project_id or way.get("transport") != "rest":
        raise Rejected("outbound.noTransport", "the device's network sends no requests any more")
    facts = Facts(
        record.msg_id,
        record.device_id,
        record.network_id,
        record.project_id,
        (device.get("networkAliases") or {}).get(record.network_id) or {},
        next(iter(network.get("aliasKeys") or ()), None),
        msgspec.json.decode(record.message),
    )
    headers = {"User-Agent": "Fulcrum", "Content-Type": "application/json", "Accept-Encoding": "identity"}
    headers |= way.get("headers") or {}
    secrets = outbound_secrets.unseal(record.network_id, network.get("secretHeaders") or {})
    headers |= secrets
    # By it whoever is called tells that a request is a repeat.
    headers["Idempotency-Key"] = ids.digest("message", record.project_id, record.msg_id)
    answer = await outside.request(
        way.get("method", "POST"),
        outbound_request.url(way["urlTemplate"], facts),
        headers,
        msgspec.json.encode(outbound_request.body(way.get("body"), facts)),
        allowed=_networks(settings().text("URL_NETWORKS", "")),
        # A redirect to some page that answers 200 has handed nothing over.
        whole=True,
    )
    return answer, secrets


async def expire(task: ExpireMessage) -> str:
    """Give a message up whose time is over. Transient: the task is to come again."""
    stored = (await outbound_store.read(task.project_id, [task.msg_id])).get(task.msg_id)
    if stored is None:
        return "gone"
    early = stored.record.expire_time - clock.now_ms()
    if early > _EARLY_MS:
        raise Transient(f"the task has come {early} ms early")
    if early > 0:
        await clock.sleep(early / 1000)
    record, _ = await outbound_store.change(
        task.project_id, task.msg_id, lambda before: outbound.expired(before, clock.now_ms())
    )
    if record is not None and record.state == "queued":
        raise Transient("the message is being handed over")
    return record.state if record is not None else "gone"


@cache
def _networks(text: str) -> tuple[Network, ...]:
    return url_rules.networks(text)
