"""Deleting what other things hang on: the job that clears them, written with the deletion itself."""

from __future__ import annotations

from typing import Any

from shared import values
from shared.cascade import job
from shared.clients import firestore
from shared.errors import ApiError, FulcrumError
from shared.log import log
from shared.store.change import Change
from shared.store.scope import Scope, Stored


async def begin(change: Change, stored: Stored[Any]) -> str | None:
    """Add the job that clears what hangs on a resource to the change that deletes it; returns the job's id.

    None for a kind on which nothing hangs. Call it before :meth:`Change.delete` of the resource, and
    :func:`publish` after the commit. A change that deletes several resources has one job for all.
    """
    kind = stored.kind.name
    if not job.is_for(kind, stored.fields):
        return None
    if change.job_id is None:
        change.job_id = job.id_of(kind, stored.id)
        document = job.fields(
            kind,
            stored.id,
            stored.fields.get("name"),
            change.now,
            change.request_id,
            change.actor.fields(),
        )
        change.put(job.name(change.scope.project_id, change.job_id), document)
    return change.job_id


async def publish(scope: Scope, job_id: str | None) -> None:
    """Have a job run; ApiError 503 if its message cannot be published, and the deletion stands all the same.

    The caller sends the DELETE again, which comes to :func:`resume`. Nothing happens for no job.
    """
    if job_id is None:
        return
    try:
        await job.publish(scope.project_id, job_id)
    except FulcrumError as error:
        log("WARNING", "job not published", projectId=scope.project_id, job=job_id, error=str(error))
        raise ApiError(
            503,
            "job.notStarted",
            f"it is deleted, but the job {job_id!r} that clears what hung on it could not be started",
            "send the same request again",
            2,
        ) from None


async def resume(scope: Scope, kind_name: str, resource_id: str) -> str | None:
    """The job of a resource that was deleted before, published again if it is not done; None if all is done.

    For a DELETE that comes again: its first answer may have been lost, or its job never started.
    """
    if kind_name not in job.KINDS:
        return None
    tombstone = scope.tombstone(kind_name, resource_id)
    found = (await firestore.batch_get([tombstone], ["jobId"])).get(tombstone)
    job_id = values.from_fields(found.fields).get("jobId") if found else None
    return await resume_job(scope, job_id if isinstance(job_id, str) else None)


async def resume_job(scope: Scope, job_id: str | None) -> str | None:
    """A job by its id, published again if it is not done; None if all is done, or nothing was to do."""
    if job_id is None:
        return None
    name = job.name(scope.project_id, job_id)
    document = (await firestore.batch_get([name], ["state"])).get(name)
    if document is None or not job.is_open(values.from_fields(document.fields)):
        return None
    await publish(scope, job_id)
    return job_id
