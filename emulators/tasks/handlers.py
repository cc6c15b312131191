"""The methods of google.cloud.tasks.v2.CloudTasks: read the request, call the state, answer."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any
from uuid import uuid4

from google.cloud.tasks_v2 import types
from google.protobuf import empty_pb2

from emulators.kit.faults import Faults
from emulators.kit.rpc import Method, Service, Unary
from emulators.tasks import errors, retry
from emulators.tasks.state import MAX_AHEAD_NS, Queue, Task, Tasks

_Empty: Any = empty_pb2
_MAX_TASK_BYTES = 1_048_576
_MAX_PAGE = 1_000
_DEADLINE_SECONDS = 600
# More at once would only make a laptop slower.
_DEFAULT_CONCURRENT = 64
_UPDATED = ("rate_limits", "retry_config")


def service(tasks: Tasks, faults: Faults) -> Service:
    """The gRPC service over one state."""
    return Service("google.cloud.tasks.v2.CloudTasks", CloudTasks(tasks).methods(), faults)


class CloudTasks:
    """google.cloud.tasks.v2.CloudTasks."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def methods(self) -> dict[str, Method]:
        """Method name → how it is served."""
        return {
            "CreateQueue": Unary(types.CreateQueueRequest.pb(), self.create_queue),
            "UpdateQueue": Unary(types.UpdateQueueRequest.pb(), self.update_queue),
            "GetQueue": Unary(types.GetQueueRequest.pb(), self.get_queue),
            "CreateTask": Unary(types.CreateTaskRequest.pb(), self.create_task),
            "GetTask": Unary(types.GetTaskRequest.pb(), self.get_task),
            "ListTasks": Unary(types.ListTasksRequest.pb(), self.list_tasks),
            "DeleteTask": Unary(types.DeleteTaskRequest.pb(), self.delete_task),
        }

    async def create_queue(self, request: Any) -> Any:
        errors.location_name(request.parent)
        name = errors.queue_name(request.queue.name)
        if not name.startswith(f"{request.parent}/queues/"):
            raise errors.invalid("The queue name must be below the parent of the request.")
        if name in self._tasks.queues:
            raise errors.queue_exists()
        return self._put(request.queue, name)

    async def update_queue(self, request: Any) -> Any:
        name = errors.queue_name(request.queue.name)
        strange = [path for path in request.update_mask.paths if path not in _UPDATED]
        if strange:
            raise errors.unsupported(f"update_mask {strange[0]}")
        # The service makes a queue that is not there.
        return self._put(request.queue, name)

    def _put(self, given: Any, name: str) -> Any:
        for refused in ("app_engine_routing_override", "http_target"):
            if given.HasField(refused):
                raise errors.unsupported(f"queue.{refused}")
        queue = Queue(name=name, rate_limits=given.rate_limits, retry_config=given.retry_config)
        queue.state = Queue.RUNNING
        limits = queue.rate_limits
        limits.max_concurrent_dispatches = limits.max_concurrent_dispatches or _DEFAULT_CONCURRENT
        retry.fill(queue.retry_config)
        self._tasks.put_queue(queue)
        return queue

    async def get_queue(self, request: Any) -> Any:
        return self._tasks.queue(errors.queue_name(request.name))

    async def create_task(self, request: Any) -> Any:
        queue = self._tasks.queue(errors.queue_name(request.parent)).name
        task = Task()
        task.CopyFrom(request.task)
        if task.name:
            errors.task_name(task.name)
            if not task.name.startswith(f"{queue}/tasks/"):
                raise errors.invalid("The task name must be below the queue of the request.")
        else:
            task.name = f"{queue}/tasks/{uuid4().int % 10**20:020d}"
        now = self._tasks.now_ns()
        _check(task, now)
        task.create_time.FromNanoseconds(now)
        if not task.HasField("schedule_time") or task.schedule_time.ToNanoseconds() < now:
            task.schedule_time.FromNanoseconds(now)
        if not task.HasField("dispatch_deadline"):
            task.dispatch_deadline.seconds = _DEADLINE_SECONDS
        for counted in ("dispatch_count", "response_count", "first_attempt", "last_attempt"):
            task.ClearField(counted)
        self._tasks.add(task)
        return _view(task, request.response_view)

    async def get_task(self, request: Any) -> Any:
        return _view(self._tasks.task(errors.task_name(request.name)), request.response_view)

    async def list_tasks(self, request: Any) -> Any:
        queue = self._tasks.queue(errors.queue_name(request.parent)).name
        ordered = sorted(self._tasks.of(queue))
        start = bisect_right(ordered, request.page_token) if request.page_token else 0
        end = start + min(request.page_size or _MAX_PAGE, _MAX_PAGE)
        answer = types.ListTasksResponse.pb()()
        answer.tasks.extend(_view(self._tasks.tasks[n], request.response_view) for n in ordered[start:end])
        answer.next_page_token = ordered[end - 1] if end < len(ordered) else ""
        return answer

    async def delete_task(self, request: Any) -> Any:
        self._tasks.remove(errors.task_name(request.name))
        return _Empty.Empty()


def _check(task: Any, now: int) -> None:
    if task.HasField("app_engine_http_request"):
        raise errors.unsupported("task.app_engine_http_request")
    if not task.http_request.url.startswith(("http://", "https://")):
        raise errors.invalid("HttpRequest.url is required and must begin with http:// or https://.")
    if task.HasField("schedule_time") and task.schedule_time.ToNanoseconds() > now + MAX_AHEAD_NS:
        raise errors.invalid(
            "The schedule_time of a task must be within 30 days; it is "
            f"{task.schedule_time.ToJsonString()} now."
        )
    if task.ByteSize() > _MAX_TASK_BYTES:
        raise errors.invalid(f"Task size too large; at most {_MAX_TASK_BYTES} bytes.")
    if task.HasField("dispatch_deadline") and not 15 <= task.dispatch_deadline.seconds <= 1800:
        raise errors.invalid("Task.dispatchDeadline must be between [15s, 30m].")


def _view(task: Any, view: int) -> Any:
    """A task as it is answered: without its body, unless all of it is asked for."""
    shown = Task()
    shown.CopyFrom(task)
    if view == Task.FULL:
        shown.view = Task.FULL
    else:
        shown.http_request.body = b""
        shown.view = Task.BASIC
    return shown
