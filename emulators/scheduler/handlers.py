"""The methods of google.cloud.scheduler.v1.CloudScheduler: read the request, call the state, answer."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any
from uuid import uuid4

from google.cloud.scheduler_v1 import types
from google.protobuf import empty_pb2

from emulators.kit.faults import Faults
from emulators.kit.requests import METHODS
from emulators.kit.rpc import Method, Service, Unary
from emulators.scheduler import errors, retry
from emulators.scheduler.state import Job, Jobs

_Empty: Any = empty_pb2
_MAX_JOB_BYTES = 1_048_576
_MAX_DESCRIPTION = 500
_MAX_URL = 2_083
_MAX_PAGE = 500
_DEADLINE_SECONDS = 180
_WITH_BODY = ("POST", "PUT", "PATCH")
_OUTPUT = ("user_update_time", "state", "status", "schedule_time", "last_attempt_time")
_SETTABLE = {
    "description",
    "http_target",
    "schedule",
    "time_zone",
    "retry_config",
    "attempt_deadline",
}


def service(jobs: Jobs, faults: Faults) -> Service:
    """The gRPC service over one state."""
    return Service("google.cloud.scheduler.v1.CloudScheduler", CloudScheduler(jobs).methods(), faults)


class CloudScheduler:
    """google.cloud.scheduler.v1.CloudScheduler."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def methods(self) -> dict[str, Method]:
        """Method name → how it is served."""
        return {
            "CreateJob": Unary(types.CreateJobRequest.pb(), self.create_job),
            "UpdateJob": Unary(types.UpdateJobRequest.pb(), self.update_job),
            "GetJob": Unary(types.GetJobRequest.pb(), self.get_job),
            "ListJobs": Unary(types.ListJobsRequest.pb(), self.list_jobs),
            "DeleteJob": Unary(types.DeleteJobRequest.pb(), self.delete_job),
            "PauseJob": Unary(types.PauseJobRequest.pb(), self.pause_job),
            "ResumeJob": Unary(types.ResumeJobRequest.pb(), self.resume_job),
            "RunJob": Unary(types.RunJobRequest.pb(), self.run_job),
        }

    async def create_job(self, request: Any) -> Any:
        parent = errors.location_name(request.parent)
        job = _copied(request.job)
        job.name = job.name or f"{parent}/jobs/{uuid4().int % 10**20:020d}"
        if not errors.job_name(job.name).startswith(f"{parent}/jobs/"):
            raise errors.invalid("The job name must be below the parent of the request.")
        for field in _OUTPUT:
            job.ClearField(field)
        job.state = Job.ENABLED
        self._check(job)
        self._jobs.add(job)
        return job

    async def update_job(self, request: Any) -> Any:
        job = _copied(self._jobs.job(errors.job_name(request.job.name)))
        masked = list(request.update_mask.paths)
        if strange := [path for path in masked if path not in _SETTABLE]:
            raise errors.unsupported(f"update_mask {strange[0]}")
        for field in masked or [*_SETTABLE, "pubsub_target", "app_engine_http_target"]:
            _set(job, request.job, field)
        self._check(job)
        self._jobs.put(job)
        return job

    def _check(self, job: Any) -> None:
        """Fill a job with defaults; INVALID_ARGUMENT or UNIMPLEMENTED say what is wrong with it."""
        now = self._jobs.now_ns()
        _check_target(job)
        retry.fill(job.retry_config)
        job.time_zone = job.time_zone or "UTC"
        retry.following_ns(job.schedule, job.time_zone, now)
        if not job.HasField("attempt_deadline"):
            job.attempt_deadline.seconds = _DEADLINE_SECONDS
        if not 15 <= job.attempt_deadline.seconds <= 1800:
            raise errors.invalid("Job.attempt_deadline must be between [15s, 30m].")
        if len(job.description) > _MAX_DESCRIPTION:
            raise errors.invalid(f"Job.description must not be longer than {_MAX_DESCRIPTION} characters.")
        job.user_update_time.FromNanoseconds(now)
        if job.ByteSize() > _MAX_JOB_BYTES:
            raise errors.invalid(f"Job size too large; at most {_MAX_JOB_BYTES} bytes.")

    async def get_job(self, request: Any) -> Any:
        return self._jobs.job(errors.job_name(request.name))

    async def list_jobs(self, request: Any) -> Any:
        below = f"{errors.location_name(request.parent)}/jobs/"
        ordered = sorted(name for name in self._jobs.jobs if name.startswith(below))
        start = bisect_right(ordered, request.page_token) if request.page_token else 0
        end = start + min(request.page_size or _MAX_PAGE, _MAX_PAGE)
        answer = types.ListJobsResponse.pb()()
        answer.jobs.extend(self._jobs.jobs[name] for name in ordered[start:end])
        answer.next_page_token = ordered[end - 1] if end < len(ordered) else ""
        return answer

    async def delete_job(self, request: Any) -> Any:
        self._jobs.remove(errors.job_name(request.name))
        return _Empty.Empty()

    async def pause_job(self, request: Any) -> Any:
        return self._change(request.name, Job.ENABLED, Job.PAUSED, "ENABLED", "paused")

    async def resume_job(self, request: Any) -> Any:
        return self._change(request.name, Job.PAUSED, Job.ENABLED, "PAUSED", "resumed")

    def _change(self, name: str, old: int, new: int, wanted: str, to_be: str) -> Any:
        job = self._jobs.job(errors.job_name(name))
        if job.state != old:
            raise errors.wrong_state(wanted, to_be)
        job.state = new
        self._jobs.put(job)
        return job

    async def run_job(self, request: Any) -> Any:
        self._jobs.run_now(errors.job_name(request.name))
        return self._jobs.job(request.name)


def _copied(job: Any) -> Any:
    copied = Job()
    copied.CopyFrom(job)
    return copied


def _set(job: Any, given: Any, field: str) -> None:
    if field in ("schedule", "time_zone", "description"):
        setattr(job, field, getattr(given, field))
    elif given.HasField(field):
        getattr(job, field).CopyFrom(getattr(given, field))
    else:
        job.ClearField(field)


def _check_target(job: Any) -> None:
    for refused in ("pubsub_target", "app_engine_http_target"):
        if job.HasField(refused):
            raise errors.unsupported(f"job.{refused}")
    target = job.http_target
    if not target.uri.startswith(("http://", "https://")) or len(target.uri) > _MAX_URL:
        raise errors.invalid(
            f"HttpTarget.uri is required, must begin with http:// or https:// and have at most {_MAX_URL} "
            "characters."
        )
    if target.body and METHODS[target.http_method] not in _WITH_BODY:
        raise errors.invalid("HttpTarget.body is allowed with POST, PUT and PATCH only.")
