"""Jobs: how far the clearing after a deletion is."""

from typing import Annotated

from fastapi import Path, Response

from functions.api.needs import Call, needs
from functions.api.resources import lists, plain
from functions.api.resources.answers import GONE, etag
from functions.api.router import Router
from shared.cascade import job
from shared.errors import FulcrumError
from shared.log import log
from shared.model.job import JOB, Job
from shared.model.page import Page
from shared.store.query import Query

router = Router("job")


@router.get(
    "/job/{job_id}",
    operation_id="job_get",
    summary="Read a job",
    description="How far a job is. One that nothing has touched for a minute is started again.",
    responses=GONE,
)
async def get(
    job_id: Annotated[str, Path(max_length=200, description="The id of the job")],
    response: Response,
    call: Annotated[Call, needs("job.read")],
) -> Job:
    stored = await call.scope.get(JOB, job_id)
    if job.is_idle(stored.fields):
        try:
            await job.publish(call.scope.project_id, job_id)
        except FulcrumError as error:
            # The answer is right all the same, and whoever waits for the job asks again.
            log("WARNING", "job not published", requestId=call.request_id, job=job_id, error=str(error))
    etag(response, stored)
    return stored.model()


@router.get(
    "/project/{project_id}/jobs",
    operation_id="job_list",
    summary="List the jobs of a project",
    description="A page of the project's jobs, the latest first. Finished ones are kept for 30 days.",
    responses=GONE,
)
async def list_(
    project_id: Annotated[str, Path(max_length=200, description="The id of the project")],
    call: Annotated[Call, needs("job.list")],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[Job]:
    query = Query(order="created", descending=True, limit=per_page, after=cursor)
    return await plain.page(call.scope, JOB, query, total)
