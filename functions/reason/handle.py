"""One delivery, step by step: run scripts, carry out what they ask for, go on, keep the runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from functions.reason import effects, outcomes, rows
from functions.reason.decode import Batch, Done, Refusal, Run, decode
from functions.reason.facts import facts_of
from functions.reason.running import Running
from shared import forward, script_runs
from shared.clients import history
from shared.envelope import Delivery, check_hops
from shared.errors import Rejected
from shared.log import listed, log
from shared.loops import PerLoop
from shared.quarantine import SetAside, set_aside
from shared.routes import Step

SERVICE = "reason"
TOPIC = "reason"


# What the deliveries of this instance share.
running = PerLoop(Running)


async def handle(delivery: Delivery, trace: str | None = None) -> None:
    """Handle a delivery. When it returns it may be acknowledged; Transient: it must come again."""
    began = time.perf_counter()
    try:
        check_hops(delivery)
        batch = decode(delivery)
    except Rejected as error:
        whole = Refusal(delivery.data, 0, error)
        await set_aside([_entry(delivery, None, whole, delivery.attributes.get("projectId"))], trace)
        return
    published: list[str] = []
    await _run(batch)
    await _carry_out(delivery, batch, published)
    await _go_on(delivery, batch, published)
    await _come_again(delivery, batch, published)
    await set_aside(_set_aside(delivery, batch), trace)
    await _keep(delivery, batch)
    _log(delivery, batch, began, trace, published)


async def _run(batch: Batch) -> None:
    """Run every message, those of one project together."""
    by_project: dict[str, list[Run]] = {}
    for run in batch.runs:
        by_project.setdefault(run.message.project_id, []).append(run)
    await asyncio.gather(*(_run_project(batch, name, runs) for name, runs in by_project.items()))


async def _run_project(batch: Batch, project_id: str, runs: list[Run]) -> None:
    reasoner = batch.reasoner
    try:
        await running().run((project_id, reasoner.script), reasoner.entry, runs)
    except Rejected as error:
        for run in runs:
            run.refused = error


async def _carry_out(delivery: Delivery, batch: Batch, published: list[str]) -> None:
    """Publish effects. An event of which one is refused for good is set aside: all of it comes again."""
    owners: list[Run] = []
    sendings: list[effects.Sending] = []
    for run, done in _done(batch):
        made = list(effects.sendings(run, done.outcome, done.devices))
        owners += [run] * len(made)
        sendings += made
    refused = await _publish(
        [sending.data for sending in sendings],
        [run.message.project_id for run in owners],
        [sending.step for sending in sendings],
        delivery.hops + 1,
        published,
    )
    for index, error in refused.items():
        owners[index].refused = error


async def _go_on(delivery: Delivery, batch: Batch, published: list[str]) -> None:
    """Send messages along the rest of the route; what a script stopped or replaced is kept as it came."""
    if not batch.route:
        return
    going: list[tuple[Run, bytes]] = []
    inputs: list[tuple[Run, bytes]] = []
    for run, done in _done(batch):
        message = outcomes.onward(run, done.outcome)
        if message is not None:
            going.append((run, message))
        if done.outcome.result is not None and (kept := outcomes.input_of(run)) is not None:
            inputs.append((run, kept))
    refused = await _publish(
        [kept for _, kept in inputs],
        [run.message.project_id for run, _ in inputs],
        [Step("writer", {}, [])] * len(inputs),
        delivery.hops + 1,
        published,
    )
    for index, error in refused.items():
        inputs[index][0].refused = error
    going = [(run, message) for run, message in going if run.refused is None]
    facts = await facts_of([run for run, _ in going], batch.route)
    onward = [
        forward.Onward(message, run.message.project_id, facts[index])
        for index, (run, message) in enumerate(going)
    ]
    refused = await forward.onward(onward, batch.route, delivery.hops, published)
    for index, error in refused.items():
        going[index][0].refused = error


async def _come_again(delivery: Delivery, batch: Batch, published: list[str]) -> None:
    """Publish again what no time was left for: the rest of the delivery is done."""
    left = [run for run in batch.runs if run.again]
    step = Step(TOPIC, dict(batch.options), batch.route or [])
    refused = await _publish(
        [bytes(run.raw) for run in left],
        [run.message.project_id for run in left],
        [step] * len(left),
        delivery.hops,
        published,
    )
    for error in refused.values():
        raise error


async def _publish(
    data: Sequence[bytes], projects: Sequence[str], steps: Sequence[Step], hops: int, published: list[str]
) -> dict[int, Rejected]:
    if not data:
        return {}
    parcels = forward.pack(data, projects, [[step] for step in steps], hops)
    refused = await forward.publish(parcels)
    published += forward.message_ids(parcels)
    return refused


def _done(batch: Batch) -> list[tuple[Run, Done]]:
    """The runs whose outcomes count."""
    return [
        (run, run.done)
        for run in batch.runs
        if run.done is not None and run.done.problem is None and run.refused is None
    ]


def _set_aside(delivery: Delivery, batch: Batch) -> list[SetAside]:
    entries = [_entry(delivery, batch, each, delivery.attributes.get("projectId")) for each in batch.refusals]
    for run in batch.runs:
        error = run.refused or (run.done.problem if run.done is not None else None)
        if error is not None:
            refusal = Refusal(run.raw, run.index, error)
            entry = _entry(delivery, batch, refusal, run.message.project_id)
            version = run.done.version if run.done is not None else None
            made = msgspec.structs.replace(entry, script_id=run.script_id or None, script_version=version)
            entries.append(made)
    return entries


def _entry(delivery: Delivery, batch: Batch | None, refusal: Refusal, project_id: str | None) -> SetAside:
    return SetAside(
        refusal.error,
        bytes(refusal.raw),
        SERVICE,
        TOPIC,
        delivery.message_id,
        refusal.index,
        project_id,
        batch.options if batch else {},
        batch.route if batch else None,
    )


async def _keep(delivery: Delivery, batch: Batch) -> None:
    """Append the rows of all runs, last: if that fails the delivery comes again and finds its records."""
    made = rows.rows(batch.runs, batch.reasoner.entry, delivery.message_id)
    if not made:
        return
    try:
        refused = await history.append_runs(script_runs.encode(made))
    except Rejected as error:
        refused = dict.fromkeys(range(len(made)), error.message)
    for index, text in refused.items():
        # The event itself is done with: to set it aside would be to run it again.
        key = cast(str, made[index]["run_key"])
        log("ERROR", "run not kept in the history", runKey=key, error=text[:500], **delivery.named())


def _log(delivery: Delivery, batch: Batch, began: float, trace: str | None, published: list[str]) -> None:
    done = [run.done for run in batch.runs if run.done is not None]
    ran = [each for each in done if each.problem is None]
    results = [each.outcome.result for each in ran if each.outcome.result is not None]
    counts = {
        "events": len(batch.runs) + len(batch.refusals),
        "ran": len(ran),
        "repeated": len([each for each in done if each.repeated]),
        "unmet": len([each for each in ran if each.outcome.status == "unmet"]),
        "failed": len(done) - len(ran),
        "stopped": results.count(False),
        "replaced": len(results) - results.count(False),
        "effects": sum([len(each.outcome.effects) for each in ran]),
        "setAside": len(batch.refusals) + len([run for run in batch.runs if run.refused is not None]),
        "again": len([run for run in batch.runs if run.again]),
    }
    shown: dict[str, Any] = {
        name: count for name, count in counts.items() if count or name in ("events", "ran")
    }
    if published:
        shown["published"] = listed(published)
    log(
        "INFO",
        "batch run",
        trace=trace,
        script=batch.reasoner.script,
        entry=batch.reasoner.entry,
        **shown,
        ms=round((time.perf_counter() - began) * 1000, 1),
        **delivery.named(),
    )
