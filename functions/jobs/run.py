"""Going on with a job: steps until it is done or the time is up, then a message to itself."""

from __future__ import annotations

import asyncio
import random
import time
import traceback

from functions.jobs import step
from functions.jobs.effects import MAX_WRITES, MIN_WRITES, Job, merge
from shared import clock, values
from shared.cascade import job as jobs
from shared.clients import firestore
from shared.errors import Rejected, Transient
from shared.log import log

# So long a push is worked on before the rest is left to the next one, in seconds.
BUDGET = 10.0
# A single step may take so long, in seconds.
STEP_LIMIT = 20.0
# So often a step may be refused for good before the job is given up.
MAX_TRIES = 5
# Others change what a step reads: it starts anew so often at once, then after Pub/Sub's pause.
_RACES = 5


class Refused(Transient):
    """A step was refused: it is tried again after Pub/Sub's pause, not at once."""


async def go_on(message: jobs.Message) -> str:
    """Work on a job; returns what became of it, for the log. Transient: the message must come again."""
    deadline = time.monotonic() + BUDGET
    state, races = "more", 0
    while state == "more":
        # Read anew after each failure too: a commit whose answer was lost may have been done.
        job = await read(message)
        if job is None:
            return "unknown"
        if job.fields.get("state") == "done":
            return "done"
        try:
            # What others keep changing is left to smaller steps.
            state = await _step(job, max(MIN_WRITES, MAX_WRITES >> 2 * races))
            races = 0
        except Refused:
            raise
        except Transient:
            races += 1
            if races == _RACES:
                raise
            await asyncio.sleep(0.02 * 2**races * (0.5 + random.random()))
        if state == "more" and time.monotonic() >= deadline:
            await jobs.publish(message.project_id, message.job_id)
            return "published"
    return state


async def read(message: jobs.Message) -> Job | None:
    """The job of a message as it is now; None if there is none. Rejected for ids that none can have."""
    for part in (message.project_id, message.job_id):
        if not part or "/" in part or len(part) > 200 or part in (".", ".."):
            raise Rejected("job.badId", f"{part[:200]!r} is no id")
    name = jobs.name(message.project_id, message.job_id)
    document = (await firestore.batch_get([name])).get(name)
    if document is None:
        return None
    fields = values.from_fields(document.fields)
    if fields.get("type") != "delete":
        raise Rejected("job.unknownType", f"a job of type {str(fields.get('type'))[:100]!r} is none of ours")
    return Job(message.project_id, message.job_id, fields, document.update_time, clock.now_ms())


async def _step(job: Job, limit: int) -> str:
    try:
        async with asyncio.timeout(STEP_LIMIT):
            return (await step.run(job, limit)).state
    except TimeoutError:
        raise Transient(f"a step took longer than {STEP_LIMIT:g} s") from None
    except Transient:
        raise
    except Exception as error:
        # Refused for good, or our own mistake: after some tries the job says so, and people look at it.
        return await _refused(job, error)


async def _refused(job: Job, error: Exception) -> str:
    tries = int(job.fields.get("tries") or 0) + 1
    reason = f"{getattr(error, 'error_type', type(error).__name__)}: {error}"[:900]
    log("ERROR", "step failed", job=job.id, tries=tries, error=reason, stack=traceback.format_exc()[-2000:])
    failed = tries >= MAX_TRIES
    fields = {
        "tries": 0 if failed else tries,
        "reason": reason,
        "state": "failed" if failed else "running",
        "lastModified": job.now,
    }
    try:
        await firestore.commit([merge(job.name, fields, job.update_time)])
    except firestore.PreconditionFailed:
        return "elsewhere"
    if not failed:
        raise Refused(reason)
    return "failed"
