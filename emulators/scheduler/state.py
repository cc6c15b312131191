"""Jobs: what is there, when each runs next, what came of its last attempt.

Everything is in :class:`emulators.kit.records.Records` before a call is answered. A job's time moves on when
its attempt is over: one that was out when the process ended is made again, as the service may do at any time,
and what came due while no process ran is run once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from google.cloud.scheduler_v1 import types

from emulators.kit.records import Records
from emulators.scheduler import errors, retry

Job: Any = types.Job.pb()


class Execution(msgspec.Struct):
    """What a job does for one of its times: ``due`` and ``began`` (its first attempt) in ns, and failures."""

    due: int
    began: int
    failures: int = 0


class Jobs:
    """All jobs."""

    def __init__(self, records: Records, now_ns: Callable[[], int]) -> None:
        self.jobs: dict[str, Any] = {}
        self.now_ns = now_ns
        self.on_due: Callable[[int], None] = lambda _: None
        self.dispatch: Callable[[Any, Execution], None] = lambda _, __: None
        self._executions: dict[str, Execution] = {}
        self._out: dict[str, Execution] = {}
        self._records = records

    def restore(self) -> None:
        """What the records hold."""
        for name, data in self._records.read("execution"):
            self._executions[name] = msgspec.json.decode(data, type=Execution)
        for name, data in self._records.read("job"):
            self.jobs[name] = Job.FromString(data)
            self._await(self.jobs[name])

    def clear(self) -> None:
        """Forget what came of attempts; the jobs belong to the deployment."""
        for name, job in self.jobs.items():
            self._executions.pop(name, None)
            job.ClearField("status")
            job.ClearField("last_attempt_time")
            self._plan(job, self.now_ns())

    def job(self, name: str) -> Any:
        """A job; NOT_FOUND if there is none."""
        if name not in self.jobs:
            raise errors.no_job()
        return self.jobs[name]

    def add(self, job: Any) -> None:
        """A new job; ALREADY_EXISTS where its name is in use."""
        if job.name in self.jobs:
            raise errors.job_exists(job.name)
        self.put(job)

    def put(self, job: Any) -> None:
        """Keep a job as it is now: what it was about to do is forgotten, its next time is told from now."""
        self.jobs[job.name] = job
        self._executions.pop(job.name, None)
        self._plan(job, self.now_ns())

    def remove(self, name: str) -> None:
        """A job is gone."""
        self.job(name)
        del self.jobs[name]
        self._executions.pop(name, None)
        self._records.write(deletes=[("job", name), ("execution", name)])

    # Coming due

    def tick(self, now_ns: int) -> int | None:
        """Begin what is due; when something is due next. A job has one attempt out at a time."""
        following: int | None = None
        for name, job in self.jobs.items():
            if not job.HasField("schedule_time") or name in self._out:
                continue
            due = job.schedule_time.ToNanoseconds()
            if due > now_ns:
                following = due if following is None else min(due, following)
                continue
            execution = self._executions.get(name) or Execution(due, now_ns)
            self._executions[name] = self._out[name] = execution
            self._keep(job)
            self.dispatch(job, execution)
        return following

    def run_now(self, name: str) -> None:
        """One attempt beside what the schedule says."""
        now = self.now_ns()
        self.dispatch(self.job(name), Execution(now, now))

    def answered(self, name: str, execution: Execution, code: int, message: str, attempted_ns: int) -> None:
        """An attempt is over; ``code`` is a canonical status code, 0 for success."""
        scheduled = self._out.get(name) is execution
        if scheduled:
            del self._out[name]
        job = self.jobs.get(name)
        if job is None:
            return
        job.last_attempt_time.FromNanoseconds(attempted_ns)
        job.status.code = code
        job.status.message = message
        if self._executions.get(name) is execution:
            self._go_on(job, execution, failed=bool(code))
        else:
            # A forced run, or one of a job that was changed or paused meanwhile.
            self._keep(job)
        self.on_due(self.now_ns())

    def _go_on(self, job: Any, execution: Execution, failed: bool) -> None:
        now = self.now_ns()
        following = self._following(job, execution.began)
        if failed:
            execution.failures += 1
            pause = retry.again_ns(job.retry_config, execution.failures, now - execution.began)
            # The schedule's next time ends an execution that has not come through.
            if pause is not None and (following is None or now + pause < following):
                job.schedule_time.FromNanoseconds(now + pause)
                return self._await(job)
        del self._executions[job.name]
        self._plan(job, execution.began)

    def _plan(self, job: Any, after_ns: int) -> None:
        """Set a job's next time by its schedule."""
        following = self._following(job, after_ns) if job.state == Job.ENABLED else None
        if following is None:
            job.ClearField("schedule_time")
        else:
            job.schedule_time.FromNanoseconds(following)
        self._await(job)

    def _following(self, job: Any, after_ns: int) -> int | None:
        return retry.following_ns(job.schedule, job.time_zone, after_ns)

    def _await(self, job: Any) -> None:
        self._keep(job)
        if job.HasField("schedule_time"):
            self.on_due(job.schedule_time.ToNanoseconds())

    def _keep(self, job: Any) -> None:
        execution = self._executions.get(job.name)
        written = [("job", job.name, job.SerializeToString())]
        if execution is None:
            self._records.write(written, [("execution", job.name)])
        else:
            self._records.write([*written, ("execution", job.name, msgspec.json.encode(execution))])

    def listed(self) -> dict[str, dict[str, Any]]:
        """Each job: ``state``, ``next`` and ``lastAttempt`` (epoch ms), ``code``, ``failures``, ``out``."""
        return {name: self._shown(name, job) for name, job in self.jobs.items()}

    def _shown(self, name: str, job: Any) -> dict[str, Any]:
        def ms(field: str) -> int | None:
            return getattr(job, field).ToMilliseconds() if job.HasField(field) else None

        execution = self._executions.get(name)
        return {
            "state": types.Job.State(job.state).name,
            "next": ms("schedule_time"),
            "lastAttempt": ms("last_attempt_time"),
            "code": job.status.code,
            "failures": execution.failures if execution else 0,
            "out": name in self._out,
        }
