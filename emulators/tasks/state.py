"""Queues and tasks: what is there, what is due, what was there too lately to be made again.

Everything is in :class:`emulators.kit.records.Records` before a call is answered. A task that was out when
the process ended is dispatched again, as the service may do at any time.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from google.cloud.tasks_v2 import types

from emulators.kit.records import Records
from emulators.tasks import errors, retry

Queue: Any = types.Queue.pb()
Task: Any = types.Task.pb()
_Attempt: Any = types.Attempt.pb()

# How long the name of a task that ran or was deleted is refused: the service says "up to 24 hours".
NAME_KEPT_NS = 24 * 3_600 * 1_000_000_000
_DAY_NS = 24 * 3_600 * 1_000_000_000
MAX_AHEAD_NS = 30 * _DAY_NS


class Tasks:
    """All queues and their tasks."""

    def __init__(self, records: Records, now_ns: Callable[[], int]) -> None:
        self.queues: dict[str, Any] = {}
        self.tasks: dict[str, Any] = {}
        self.running: set[str] = set()
        self.now_ns = now_ns
        self.on_due: Callable[[int], None] = lambda _: None
        self.dispatch: Callable[[Any], None] = lambda _: None
        self._gone: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._records = records

    def restore(self) -> None:
        """What the records hold."""
        for _, data in self._records.read("queue"):
            queue = Queue.FromString(data)
            self.queues[queue.name] = queue
        gone = {name: int(data) for name, data in self._records.read("gone")}
        self._gone = dict(sorted(gone.items(), key=lambda item: item[1]))
        for _, data in self._records.read("task"):
            task = Task.FromString(data)
            self.tasks[task.name] = task
            self._await(task)

    def clear(self) -> None:
        """Forget everything but the queues, which belong to the deployment."""
        self.tasks.clear()
        self._gone.clear()
        self._heap.clear()
        self.running.clear()
        self._records.clear()
        self._records.write([("queue", name, q.SerializeToString()) for name, q in self.queues.items()])

    # Queues

    def put_queue(self, queue: Any) -> None:
        """Keep a queue as it is now."""
        self.queues[queue.name] = queue
        self._records.write([("queue", queue.name, queue.SerializeToString())])

    def queue(self, name: str) -> Any:
        """A queue; NOT_FOUND if there is none."""
        if name not in self.queues:
            raise errors.no_queue()
        return self.queues[name]

    # Tasks

    def add(self, task: Any) -> None:
        """A new task; ALREADY_EXISTS where its name is or was in use."""
        if task.name in self.tasks:
            raise errors.task_exists(gone=False)
        if self._gone.get(task.name, 0) > self.now_ns():
            raise errors.task_exists(gone=True)
        self._gone.pop(task.name, None)
        self.tasks[task.name] = task
        self._records.write([("task", task.name, task.SerializeToString())], [("gone", task.name)])
        self._await(task)

    def task(self, name: str) -> Any:
        """A task; NOT_FOUND if there is none."""
        if name not in self.tasks:
            raise errors.no_task()
        return self.tasks[name]

    def remove(self, name: str) -> None:
        """A task is done with; its name is refused for a while."""
        self.task(name)
        del self.tasks[name]
        self.running.discard(name)
        until = self.now_ns() + NAME_KEPT_NS
        self._gone[name] = until
        # In the order in which they went, so that those whose time is up come first.
        old = [*itertools.takewhile(lambda gone: self._gone[gone] <= self.now_ns(), self._gone)]
        for gone in old:
            del self._gone[gone]
        self._records.write(
            [("gone", name, b"%d" % until)], [("task", name), *(("gone", each) for each in old)]
        )

    def of(self, queue: str) -> Iterator[str]:
        """The names of a queue's tasks."""
        return (name for name in self.tasks if name.startswith(f"{queue}/tasks/"))

    # Coming due

    def tick(self, now_ns: int) -> int | None:
        """Dispatch what is due, as far as its queue lets so many out at once; when something is due next."""
        later: list[tuple[int, str]] = []
        out = self._out()
        while self._heap and self._heap[0][0] <= now_ns:
            due, name = heapq.heappop(self._heap)
            task = self.tasks.get(name)
            if task is None or name in self.running or task.schedule_time.ToNanoseconds() != due:
                continue
            queue = name.partition("/tasks/")[0]
            if out.get(queue, 0) >= self.queues[queue].rate_limits.max_concurrent_dispatches:
                later.append((due, name))
                continue
            out[queue] = out.get(queue, 0) + 1
            self.running.add(name)
            self.dispatch(task)
        for item in later:
            heapq.heappush(self._heap, item)
        # What waits for a place is looked at when one comes free.
        following = [due for due, _ in self._heap[:1] if due > now_ns]
        return following[0] if following else None

    def answered(self, name: str, status: int | None, dispatched_ns: int) -> None:
        """A dispatch is over: with an HTTP status, or without an answer."""
        self.running.discard(name)
        task = self.tasks.get(name)
        if task is not None:
            self._count(task, status, dispatched_ns)
            if status is not None and 200 <= status < 300:
                self.remove(name)
            else:
                self._again(task)
        self.on_due(self.now_ns())

    def _count(self, task: Any, status: int | None, dispatched_ns: int) -> None:
        task.dispatch_count += 1
        attempt = _Attempt()
        attempt.schedule_time.CopyFrom(task.schedule_time)
        attempt.dispatch_time.FromNanoseconds(dispatched_ns)
        if status is not None:
            task.response_count += 1
            attempt.response_time.FromNanoseconds(self.now_ns())
            attempt.response_status.message = f"HTTP status code {status}"
        if task.dispatch_count == 1:
            task.first_attempt.dispatch_time.CopyFrom(attempt.dispatch_time)
        task.last_attempt.CopyFrom(attempt)

    def _again(self, task: Any) -> None:
        config = self.queues[task.name.partition("/tasks/")[0]].retry_config
        age = self.now_ns() - task.first_attempt.dispatch_time.ToNanoseconds()
        if retry.given_up(config, task.dispatch_count, age):
            return self.remove(task.name)
        task.schedule_time.FromNanoseconds(self.now_ns() + retry.pause_ns(config, task.dispatch_count))
        self._records.write([("task", task.name, task.SerializeToString())])
        self._await(task)

    def _await(self, task: Any) -> None:
        due = task.schedule_time.ToNanoseconds()
        heapq.heappush(self._heap, (due, task.name))
        self.on_due(due)

    def _out(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for name in self.running:
            queue = name.partition("/tasks/")[0]
            counts[queue] = counts.get(queue, 0) + 1
        return counts

    def backlog(self) -> dict[str, dict[str, int]]:
        """For each queue: tasks that are ``running``, ``due``, ``waiting`` for another try, ``scheduled``."""
        found = {name: dict.fromkeys(("running", "due", "waiting", "scheduled"), 0) for name in self.queues}
        now = self.now_ns()
        for name, task in self.tasks.items():
            if name in self.running:
                kind = "running"
            elif task.schedule_time.ToNanoseconds() <= now:
                kind = "due"
            else:
                kind = "waiting" if task.dispatch_count else "scheduled"
            found[name.partition("/tasks/")[0]][kind] += 1
        return found
